"""plancherel group: matrices in a file, orders of large groups, lists of elements, the cache."""

import re
import shutil
import subprocess
import time

import netCDF4
import numpy as np
import pytest

import pl_run

BAD_INPUT, ENVIRONMENT = 2, 3
A_5, S_4 = "perm:(1,2,3,4,5),(1,2,3)", "perm:(1,2,3,4),(1,2)"
M_12 = ("perm:(1,2,3,4,5,6,7,8,9,10,11),(3,7,11,8)(4,10,5,6),"
        "(1,12)(2,11)(3,6)(4,8)(5,9)(7,10)")
M_24 = ("(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23)\n"
        "(3,17,10,7,9)(4,13,14,19,5)(8,18,11,12,23)(15,20,22,21,16)\n"
        "(1,24)(2,23)(3,12)(4,16)(5,18)(6,10)(7,20)(8,14)(9,21)(11,17)(13,22)(15,19)\n")


def permutation(label, degree):
    """Images of 0, 1, .. under a product of cycles "(1,2,3)(4,5)"."""
    image = list(range(degree))
    for cycle in re.findall(r"\(([\d,]+)\)", label):
        points = [int(p) - 1 for p in cycle.split(",")]
        for a, b in zip(points, points[1:] + points[:1]):
            image[a] = b
    return tuple(image)


def degree_of(labels):
    return max(int(p) for label in labels for p in re.findall(r"\d+", label))


def numbers(text):
    """The lines "name: value" of a description."""
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


def read(path):
    """Labels of the elements, and of every irrep label, type, multiplicity and matrices over C."""
    with netCDF4.Dataset(path) as nc:
        assert all(v.long_name for v in nc.variables.values())
        irreps = []
        for i, d in enumerate(nc["irrep_dim"][:]):
            kind, at = int(nc["irrep_type"][i]), int(nc["irrep_start"][i])
            size = d * d * (2 if kind else 1)
            flat = np.ma.getdata(nc["matrix"][:, at:at + size])
            flat = flat if kind == 0 else flat[:, ::2] + 1j * flat[:, 1::2]
            irreps.append((str(nc["irrep_label"][i]), kind, int(nc["irrep_multiplicity"][i]),
                           flat.reshape(-1, d, d)))
        return [str(label) for label in nc["element_label"][:]], irreps


def matrices(folder, spec):
    out = pl_run.run(["group", spec, "--irreps", "-o", folder / "g.nc", "--overwrite"]).stdout
    labels, irreps = read(folder / "g.nc")
    listed = [line.split("\t") for line in out.split("multiplicity\n")[1].splitlines()]
    types = ["real", "complex", "quaternionic"]
    assert listed == [[label, str(rho.shape[1]), types[kind], str(m)]
                      for label, kind, m, rho in irreps]
    return labels, irreps


@pytest.mark.parametrize("spec", [A_5, S_4, "SL_2(3)", "PSL_2(7)", "Heis_3", "Dic_5",
                                  "perm:(1,2,3),(4,5,6),(1,4)(2,5)(3,6)", "perm:(1,2),(3,4,5,6)"])
def test_matrices(tmp_path, spec):
    labels, irreps = matrices(tmp_path, spec)
    n, degree = len(labels), degree_of(labels)
    element = [permutation(label, degree) for label in labels]
    number = {p: k for k, p in enumerate(element)}
    assert len(number) == n and number[tuple(range(degree))] == 0
    product = np.array([[number[tuple(a[i] for i in b)] for b in element] for a in element])
    entries = []
    for label, kind, m, rho in irreps:
        d = rho.shape[1]
        assert (kind == 1) == (m == 2)
        assert abs(np.einsum("aij,bjk->abik", rho, rho) - rho[product]).max() < 1e-10
        assert abs(np.einsum("aij,akj->aik", rho, rho.conj()) - np.eye(d)).max() < 1e-10
        # Frobenius and Schur.
        square = np.trace(rho[product.diagonal()], axis1=1, axis2=2).sum().real / n
        assert abs(square - {0: 1, 1: 0, 2: -1}[kind]) < 1e-10
        if kind == 2:
            J = np.kron(np.eye(d // 2), [[0, -1], [1, 0]])
            assert abs(rho - J @ rho.conj() @ J.T).max() < 1e-10
        for copy in [rho, rho.conj()][:m]:
            entries.append(copy.reshape(n, -1) * np.sqrt(d / n))
    entries = np.hstack(entries)
    assert entries.shape == (n, n)
    assert abs(entries.conj().T @ entries - np.eye(n)).max() < 1e-10
    assert len({label for label, *_ in irreps}) == len(irreps)


def test_generators_only(tmp_path):
    """Above order 2048 the file has the generators: words in them have the orders they should."""
    labels, irreps = matrices(tmp_path, "M_11")
    a, b = (permutation(label, 11) for label in labels)
    ab = tuple(a[i] for i in b)

    def order(p):
        power, k = p, 1
        while power != tuple(range(11)):
            power, k = tuple(p[i] for i in power), k + 1
        return k

    assert sum(m * rho.shape[1] ** 2 for _, _, m, rho in irreps) == 7920
    for _, _, _, (x, y) in irreps:
        one = np.eye(len(x))
        for word, p in [(x, a), (y, b), (x @ y, ab)]:
            assert abs(np.linalg.matrix_power(word, order(p)) - one).max() < 1e-8


GAP = """
w := function(x) local c, n, a; n := Conductor(x); c := CoeffsCyc(x, n);
  for a in [Cos, Sin] do Print(Sum([1..n], k -> Float(c[k]) * a(2 * FLOAT.PI * (k-1) / n)), " ");
  od; end;;
SizeScreen([4096, 24]);;
ct := CharacterTable(Group(%s));;
for c in ConjugacyClasses(ct) do Print(Representative(c), "\\n"); od;
for x in Irr(ct) do for c in ValuesOfClassFunction(x) do w(c); od; Print("\\n"); od;
QUIT;
"""


@pytest.mark.skipif(not shutil.which("gap"), reason="GAP is not installed (package gap-core)")
@pytest.mark.parametrize("spec", [A_5, "perm:(1,2,3),(4,5,6),(1,4)(2,5)(3,6)",
                                  "perm:(1,2,3,4)(5,6,7,8),(1,5,3,7)(2,8,4,6),(9,10,11)"])
def test_characters(tmp_path, spec):
    labels, irreps = matrices(tmp_path, spec)
    degree = degree_of(labels)
    element = {permutation(label, degree): k for k, label in enumerate(labels)}
    (tmp_path / "t.g").write_text(GAP % spec.removeprefix("perm:"))
    lines = subprocess.run(["gap", "-q", "-A", "-T", tmp_path / "t.g"], check=True, text=True,
                           stdin=subprocess.DEVNULL, capture_output=True).stdout.split("\n")
    lines = [line.replace(" ", "") if "(" in line else line for line in lines if line.strip()]
    classes = [element[permutation(line, degree)] for line in lines if "(" in line]
    theirs = np.array([line.split() for line in lines if "(" not in line], dtype=float)
    theirs = theirs[:, ::2] + 1j * theirs[:, 1::2]
    ours = np.array([np.trace(copy[classes], axis1=1, axis2=2) for _, _, m, rho in irreps
                     for copy in [rho, rho.conj()][:m]])
    assert ours.shape == theirs.shape
    distance = abs(ours[:, None] - theirs[None]).max(axis=2)
    assert sorted(distance.argmin(axis=1)) == list(range(len(theirs)))
    assert distance.min(axis=1).max() < 1e-9


def cycle(n):
    return "(" + ",".join(map(str, range(1, n + 1))) + ")"


def test_large_orders(tmp_path):
    factorial = {n: str(np.prod([i for i in range(1, n + 1)], dtype=object)) for n in (30, 100)}
    cases = [(M_24, 24, "244823040"),
             (f"{cycle(30)}\n(1,2)\n", 30, factorial[30]),
             (f"{cycle(100)}\n(1,2)\n", 100, factorial[100])]
    for text, degree, order in cases:
        (tmp_path / "g.txt").write_text(text)
        t0 = time.monotonic()
        out = pl_run.run(["group", f"perm:{tmp_path}/g.txt"])
        assert time.monotonic() - t0 < 20
        found = numbers(out.stdout)
        assert (found["order"], found["degree"]) == (order, str(degree))
        assert np.prod([int(k) for k in found["orbit lengths"].split()], dtype=object) == int(order)
        assert "10000" in found["irreps"] and not out.stderr
    for option in ["--irreps", "--check", "--elements", "-o x.nc"]:
        out = pl_run.run(f"group perm:{tmp_path}/g.txt {option}", code=BAD_INPUT)
        assert "up to order" in out.stderr and factorial[100] in out.stdout
    (tmp_path / "s.yaml").write_text(f"{{group: 'perm:{tmp_path}/g.txt'}}")
    assert factorial[100] in pl_run.run(["run", tmp_path / "s.yaml"], code=BAD_INPUT).stderr
    (tmp_path / "g.txt").write_text(f"{cycle(4097)}\n")
    assert "4096" in pl_run.run(f"group perm:{tmp_path}/g.txt", code=BAD_INPUT).stderr


def test_elements():
    """M_12: 95040 elements, all different; classes, centre and exponent from the Atlas."""
    out = pl_run.run(["group", M_12, "--elements"]).stdout
    found = numbers(out)
    assert [found[k] for k in ("order", "conjugacy classes", "order of the centre", "exponent")] \
        == ["95040", "15", "1", "1320"]
    rows = [line.split("\t") for line in out.split("element\tlabel\n")[1].splitlines()]
    assert [int(k) for k, _ in rows] == list(range(95040))
    assert rows[0][1] == "()" and len({label for _, label in rows}) == 95040
    out = pl_run.run(["group", "S_3 x C_2", "--elements"]).stdout
    assert "\n11\t3 2 1, 1\n" in out
    assert "10^6" in pl_run.run("group --help").stdout


def test_cache_shared(tmp_path):
    """Several processes find the irreps of one group at once: one file, and all agree."""
    commands = [subprocess.Popen(pl_run.command(["group", "SL_2(11)", "--irreps"]), text=True,
                                 env=pl_run.environment(PLANCHEREL_CACHE=str(tmp_path)),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE) for _ in range(4)]
    outputs = [c.communicate(timeout=60) for c in commands]
    assert [c.returncode for c in commands] == [0] * 4
    assert len(set(outputs)) == 1 and not outputs[0][1]
    assert len(list(tmp_path.iterdir())) == 1
    cached = pl_run.run(["group", "SL_2(11)", "--irreps"], PLANCHEREL_CACHE=str(tmp_path))
    assert cached.stdout == outputs[0][0]
