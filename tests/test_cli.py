"""The command line end to end: status, fourier, and what every command shares."""

import os
import re
import signal
import subprocess
import time
from itertools import permutations
from math import factorial

import netCDF4
import numpy as np
import pytest

import tables
from pl_run import BINARY, ROOT, command, environment, run, start

COMMANDS = ["run", "plan", "status", "group", "fourier"]
SWEEP = """
title: Two depths
group: S_3
model.depth: [2, 3]
data.samples: 4
optimizer.lr: 0.1
steps: 200
record.points: 10
seed: 0..2
"""


def error(args, *words, code=2, ranks=1):
    """The command fails with `code`, says nothing on stdout and every word on stderr."""
    done = run(args, code=code, ranks=ranks)
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr, done.stderr
    return done.stderr


def sweep(path, out, *args, text=SWEEP, **kwargs):
    path.write_text(text)
    return run(["run", "--quiet", path, "-o", out, *args], **kwargs)


def rows(done):
    """Head lines, and the table as one dictionary per run; columns must line up."""
    lines = done.stdout.splitlines()
    at = next((i for i, line in enumerate(lines) if line.split()[0] == "run"), len(lines))
    table = [line.split() for line in lines[at:]]
    assert len({len(line) for line in lines[at:]}) <= 1
    return lines[:at], [dict(zip(table[0], row, strict=True)) for row in table[1:]]


# ---- status ----


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    out = folder / "out.nc"
    sweep(folder / "sweep.yaml", out)
    return out


def check_values(out, table):
    """Every line of the table against the file; the last record is the last one with a step."""
    with netCDF4.Dataset(out) as nc:
        nc.set_auto_mask(False)
        states = nc["status"].flag_meanings.split()
        for row in table:
            r = int(row["run"])
            last = np.flatnonzero(nc["step"][r] >= 0)
            state = states[nc["status"][r]]
            assert row["state"] == ("interrupted" if state == "running" else state)
            assert row["steps"] == f"{nc['steps_done'][r]}/{nc['steps'][r]}"
            for name in ["loss", "schatten_thresholded", "normalized_margin"]:
                if len(last):
                    assert float(row[name]) == pytest.approx(nc[name][r, last[-1]], rel=1e-5)
                else:
                    assert row[name] == "-"
            if row["state"] in ("pending", "interrupted"):
                assert row["wall_time/s"] == "-"
            else:
                assert float(row["wall_time/s"]) == pytest.approx(nc["wall_time"][r], abs=0.006)


def test_status_finished(finished):
    head, table = rows(run(["status", finished]))
    assert head == ["Two depths", "6 done"]
    assert [row["run"] for row in table] == [str(r) for r in range(6)]
    assert {(row["model_depth"], row["seed"]) for row in table} == {
        (d, s) for d in "23" for s in "012"
    }
    # What is the same in every run is not shown.
    assert set(table[0]) == {"run", "state", "steps", "model_depth", "seed", "loss",
                             "schatten_thresholded", "normalized_margin", "separated", "converged",
                             "wall_time/s"}
    check_values(finished, table)


def test_status_prints_once(finished):
    assert run(["status", finished], ranks=3).stdout == run(["status", finished]).stdout


def test_status_diverged(tmp_path):
    out = tmp_path / "out.nc"
    sweep(tmp_path / "sweep.yaml", out, "--set", "optimizer.lr=[0.1, 1e6]", "--set", "seed=0",
          code=1)
    head, table = rows(run(["status", out]))
    assert head[1] == "2 done, 2 diverged"
    check_values(out, table)
    assert {row["state"] for row in table if row["optimizer_lr"] == "1000000"} == {"diverged"}
    _, some = rows(run(["status", "--state", "diverged", out]))
    assert some == [row for row in table if row["state"] == "diverged"]
    assert rows(run(["status", "--state", "pending", out])) == (head, [])


def test_status_of_text_and_zipped_keys(tmp_path):
    out = tmp_path / "out.nc"
    text = SWEEP.replace("S_3", "[S_3, C_2 x C_2]") + "loss: [exponential, logistic]\n"
    sweep(tmp_path / "sweep.yaml", out, "--set", "seed=0", "--set", "model.depth=2", text=text)
    lines = run(["status", out]).stdout.splitlines()
    assert "loss_kind" in lines[2]
    for words in ["C_2 x C_2  exponential", "C_2 x C_2  logistic", "S_3        logistic"]:
        assert sum(words in line for line in lines) == 1


def test_status_live_and_after_kill(tmp_path):
    out, path = tmp_path / "out.nc", tmp_path / "sweep.yaml"
    path.write_text(SWEEP)
    args = ["run", "--quiet", path, "-o", out]
    for s in ["steps=1000000000", "record.points=20000", "record.schedule=linear", "seed=0"]:
        args += ["--set", s]
    seen = []

    def look(state="running"):
        """The step of the running run, which never goes back; the other one waits."""
        done = run(["status", out], code=None)
        if not seen and (done.returncode or f"1 {state}" not in done.stdout):
            return  # still being defined
        assert done.returncode == 0, done.stderr
        head, table = rows(done)
        assert head[1] == f"1 {state}, 1 pending"
        table.sort(key=lambda row: row["state"] != state)
        at, total = (int(n) for n in table[0]["steps"].split("/"))
        assert total == 10**9 and at >= (seen[-1] if seen else 0)
        assert table[1]["loss"] == "-" and table[1]["steps"] == "0/1000000000"
        seen.append(at)

    process = start(args)
    try:
        deadline = time.monotonic() + 20
        while len(set(seen)) < 4 and time.monotonic() < deadline:
            look()
        assert len(set(seen)) >= 4, "no progress seen"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    look("interrupted")
    check_values(out, rows(run(["status", out]))[1])


def test_status_leaves_out_what_is_missing(tmp_path):
    out = tmp_path / "out.nc"
    with netCDF4.Dataset(out, "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.createDimension("run", 2)
        nc.createDimension("record", 3)
        nc.createVariable("status", "i1", ("run",))[:] = [2, 99]
        step = nc.createVariable("step", "i8", ("run", "record"), fill_value=-1)
        step[0, 0] = 0
        nc.createVariable("loss", "f8", ("run", "record"))[0, 0] = 0.5
    assert run(["status", out]).stdout.splitlines() == [
        "1 done, 1 unknown", "run  state    loss", "  0  done      0.5", "  1  unknown     -"]


def test_status_errors(tmp_path, finished):
    error(["status", tmp_path / "none.nc"], "none.nc", "No such file")
    (tmp_path / "text.nc").write_text("no NetCDF")
    error(["status", tmp_path / "text.nc"], "text.nc", "not a readable NetCDF file")
    function(tmp_path / "f.nc", "C_3", np.ones(3))
    error(["status", tmp_path / "f.nc"], "f.nc", "not an output", "no variable 'status'")
    with netCDF4.Dataset(tmp_path / "half.nc", "w") as nc:
        nc.createDimension("run", 2)
        nc.createVariable("status", "i1", ("run",))
    error(["status", tmp_path / "half.nc"], "half.nc", "no variable 'step'")
    error(["status"], "no output file")
    error(["status", finished, finished], "more than one")
    error(["status", "--state", "lost", finished], "lost", "diverged")


# ---- fourier: irreps built here, apart from the program ----


def partitions(n, most=None):
    """In decreasing lexicographic order."""
    if n == 0:
        yield ()
    for first in range(min(n, most or n), 0, -1):
        for rest in partitions(n - first, first):
            yield (first, *rest)


def tableaux(shape):
    """Standard tableaux as the row of each letter, in last-letter order."""
    if not sum(shape):
        return [()]
    out = []
    for row in reversed(range(len(shape))):
        if row == len(shape) - 1 or shape[row] > shape[row + 1]:
            smaller = list(shape)
            smaller[row] -= 1
            if not smaller[-1]:
                smaller.pop()
            out += [(*t, row) for t in tableaux(tuple(smaller))]
    return out


def young(shape):
    """Young's orthogonal form of (1 2), (2 3), .."""
    tabs = tableaux(shape)
    n, index = sum(shape), {t: i for i, t in enumerate(tabs)}

    def content(t, k):
        return sum(row == t[k] for row in t[:k]) - t[k]

    out = []
    for k in range(n - 1):
        s = np.zeros((len(tabs), len(tabs)))
        for i, t in enumerate(tabs):
            r = 1 / (content(t, k + 1) - content(t, k))
            s[i, i] = r
            swapped = index.get((*t[:k], t[k + 1], t[k], *t[k + 2:]))
            if swapped is not None and swapped != i:
                s[i, swapped] = np.sqrt(1 - r * r)
        out.append(s)
    return out


def symmetric(n):
    """S_n: rho(g) is Young's orthogonal form of w g w, w reversing 1..n."""
    irreps = []
    for shape in partitions(n):
        s, matrices = young(shape), []
        for g in permutations(range(n)):
            h = [n - 1 - g[n - 1 - i] for i in range(n)]
            m = np.eye(len(s[0]) if s else 1)
            # Sorting h by swaps of neighbouring places writes it as a product of transpositions.
            for top in range(n - 1, 0, -1):
                for k in range(top):
                    if h[k] > h[k + 1]:
                        h[k], h[k + 1] = h[k + 1], h[k]
                        m = s[k] @ m
            matrices.append(m)
        irreps.append((",".join(map(str, shape)), "real", 1, np.array(matrices)))
    labels = [" ".join(str(i + 1) for i in g) for g in permutations(range(n))]
    return labels, irreps


def cyclic(n):
    irreps = []
    for k in range(n // 2 + 1):
        real = 2 * k % n == 0
        values = np.exp(-2j * np.pi * k * np.arange(n) / n).reshape(n, 1, 1)
        irreps.append((str(k), "real" if real else "complex", 1 if real else 2,
                       values.real if real else values))
    return [str(g) for g in range(n)], irreps


def dihedral(n):
    def of(r, s):
        r, s = np.atleast_2d(r), np.atleast_2d(s)
        powers = [np.linalg.matrix_power(r, k) for k in range(n)]
        return np.array(powers + [s @ p for p in powers], dtype=float)

    irreps = [("A1", of(1, 1)), ("A2", of(1, -1))]
    irreps += [("B1", of(-1, 1)), ("B2", of(-1, -1))] if n % 2 == 0 else []
    for h in range(1, (n + 1) // 2):
        c, s = np.cos(2 * np.pi * h / n), np.sin(2 * np.pi * h / n)
        irreps.append((f"E{h}", of([[c, -s], [s, c]], [[1, 0], [0, -1]])))
    return None, [(label, "real", 1, m) for label, m in irreps]


def quaternions():
    one, i, j = np.eye(2), np.diag([1j, -1j]), np.array([[0, -1], [1, 0]], dtype=complex)
    units = np.array([one, i, j, i @ j])
    irreps = [("1", "real", 1, np.ones((8, 1, 1)))]
    for k, label in enumerate("ijk", start=1):
        values = np.array([1 if u in (0, k) else -1 for u in range(4)] * 2, dtype=float)
        irreps.append((label, "real", 1, values.reshape(8, 1, 1)))
    irreps.append(("H", "quaternionic", 1, np.concatenate([units, -units])))
    return ["1", "i", "j", "k", "-1", "-i", "-j", "-k"], irreps


GROUPS = {"S_4": lambda: symmetric(4), "C_12": lambda: cyclic(12), "C_5": lambda: cyclic(5),
          "D_4": lambda: dihedral(4), "D_5": lambda: dihedral(5), "Q_8": quaternions}


def text(nc, name):
    return [str(label) for label in nc[name][:]]


def function(path, group, f, labels=None, kind="f8", dims=("element",), **dataset):
    f = np.asarray(f)
    with netCDF4.Dataset(path, "w", **(dataset or {"format": "NETCDF3_64BIT_DATA"})) as nc:
        if group:
            nc.group = group
        for dim, n in zip(dims, f.shape):
            nc.createDimension(dim, n)
        nc.createVariable("f", kind, dims)[:] = f
        if labels is not None:
            labels = np.asarray(labels)
            if labels.dtype.kind == "U":
                labels = labels.astype("S")[:, None].view("S1")
                nc.createDimension("string", labels.shape[1])
                nc.createVariable("element", "S1", ("element", "string"))[:] = labels
            else:
                nc.createVariable("element", labels.dtype, ("element",))[:] = labels
    return path


def table(done):
    lines = done.stdout.split("\n\n")[0].splitlines()
    assert lines[0] == "label\tdimension\tenergy\tshare"
    return [line.split("\t") for line in lines[1:]]


@pytest.mark.parametrize("spec", GROUPS)
def test_fourier_against_direct_sum(spec, tmp_path):
    labels, irreps = GROUPS[spec]()
    order = len(irreps[0][3])
    f = np.random.default_rng(order).standard_normal(order)
    coefficients, inverse = tmp_path / "F.nc", tmp_path / "g.nc"
    done = run(["fourier", function(tmp_path / "f.nc", spec, f, labels), "-o", coefficients])
    lines = table(done)
    norm2 = float(f @ f)
    assert sum(float(line[2]) for line in lines) == pytest.approx(norm2, rel=1e-12)
    assert sum(float(line[3]) for line in lines) == pytest.approx(1, rel=1e-5)
    assert float(done.stdout.split("squared norm of f: ")[1].split()[0]) == pytest.approx(norm2)
    with netCDF4.Dataset(coefficients) as nc:
        assert nc.group == spec
        assert text(nc, "irrep_label") == [label for label, *_ in irreps]
        assert text(nc, "irrep_type") == [kind for _, kind, *_ in irreps]
        for name, var in nc.variables.items():
            assert var.long_name and var.units, name
        F = nc["coefficient_real"][:] + 1j * nc["coefficient_imag"][:]
        assert len(F) == sum(m.shape[1] ** 2 for *_, m in irreps)
        for i, (label, kind, mult, matrices) in enumerate(irreps):
            d, start_ = matrices.shape[1], nc["irrep_start"][i]
            assert (d, mult) == (nc["irrep_dim"][i], nc["irrep_multiplicity"][i])
            want = np.tensordot(f, matrices, axes=1)
            np.testing.assert_allclose(F[start_:start_ + d * d].reshape(d, d), want, atol=1e-12)
            energy = mult * d / order * np.linalg.norm(want) ** 2
            assert lines[i][:2] == [label, str(d)]
            assert float(lines[i][2]) == pytest.approx(energy, rel=1e-11, abs=1e-13)
            assert float(lines[i][3]) == pytest.approx(energy / norm2, rel=1e-5)
    back = run(["fourier", "--inverse", coefficients, "-o", inverse])
    np.testing.assert_allclose(np.array(table(back))[:, 2].astype(float),
                               np.array(lines)[:, 2].astype(float), rtol=1e-12, atol=1e-13)
    with netCDF4.Dataset(inverse) as nc:
        np.testing.assert_allclose(nc["f"][:], f, rtol=1e-12, atol=1e-12)
        assert nc.group == spec and nc["f"].dimensions == ("element",)
        assert labels is None or text(nc, "element") == labels
        assert all(var.long_name and var.units for var in nc.variables.values())


def test_fourier_round_trip_in_blocks(tmp_path):
    """More coefficients than are read or written at once; all types of irreps side by side."""
    spec, order = "C_60 x Q_8 x S_5 x D_3", 60 * 8 * 120 * 6
    f = np.random.default_rng(1).standard_normal(order)
    a, b, c = (tmp_path / name for name in ["a.nc", "b.nc", "c.nc"])
    function(a, None, f)
    run(["fourier", a, "--group", spec, "-o", b])
    run(["fourier", b, "--inverse", "-o", c])
    with netCDF4.Dataset(c) as nc:
        np.testing.assert_allclose(nc["f"][:], f, atol=1e-12 * np.sqrt(order))
    # The labels written are those that reading checks, in every block.
    run(["fourier", c, "--group", spec])


def test_fourier_accepts(tmp_path):
    """Files as others write them: netCDF-4, integers, blanks after labels, numbers as labels."""
    one = function(tmp_path / "one.nc", None, np.arange(3), [0, 1, 2], kind="i4", format="NETCDF4")
    lines = table(run(["fourier", one, "-g", "C_3"], ranks=3))
    assert [line[0] for line in lines] == ["0", "1"]
    assert float(lines[0][2]) == pytest.approx(3, rel=1e-14)
    zero = function(tmp_path / "zero.nc", "S_2", np.zeros(2), ["1 2 ", "2 1 "])
    assert table(run(["fourier", zero])) == [["2", "1", "0", "0"], ["1,1", "1", "0", "0"]]
    # Labels may be strings.
    with netCDF4.Dataset(tmp_path / "zero4.nc", "w") as nc:
        nc.group = "C_2"
        nc.createDimension("element", 2)
        nc.createVariable("f", "f8", ("element",))[:] = 0
        nc.createVariable("element", str, ("element",))[:] = np.array(["0", "1"], object)
    assert run(["fourier", tmp_path / "zero4.nc"]).stderr == ""


def test_fourier_bad_functions(tmp_path):
    f = np.ones(6)

    def bad(*words, group="S_3", values=f, code=2, args=(), **kwargs):
        path = function(tmp_path / "f.nc", group, values, **kwargs)
        error(["fourier", path, *args], "f.nc", *words, code=code)

    bad("--group", "attribute", group=None)
    bad("S_x", "attribute group", group="S_x")
    bad("f(element = 6)", "element = 24, the elements of S_4", group="S_4")
    bad("f[2]", "not a number", values=np.where(np.arange(6) == 2, np.nan, 1))
    bad("f[5]", "infinite", values=np.where(np.arange(6) == 5, -np.inf, 1))
    bad("too large", values=1e200 * f)
    bad("text", values=np.full(6, b"a"), kind="S1")
    bad("f(sample = 2, element = 6)", values=np.ones((2, 6)), dims=("sample", "element"))
    order = ["1 2 3", "1 3 2", "2 1 3", "2 3 1", "3 1 2", "3 2 1"]
    bad('"4 1 2"', labels=order[:4] + ["4 1 2", order[5]])
    bad("element[3]", "element[4]", labels=order[:4] + [order[3], order[5]])
    bad("element[5] is", "6", labels=np.arange(1, 7), group="C_6")
    error(["fourier", function(tmp_path / "f.nc", "S_3", f), "-g", "S_99"], "S_99")
    with netCDF4.Dataset(tmp_path / "g.nc", "w") as nc:
        nc.group = "S_3"
    error(["fourier", tmp_path / "g.nc"], "g.nc", "no variable 'f'", "element = 6, the elements of S_3")
    with netCDF4.Dataset(tmp_path / "complex.nc", "w") as nc:
        nc.group = "C_2"
        nc.createDimension("element", 2)
        pair = nc.createCompoundType(np.dtype([("r", "f8"), ("i", "f8")]), "complex")
        nc.createVariable("f", pair, ("element",))
    error(["fourier", tmp_path / "complex.nc"], "complex.nc", "expected numbers f(element")
    with netCDF4.Dataset(tmp_path / "missing.nc", "w") as nc:
        nc.group = "C_2"
        nc.createDimension("element", 2)
        nc.createVariable("f", "f8", ("element",), fill_value=-5)[0] = 1
        nc.createVariable("x", "f4", ("element",))[0] = 1
    error(["fourier", tmp_path / "missing.nc"], "f[1] is missing")
    with netCDF4.Dataset(tmp_path / "missing.nc", "a") as nc:
        nc.renameVariable("f", "g")
        nc.renameVariable("x", "f")
    error(["fourier", tmp_path / "missing.nc"], "f[1] is missing")


def test_fourier_all_labels_are_checked(tmp_path):
    """One that stands twice, far behind the first thousand."""
    n = 4000
    labels = np.arange(n)
    labels[3500] = 3499
    error(["fourier", function(tmp_path / "f.nc", f"C_{n}", np.ones(n), labels)], "element[3500]")


def test_fourier_too_large(tmp_path):
    with netCDF4.Dataset(tmp_path / "f.nc", "w") as nc:
        nc.group = "S_12 x S_10"
        nc.createDimension("element", factorial(12) * factorial(10))
        # Never written, so it takes no space.
        nc.createVariable("f", "f8", ("element",), contiguous=False, chunksizes=(1000000,))
    error(["fourier", tmp_path / "f.nc"], "S_12 x S_10", "needs 5.", "e+07 GB", code=3)


def test_fourier_output_exists(tmp_path):
    f = function(tmp_path / "f.nc", "Q_8", np.arange(8.0))
    F = tmp_path / "F.nc"
    first = run(["fourier", f, "-o", F], ranks=3)
    before = F.read_bytes()
    error(["fourier", f, "-o", F], "F.nc", "exists already")
    assert F.read_bytes() == before
    assert run(["fourier", f, "-o", F, "--overwrite"]).stdout == first.stdout
    error(["fourier", "--inverse", F, "-o", F, "--overwrite"], "would replace")
    run(["fourier", "--inverse", F, "-o", tmp_path / "back.nc"])
    with netCDF4.Dataset(tmp_path / "back.nc") as nc:
        np.testing.assert_allclose(nc["f"][:], np.arange(8.0), atol=1e-13)
    error(["fourier", f, "-o", tmp_path / "none" / "F.nc"], "No such file", code=3)


def test_fourier_bad_coefficients(tmp_path):
    f = function(tmp_path / "f.nc", "Q_8", np.arange(8.0))
    F = tmp_path / "F.nc"

    def bad(change, *words, args=()):
        run(["fourier", f, "-o", F, "--overwrite"])
        with netCDF4.Dataset(F, "a") as nc:
            change(nc)
        error(["fourier", "--inverse", F, *args], "F.nc", *words)

    def put(name, index, value):
        def change(nc):
            nc[name][index] = value

        return change

    bad(put("coefficient_imag", 1, 1), "coefficient_imag[1] is 1", "real")
    bad(put("coefficient_real", 2, np.nan), "coefficient_real[2]", "not a number")
    bad(put("coefficient_real", 4, 100), "not the coefficients of a real function")
    bad(put("irrep_label", 1, b"j"), 'irrep_label[1] and irrep_label[2] are both "j"')
    bad(lambda nc: None, "coefficient_real", "coefficient = 8", "the coefficients of S_3", args=["-g", "S_3 "])
    error(["fourier", "--inverse", f], "f.nc", "no variable 'coefficient_real'")
    error(["fourier", F], "F.nc", "no variable 'f'")


# ---- what every command shares ----


@pytest.mark.parametrize("args", [["--help"], ["--version"]] + [[c, "--help"] for c in COMMANDS])
def test_help_and_version(args):
    done = run(args)
    assert done.stderr == ""
    if args == ["--version"]:
        assert done.stdout.startswith("plancherel ") and "commit" in done.stdout
    else:
        assert "Usage: plancherel " + (args[0] if len(args) > 1 else "COMMAND") in done.stdout


@pytest.mark.parametrize("args", [["--version"], ["fourier", "--help"]])
def test_help_prints_once(args):
    assert run(args, ranks=3).stdout == run(args).stdout


def test_general_help_names_commands():
    assert all(f"\n  {c} " in run(["--help"]).stdout for c in COMMANDS)


@pytest.mark.parametrize("args, word", [
    (["train"], 'unknown command "train"'),
    (["status", "--nonsense"], "unrecognized option"),
])
def test_usage_errors_print_once(args, word):
    for ranks in (1, 3):
        assert error(args, word, ranks=ranks).count(word) == 1


def test_no_command():
    error([], "Usage", "no command")


@pytest.mark.parametrize("name", COMMANDS)
def test_unknown_option(name):
    error([name, "--nonsense"], "--nonsense", f"plancherel {name} --help")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_full_disk_for_output():
    with open("/dev/full", "w") as full:
        done = subprocess.run(command(["group", "S_4"]), stdout=full, stderr=subprocess.PIPE,
                              env=environment(), text=True)
    assert done.returncode == 3 and "standard output" in done.stderr


# ---- completion in bash ----


def complete(cwd, *words):
    """What bash offers for the last word; "--key=value" stands as three words, as in bash."""
    script = """
    source "$1"; shift
    [[ $(complete -p plancherel) == *"-F _plancherel plancherel" ]] || exit 1
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _plancherel
    ((${#COMPREPLY[@]} == 0)) || printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(["bash", "-c", script, "bash", ROOT / "jobs/plancherel.bash-completion",
                           BINARY, *words], cwd=cwd, env=environment(), text=True,
                          capture_output=True, timeout=30, check=True)
    assert done.stderr == ""
    return sorted(done.stdout.splitlines())


def test_completion_knows_what_help_tells(tmp_path):
    commands = re.findall(r"^  (\w+) ", run(["--help"]).stdout, re.M)
    assert complete(tmp_path, "") == sorted([*commands, "--help", "--version"])
    assert complete(tmp_path, "st") == ["status"]
    for name in commands:
        options = re.findall(r"^ +(?:-.,)? *(--[\w-]+)", run([name, "--help"]).stdout, re.M)
        assert complete(tmp_path, name, "--") == sorted(options), name


def test_completion_of_files_and_values(tmp_path):
    for name in ["a b.yaml", "c.nc", "d.txt"]:
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    assert complete(tmp_path, "run", "") == ["a b.yaml", "folder"]
    assert complete(tmp_path, "status", "") == ["c.nc", "folder"]
    assert complete(tmp_path, "run", "a b.yaml", "-o", "c") == ["c.nc"]
    assert complete(tmp_path, "run", "--output", "=") == ["c.nc", "folder"]
    assert complete(tmp_path, "run", "--output", "=", "c") == ["c.nc"]
    assert complete(tmp_path, "status", "-s", "d") == ["diverged", "done"]
    assert complete(tmp_path, "run", "--max-time", "") == []
    keys = {k + "=" for k in re.findall(r"^([a-z]\S*)", run(["run", "--keys"]).stdout, re.M)[1:]}
    assert len(keys) > 30
    assert complete(tmp_path, "run", "--set", "") == sorted(keys)
    assert complete(tmp_path, "plan", "--set", "=", "model.de") == ["model.depth="]
    assert complete(tmp_path, "run", "--set", "model.depth", "=") == []
    assert complete(tmp_path, "run", "--set", "model.depth", "=", "2") == []
    assert complete(tmp_path, "run", "--set", "record.schedule", "=") == ["linear", "log"]
    assert complete(tmp_path, "run", "-s", "optimizer.kind", "=", "ada") == ["adagrad", "adam"]
    assert complete(tmp_path, "run", "--set", "=", "loss", "=", "l") == ["logistic"]


def test_completion_of_networks(tmp_path):
    nets = re.findall(r"^model.kind (\S+):", run(["run", "--keys", "fc"]).stdout, re.M)
    assert nets == ["fc"]
    for option in ["--keys", "--variables"]:
        offered = complete(tmp_path, "run", option, "")
        assert {"gcnn", "cnn", "fc", "fc-relu"} <= set(offered)
        assert complete(tmp_path, "run", option, "=", "fc") == ["fc", "fc-relu"]
        for name in offered:
            assert f"model.kind {name}:" in run(["run", "--keys", name]).stdout


@pytest.mark.parametrize("network, key, default", [
    ("egnn", "model.depth", "4; 7 for data.kind molecules"),
    ("egnn", "loss", "square; logistic for data.kind graphs; absolute for data.kind molecules"),
    ("egnn", "train.batch", "100; 1 for data.kind graphs"),
    ("gnn-points", "model.depth", "4"),  # molecules are not for it
    ("mlp", "loss", "softmax; square for data.kind curve, lasso"),
    ("unrolled", "loss", "square"),  # the network's own as well
])
def test_keys_tell_the_defaults_of_kinds_of_data(network, key, default):
    rows = tables.sections(network)["model.kind", network][1]
    assert [row[2] for row in rows if row[0] == key] == [default]


def test_data_tells_the_defaults_that_its_file_will_not_set(tmp_path):
    sweep = tmp_path / "s.yaml"
    sweep.write_text("model.kind: egnn\ndata: {kind: [graphs, nbody], samples: 2, validation: 0, test: 0}\n")
    told = [run(["data", sweep, "--run", r, "-o", tmp_path / f"{r}.nc"]).stderr for r in "01"]
    assert "data.kind graphs sets model.shrink: 0.001, loss: logistic, train.batch: 1;" in told[0]
    assert told[1] == ""


def test_plan_in_words(tmp_path):
    """One of a thing is one, and the comparison of stores tells the times that the plan has."""
    sweep = tmp_path / "s.yaml"
    sweep.write_text("group: S_4\nsteps: 100\n", encoding="utf-8")
    told = run(["plan", sweep]).stdout
    assert told.startswith("1 run on 1 rank, ") and "1 team of 1 rank, 1 run, " in told
    step = re.search(r"each, \S+ GB per rank, (\S+ \S+) a step", told).group(1)
    assert f"GB per rank and {step} a step, against" in told
    assert run(["plan", sweep, "--ranks", "2", "--set", "seed=0..1"]).stdout.startswith("2 runs on 2 ranks, ")


def test_questions_need_no_mpi():
    """On a node where MPI cannot start, the program says what it is and takes all the same."""
    broken = {"OMPI_MCA_btl": "none-such", "OMPI_MCA_pml": "none-such"}
    assert run(["run", "--dry-run", ROOT / "jobs/quick.yaml"], code=None, **broken).returncode != 0
    assert "phase" in run(["plan", ROOT / "jobs/quick.yaml"], **broken).stdout
    assert "order: 6" in run(["group", "S_3"], **broken).stdout
    for args in [["--help"], ["--version"], ["run", "--help"], ["run", "--keys"],
                 ["run", "--keys=fc"], ["run", "--variables", "fc"], ["fourier", "--help"]]:
        done = run(args, **broken)
        assert done.stdout and not done.stderr
    once = run(["run", "--keys"]).stdout
    assert run(["run", "--keys"], ranks=3).stdout == once


def test_installed_files(tmp_path):
    subprocess.run(["make", "-s", "-o", "all", "install", f"DESTDIR={tmp_path}", "PREFIX=/usr"],
                   cwd=ROOT, check=True, capture_output=True, timeout=30)
    share = tmp_path / "usr/share"
    assert os.access(tmp_path / "usr/bin/plancherel", os.X_OK)
    assert (share / "bash-completion/completions/plancherel").read_bytes() == \
        (ROOT / "jobs/plancherel.bash-completion").read_bytes()
    for folder in ["jobs", "jobs/paper"]:
        assert {f.name for f in (ROOT / folder).glob("*.yaml")} <= \
            {f.name for f in (share / "plancherel" / folder).iterdir()}
