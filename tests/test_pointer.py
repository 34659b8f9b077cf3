"""Pointer networks end to end: against PyTorch, files in and out, `plancherel data` and `apply`, what
is recorded, messages."""

import gzip
import subprocess
import sys

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run

TOLERANCE = 1e-9
STEPS = 20


def run(folder, name="s", **keys):
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["run", folder / f"{name}.yaml", "-q", "-o", folder / f"{name}.nc", "--overwrite"])
    return folder / f"{name}.nc"


def variables(path):
    with netCDF4.Dataset(path) as nc:
        return {k: np.asarray(v[:]) for k, v in nc.variables.items()}


def instances(path, output="output", length="length"):
    """[(points, output)] of a file of data, or of one that apply wrote."""
    v = variables(path)
    points = np.split(v["x"], np.cumsum(v["points"])[:-1])
    outputs = np.split(v[output][: v[length].sum()], np.cumsum(v[length])[:-1])
    return list(zip(points, outputs))


def data(folder, name="s", output="d.nc"):
    pl_run.run(["data", folder / f"{name}.yaml", "-o", folder / output, "--overwrite"])
    return folder / output


def weights(path, run_number=0):
    return path.parent / f"{path.name}.final" / f"run-{run_number:06d}.nc"


# ---- against PyTorch ----

CASES = {
    "lstm": dict(model=dict(width=7), data=dict(kind="sort", points="3..6")),
    "hull": dict(model=dict(width=6), data=dict(kind="hull", points="4..7")),
    "set": dict(model=dict(width=6, encoder="set", depth=2),
                data=dict(kind="tsp", points="3..6", canonical="geometry")),
    "seq2seq": dict(model=dict(width=5, attention="seq2seq"), data=dict(kind="tsp", points="3..5")),
    "none": dict(model=dict(width=5, attention="none"),
                 data=dict(kind="delaunay", points="4..5")),
}
OPTIMIZERS = {"sgd": dict(kind="gd", lr=.3), "adam": dict(kind="adam", lr=.01, epsilon_inside=False)}


def needs_qhull(kind):
    keys = pl_run.run(["run", "-", "--dry-run"], code=None, stdin=yaml.safe_dump(
        dict(model=dict(kind="pointer"), data=dict(kind=kind))))
    if keys.returncode and "needs qhull" in keys.stderr:
        pytest.skip("built without qhull")


@pytest.mark.parametrize("name", CASES)
def test_steps(tmp_path, name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no oracle")
    from torch_sequence import Pointer
    case = CASES[name]
    needs_qhull(case["data"]["kind"])
    keys = OPTIMIZERS["sgd" if name == "hull" else "adam"]
    common = dict(case, model=dict(case["model"], kind="pointer", init=dict(scale=.5)),
                  train=dict(batch=6, shuffle=False), record=dict(final=True, schedule="linear"))
    common["data"] = dict(case["data"], samples=23)
    start = run(tmp_path, "start", **common, steps=1, optimizer=dict(kind="gd", lr=1e-300))
    end = run(tmp_path, "end", **common, steps=STEPS, optimizer=keys)
    all_of = instances(data(tmp_path, "end"))
    samples = [(torch.tensor(x)[None], torch.tensor(c).long()[None]) for x, c in all_of]
    w = {k: torch.tensor(v) for k, v in variables(weights(start)).items()}
    model = Pointer(w, case["model"].get("encoder", "lstm"), case["model"].get("attention", "pointer"))
    steps = (torch.optim.SGD(model.trained(), lr=.3) if name == "hull"
             else torch.optim.Adam(model.trained(), lr=.01))
    losses, norms = [], []
    for t in range(STEPS + 1):
        at = t % 4 * 6  # batches of 6, 6, 6 and 5
        with torch.no_grad():
            losses.append(-np.mean([float(model.log_p(x, c)) for x, c in samples]))
        steps.zero_grad()
        batch = samples[at:at + 6]
        (-sum(model.log_p(x, c).sum() for x, c in batch) / len(batch)).backward()
        norms.append(float(sum((p.grad**2).sum() for p in model.trained())) ** .5)
        if t < STEPS:
            steps.step()
    v = variables(end)
    at = v["step"][0].astype(int)
    np.testing.assert_allclose(v["loss"][0], np.array(losses)[at], rtol=TOLERANCE)
    np.testing.assert_allclose(v["train_nll"][0], np.array(losses)[at], rtol=TOLERANCE)
    np.testing.assert_allclose(v["gradient_norm"][0], np.array(norms)[at], rtol=TOLERANCE)
    after = variables(weights(end))
    assert set(after) == set(model.weights())
    for key, value in model.weights().items():
        got = value.detach().numpy()
        assert np.abs(got - after[key]).max() <= TOLERANCE * max(1, np.abs(got).max()), key
    # log-probabilities of the outputs that the saved network decodes
    pl_run.run(["apply", weights(end), tmp_path / "d.nc", "-o", tmp_path / "p.nc"])
    said = variables(tmp_path / "p.nc")
    assert float(said["nll"]) == pytest.approx(losses[-1], rel=TOLERANCE)


@pytest.mark.parametrize("mask", [False, True])
def test_greedy(tmp_path, mask):
    """Decoding is PyTorch's argmax, symbol by symbol, and so is its probability."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no oracle")
    from torch_sequence import Pointer
    out = run(tmp_path, model=dict(kind="pointer", width=8, init=dict(scale=1.5)), steps=1,
              data=dict(kind="sort", points=5, samples=40), decode=dict(mask=mask),
              record=dict(final=True))
    pl_run.run(["apply", weights(out), data(tmp_path), "-o", tmp_path / "p.nc"], ranks=2)
    model = Pointer({k: torch.tensor(v) for k, v in variables(weights(out)).items()})
    log_p = variables(tmp_path / "p.nc")["log_probability"]
    broken = 0
    for (x, got), p in zip(instances(tmp_path / "p.nc"), log_p):
        x, symbols, total = torch.tensor(x)[None], [], 0
        while len(symbols) <= 5:
            seen = torch.tensor([symbols], dtype=torch.long).reshape(1, -1)
            logits = model.logits(x, seen)[0, -1].detach()
            if mask:
                logits[[0] * (len(symbols) < 5) + symbols] = -torch.inf
            step = torch.log_softmax(logits, 0)
            total += float(step.max())
            if int(step.argmax()) == 0:
                break
            symbols.append(int(step.argmax()))
        assert list(got) == symbols
        assert p == pytest.approx(total, abs=1e-9)
        broken += sorted(symbols) != [1, 2, 3, 4, 5]
    assert broken == 0 if mask else broken > 0
    assert float(variables(tmp_path / "p.nc")["invalid_rate"]) == pytest.approx(broken / 40)


def test_weights_from_pytorch(tmp_path):
    """Foreign weights come in by model.init.path, under the names of the page."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no oracle")
    import torch_sequence
    torch.manual_seed(3)
    shapes = torch_sequence.shapes(6, 1)
    model = torch_sequence.Pointer({k: torch.randn(s, dtype=torch.float64) * .5
                                    for k, s in shapes.items()})
    with netCDF4.Dataset(tmp_path / "mine.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        for key, value in model.weights().items():
            for k, n in enumerate(value.shape):
                nc.createDimension(f"{key}_{k}", n)
            nc.createVariable(key, "f8", [f"{key}_{k}" for k in (0, 1)])[:] = value.detach()
    out = run(tmp_path, steps=1, data=dict(kind="sort", points=6, samples=9),
              model=dict(kind="pointer", width=6,
                         init=dict(kind="file", path=str(tmp_path / "mine.nc"))))
    want = np.mean([float(-model.log_p(torch.tensor(x)[None], torch.tensor(c).long()[None]))
                    for x, c in instances(data(tmp_path))])
    assert float(variables(out)["loss"][0, 0]) == pytest.approx(want, rel=1e-12)


# ---- files ----


def convert(*args):
    script = pl_run.ROOT / "analysis" / "convert.py"
    return subprocess.run([sys.executable, str(script), "pointer", *map(str, args)],
                          capture_output=True, text=True)


def test_published_format(tmp_path):
    """Out of our files and back; packed ones, too; x1 y1 .. output i1 .. with the closing symbol."""
    needs_qhull("hull")
    run(tmp_path, model=dict(kind="pointer", width=4), steps=1, decode=dict(mask=False),
        data=dict(kind="hull", points="4..8", samples=7, validation=2, test=3))
    d = data(tmp_path)
    assert convert(d, "-o", tmp_path / "h.txt").returncode == 0
    lines = (tmp_path / "h.txt").read_text().splitlines()
    assert len(lines) == 12
    for line, (x, c) in zip(lines, instances(d)):
        left, right = line.split(" output ")
        assert np.array_equal(np.array(left.split(), float).reshape(-1, 2), x)
        assert list(map(int, right.split())) == list(c) and c[0] == c[-1] == min(c)
    (tmp_path / "h.txt.gz").write_bytes(gzip.compress((tmp_path / "h.txt").read_bytes()))
    done = convert(tmp_path / "h.txt.gz", "-o", tmp_path / "back.nc", "--task", "hull", "--part",
                   "test")
    assert done.returncode == 0, done.stderr
    a, b = variables(d), variables(tmp_path / "back.nc")
    assert all(np.array_equal(a[k], b[k]) for k in ("x", "points", "output", "length"))
    assert (b["split"] == 2).all()


@pytest.mark.parametrize("line, says", [
    ("0.1 0.2 0.3 output 1 2 1", "pairs"), ("0.1 0.2 0.3 0.4 0.5 0.6 1 2", "output"),
    ("0.1 0.2 0.3 0.4 0.5 0.6 output 1 2 7", "7"), ("0.1 0.2 x 0.4 output 1", "x")])
def test_bad_lines(tmp_path, line, says):
    (tmp_path / "t.txt").write_text(f"0 0 1 0 0 1 output 1 2 3 1\n{line}\n")
    done = convert(tmp_path / "t.txt", "-o", tmp_path / "t.nc", "--task", "hull")
    assert done.returncode == 2 and says in done.stderr and "t.txt:2" in done.stderr
    assert not (tmp_path / "t.nc").exists()


def test_file_trains_the_same(tmp_path):
    """The written samples of a run make the same run."""
    keys = dict(model=dict(kind="pointer", width=6), steps=8, train=dict(batch=5),
                optimizer=dict(lr=.2))
    a = run(tmp_path, "a", **keys, data=dict(kind="tsp", points="3..6", samples=12, validation=3,
                                             test=2, test_points=[4, 6, 9]))
    d = data(tmp_path, "a")
    b = run(tmp_path, "b", **keys, data=dict(kind="file", path=str(d)))
    a, b = variables(a), variables(b)
    for name in ("loss", "nll", "exact_accuracy", "tour_ratio", "invalid_rate", "validation_nll",
                 "test_exact_accuracy"):
        np.testing.assert_array_equal(a[name], b[name])
    assert list(b["size"]) == [4, 6, 9]


def test_file_says_what_is_optimal(tmp_path):
    keys = dict(model=dict(kind="pointer", width=4), steps=1)
    run(tmp_path, "a", **keys, data=dict(kind="tsp", points=5, samples=3, test=2, test_points=[5, 6, 14]))
    d = data(tmp_path, "a")
    with netCDF4.Dataset(d, "a") as nc:
        assert list(nc["optimal"][3:]) == [1, 1, 1, 1, 0, 0]
        nc["optimal"][4] = 0
    b = run(tmp_path, "b", **keys, data=dict(kind="file", path=str(d)))
    assert list(variables(b)["size_optimal"]) == [0, 1, 0]
    assert list(variables(data(tmp_path, "b", "again.nc"))["optimal"][3:]) == [1, 0, 1, 1, 0, 0]


def test_bad_files(tmp_path):
    run(tmp_path, model=dict(kind="pointer", width=4), steps=1,
        data=dict(kind="sort", points=4, samples=5))

    def refused(says, change):
        d = data(tmp_path)
        with netCDF4.Dataset(d, "a") as nc:
            change(nc)
        text = yaml.safe_dump(dict(model=dict(kind="pointer"), data=dict(kind="file", path=str(d))))
        done = pl_run.run(["run", "-", "--dry-run"], code=None, stdin=text)
        assert done.returncode == 2 and says in done.stderr and "d.nc" in done.stderr, done.stderr

    def assign(name, index, value):
        def change(nc):
            nc[name][index] = value
        return change
    refused("expected a point", assign("output", 3, 9))
    refused("adds up to", assign("points", 1, 3))
    refused("length", assign("length", 0, 40))
    refused("split[2]", assign("split", 2, 5))
    refused("optimal[1]", assign("optimal", 1, 7))
    refused("nowhere 0", assign("split", slice(None), 2))
    refused("task", lambda nc: nc.setncattr("task", "knapsack"))
    refused("no variable output", lambda nc: nc.renameVariable("output", "unused"))


def test_apply_without_outputs(tmp_path):
    """Where scores overflow there is no output, and no probability of one."""
    out = run(tmp_path, model=dict(kind="pointer", width=5, init=dict(scale=50)), steps=3,
              record=dict(final=True), data=dict(kind="tsp", points=5, samples=6))
    d = data(tmp_path)
    with netCDF4.Dataset(d, "a") as nc:
        nc.renameVariable("output", "unused")
        nc["x"][:5] = 1e308  # the first instance
    pl_run.run(["apply", weights(out), d, "-o", tmp_path / "p.nc"])
    v = variables(tmp_path / "p.nc")
    assert "nll" not in v and "right_output" not in v
    assert v["length"][0] == 0 and (np.isnan(v["log_probability"]) == (v["length"] == 0)).all()
    for _, c in instances(tmp_path / "p.nc")[1:]:
        assert sorted(c[:-1]) == [1, 2, 3, 4, 5] and c[0] == c[-1]


# ---- data ----


def test_sizes(tmp_path):
    """Sizes of training instances over the whole range; data.test of every test size; the same test
    instances whatever other sizes are tested; labels say what is optimal."""
    base = dict(model=dict(kind="pointer", width=4), steps=1)
    out = run(tmp_path, **base, data=dict(kind="tsp", points="3..7", samples=60, test=2,
                                          test_points=[5, 14]))
    v = variables(data(tmp_path))
    assert set(v["points"][:60]) == set(range(3, 8))
    assert list(v["points"][60:]) == [5, 5, 14, 14]
    assert list(v["optimal"][60:]) == [1, 1, 0, 0]
    assert list(variables(out)["size_optimal"]) == [1, 0]
    run(tmp_path, "t", **base, data=dict(kind="tsp", points="3..7", samples=60, test=2,
                                         test_points=[14]))
    again = variables(data(tmp_path, "t", "t.nc"))
    np.testing.assert_array_equal(again["x"][-28:], v["x"][-28:])


def test_a_million_instances_take_no_memory(tmp_path):
    """Ten instances or a million: the same memory, but for their order (8 bytes each)."""
    peak = {}
    for samples in (10, 10**6):
        text = yaml.safe_dump(dict(
            model=dict(kind="pointer", width=8), steps=3, train=dict(batch=8),
            data=dict(kind="sort", points=10, samples=samples), record=dict(sample=10, points=2)))
        (tmp_path / "m.yaml").write_text(text)
        code = ("import resource, subprocess, sys; r = subprocess.run(sys.argv[1:]); "
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(r.returncode)")
        done = subprocess.run([sys.executable, "-c", code, pl_run.BINARY, "run",
                               str(tmp_path / "m.yaml"), "-q", "-o", str(tmp_path / f"{samples}.nc")],
                              capture_output=True, text=True, check=True, env=pl_run.environment())
        peak[samples] = int(done.stdout.split()[-1])
    assert peak[10**6] - peak[10] < 40_000  # kB; the points alone would be 80 MB


@pytest.mark.parametrize("change, says", [
    (dict(data__points="10..5"), "data.points"), (dict(data__points="many"), "data.points"),
    (dict(data__points=1), "data.points"), (dict(data__test_points=[9, 5]), "data.test_points"),
    (dict(data__kind="sort", data__canonical="index"), "data.canonical"),
    (dict(decode__beam=3), "decode.beam"), (dict(model__depth=3), "model.depth")])
def test_bad_keys(change, says):
    keys = {"model.kind": "pointer", "data.kind": "tsp"}
    keys |= {k.replace("__", "."): v for k, v in change.items()}
    done = pl_run.run(["run", "-", "--dry-run"], code=None, stdin=yaml.safe_dump(keys))
    assert done.returncode == 2 and says in done.stderr, done.stderr


# ---- what is recorded ----


def test_beyond_the_places(tmp_path):
    """A softmax over fixed places says nothing of more points than in training; a pointer does."""
    for attention, there in (("pointer", True), ("seq2seq", False), ("none", False)):
        out = run(tmp_path, model=dict(kind="pointer", width=4, attention=attention), steps=2,
                  data=dict(kind="sort", points="3..5", samples=9, test=4, test_points=[4, 5, 7]))
        with netCDF4.Dataset(out) as nc:
            nll = np.ma.filled(nc["nll"][0], np.nan)
        assert np.isfinite(nll[:, :2]).all() and np.isfinite(nll[:, 2]).all() == there


def test_sorting_is_learnt(tmp_path):
    """Three numbers are sorted nearly always; the policy's energy leaves the trivial irrep, and with
    the set encoder no relabelling matters."""
    out = run(tmp_path, model=dict(kind="pointer", width=24, encoder="set", depth=2), steps=600,
              data=dict(kind="sort", points=3, samples=5000, test=200),
              train=dict(batch=32), optimizer=dict(kind="adam", lr=.01, epsilon_inside=False),
              record=dict(points=2, schedule="linear"))
    v = variables(out)
    assert v["exact_accuracy"][0, -1, 0] > .9
    assert v["relabel_violation"][0].max() < 1e-12
    np.testing.assert_allclose(v["policy_energy"][0].sum(1), 1, rtol=1e-9)
    trivial = [str(k) for k in v["irrep_label"]].index("3")
    assert v["policy_energy"][0, 0, trivial] > .9 > .4 > v["policy_energy"][0, -1, trivial]


def test_picture(tmp_path):
    """Solved instances are drawn."""
    out = run(tmp_path, model=dict(kind="pointer", width=4), steps=1, record=dict(final=True),
              data=dict(kind="tsp", points="4..6", samples=5))
    pl_run.run(["apply", weights(out), data(tmp_path), "-o", tmp_path / "p.nc"])
    plot = [sys.executable, str(pl_run.ROOT / "analysis" / "plot.py"), "--kind", "tours", "-o"]
    subprocess.run([*plot, tmp_path / "p.png", tmp_path / "p.nc"], check=True)
    assert (tmp_path / "p.png").stat().st_size > 5000
    done = subprocess.run([*plot, tmp_path / "q.png", out], capture_output=True, text=True)
    assert done.returncode == 2 and "no file of instances" in done.stderr
