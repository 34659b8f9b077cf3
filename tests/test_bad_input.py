"""Bad input and bad surroundings: exit codes, and messages that name the place and what was
expected."""

import os
import subprocess

import netCDF4
import numpy as np
import pytest
import xarray

import pl_run

BAD_INPUT, ENVIRONMENT, UNFINISHED = 2, 3, 1
DONE, DIVERGED = 2, 3


def write_file(path, elements=6, samples=4, leave_out=(), put=()):
    """x(sample, element) and y(sample), all right for S_3 but for what is put in or left out."""
    values = {"x": np.ones((samples, elements)), "y": np.array([1.0, -1.0] * (samples // 2))}
    for name, index, value in put:
        values[name][index] = value
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.createDimension("sample", samples)
        nc.createDimension("element", elements)
        for name in set(values) - set(leave_out):
            dims = ("sample", "element")[:values[name].ndim]
            nc.createVariable(name, "f8", dims)[:] = values[name]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("bad")
    write_file(path / "five.nc", elements=5)
    write_file(path / "label.nc", put=[("y", 1, 2)])
    write_file(path / "zero_label.nc", put=[("y", 2, 0)])
    write_file(path / "nan.nc", put=[("x", (1, 2), np.nan)])
    write_file(path / "inf.nc", put=[("x", (3, 0), -np.inf)])
    write_file(path / "zero.nc", put=[("x", 3, 0)])
    write_file(path / "no_x.nc", leave_out=["x"])
    write_file(path / "no_y.nc", leave_out=["y"])
    (path / "text.nc").write_text("These are my samples.\n")
    with netCDF4.Dataset(path / "w2.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.createDimension("layer", 2)
        nc.createDimension("element", 6)
        nc.createVariable("w", "f8", ("layer", "element"))[:] = 1
    return path


def file_data(name):
    return f"data:\n  kind: file\n  path: {name}\n"


# What follows "group: S_3" and "steps: 10" (lines 1 and 2), further arguments, and what the message
# says.
BAD = {
    "misspelt key": ("model.dpeth: 3", "bad.yaml:3", "model.dpeth", "model.depth"),
    "wrong type": ("optimizer.lr: fast", "bad.yaml:3: optimizer.lr", "a number > 0", "fast"),
    "mapping for a number": ("model.depth: {a: 3}", "bad.yaml:3: model.depth", "a mapping"),
    "empty list": ("model.depth: []", "bad.yaml:3: model.depth", "at least one value"),
    "depth 1": ("model.depth: 1", "bad.yaml:3: model.depth", "from 2 to 16", "got 1"),
    "depth 17": ("seed: 1\nmodel.depth: [3, 17]", "bad.yaml:4: model.depth", "got 17"),
    "no learning rate": ("optimizer.lr: 0", "bad.yaml:3: optimizer.lr", "> 0"),
    "learning rate nan": ("optimizer.lr: .nan", "bad.yaml:3: optimizer.lr", "> 0"),
    "no samples": ("data.samples: 0", "bad.yaml:3: data.samples", "from 1"),
    "unknown word": ("loss: hinge", "bad.yaml:3: loss", "exponential, logistic", "hinge"),
    "unequal zip": ("zip: [[seed, model.depth]]\nseed: [1, 2]\nmodel.depth: [2, 3, 4]",
                    "bad.yaml:3: zip", "length 3", "length 2"),
    "zip of an unknown key": ("zip: [[seed, depth]]\nseed: [1, 2]", "bad.yaml:3: zip", "depth"),
    "given twice": ("steps: 3", "bad.yaml:3: steps", "line 2"),
    "range that falls": ("seed: 5..3", "bad.yaml:3: seed", "ascends"),
    "not YAML": ("model.depth: [3", "bad.yaml:", "line 3"),
    "records that fall": ("record.steps: [5, 3]", "bad.yaml:3: record.steps", "ascending"),
    "record past the end": ("record.steps: [0, 50]", "bad.yaml:3: record.steps", "50", "10"),
    "too many nonzeros": ("data.kind: sparse\ndata.nonzeros: 7", "bad.yaml:4: data.nonzeros",
                          "order 6"),
    "no irreps": ("data.kind: irrep", "bad.yaml:3", "data.irreps"),
    "unknown irrep": ("data.kind: irrep\ndata.irreps: ['4,1']", "bad.yaml:4: data.irreps", "4,1",
                      '"2,1"'),
    "more samples than matrix elements": (
        "data.kind: irrep\ndata.irreps: ['2,1']\ndata.samples: 5", "bad.yaml:5: data.samples", "4"),
    "no data path": ("data.kind: file", "bad.yaml:3", "data.path"),
    "data of another group": (file_data("five.nc"), "bad.yaml:5: data.path: five.nc",
                              "element = 5", "the order of S_3"),
    "label 2": (file_data("label.nc"), "data.path: label.nc", "y[1] is 2", "1 or -1"),
    "label 0": (file_data("zero_label.nc"), "data.path: zero_label.nc", "y[2] is 0", "1 or -1"),
    "NaN in data": (file_data("nan.nc"), "data.path: nan.nc", "x[1, 2] is not a number"),
    "infinity in data": (file_data("inf.nc"), "data.path: inf.nc", "x[3, 0]", "finite"),
    "a sample of zeros": (file_data("zero.nc"), "data.path: zero.nc", "x[3, :]", "zero"),
    "no variable x": (file_data("no_x.nc"), "data.path: no_x.nc", "x(sample = 4, element = 6"),
    "no variable y": (file_data("no_y.nc"), "data.path: no_y.nc", "y(sample = 4)"),
    "not NetCDF": (file_data("text.nc"), "data.path: text.nc", "NetCDF"),
    "no such file": (file_data("none.nc"), "data.path: none.nc", "No such file"),
    "a folder for data": (file_data("."), "data.path: .", "not a regular file"),
    "filters of another depth": ("model: {depth: 3, init: {kind: file, path: w2.nc}}",
                                 "bad.yaml:3: model.init.path: w2.nc", "layer = 2", "layer = 3"),
    "no filters in the file": ("model.init: {kind: file, path: no_x.nc}",
                               "model.init.path: no_x.nc", "w(layer = 3, element = 6"),
    "a bad value in one run of many": ("model.depth: [2, 3]\ndata.kind: file\n"
                                       "data.path: [nan.nc, five.nc]", "bad.yaml:5: data.path"),
}


def fails(folder, text, *words, code=BAD_INPUT, ranks=1, args=()):
    """The run fails as it should and leaves no output; the message, printed once, has the words."""
    (folder / "bad.yaml").write_text(text)
    done = pl_run.run(["run", "bad.yaml", "--quiet", "-o", "out.nc", *args], ranks, timeout=30,
                      code=code, cwd=folder)
    for word in words:
        assert word in done.stderr, done.stderr
    assert done.stderr.count("plancherel: error:") == 1, done.stderr
    assert done.stdout == "" or ranks > 1
    assert not (folder / "out.nc").exists()


@pytest.mark.parametrize("name", BAD)
def test_bad_sweep(name, folder):
    text, *words = BAD[name]
    fails(folder, f"group: S_3\nsteps: 10\n{text}\n", *words)


@pytest.mark.parametrize("name", ["misspelt key", "NaN in data", "filters of another depth"])
def test_bad_sweep_on_three_ranks(name, folder):
    text, *words = BAD[name]
    fails(folder, f"group: S_3\nsteps: 10\n{text}\n", *words, ranks=3)


@pytest.mark.parametrize("group, words", [
    ("S_3 x T_4", ["bad.yaml:1: group", '"T_4"', "nearest: ", "S_4"]),
    ("S_3 y S_2", ["bad.yaml:1: group", 'expected "x"']),
    ("S_3 x", ["bad.yaml:1: group", 'after the last "x"']),
    ("S_99", ["bad.yaml:1: group", '"S_99" is out of range']),
    ("C_99999999999999999999", ["bad.yaml:1: group", "out of range"]),
    ("[S_3, D_x]", ["bad.yaml:1: group", '"D_x"']),
])
def test_bad_group(group, words, folder):
    fails(folder, f"group: {group}\n", *words)


@pytest.mark.parametrize("text, words", [
    ("", ["bad.yaml", "no value"]),
    ("- group\n- S_3\n", ["bad.yaml"]),
    ("steps: 3\n", ["bad.yaml: group", "required"]),
    ("group: S_10\nrecord.beta: true\n", ["bad.yaml:2: record.beta", "3628800", "10^6"]),
    ("group: S_3\n\0", ["bad.yaml"]),
    ("group: S_3\nseed: !!binary NQ==\n", ["bad.yaml:2", "tag", "binary"]),
    ("group: S_3\nseed: [1, !mine 5]\n", ["bad.yaml:2", "!mine"]),
    ("group: S_3\nloss: !!str null\n", ["bad.yaml:2: loss", "exponential"]),
    ("model.kind: tensor\nmodel.output: equivariant\ndata.sizes: []\n", ["bad.yaml:3: data.sizes", "one size"]),
    ("group: S_3\nmodel.kind: meta\ndata: {kind: group, irreps: []}\n", ["bad.yaml:3: data.irreps", "one irrep"]),
    ("group: S_3\ndata: {kind: irrep, irreps: []}\n", ["bad.yaml:2: data.irreps", "label"]),
])
def test_bad_file(text, words, folder):
    fails(folder, text, *words)


def test_bad_arguments(folder):
    good = "group: S_3\nsteps: 10\n"
    fails(folder, good, "--set model.depth", "from 2 to 16", args=["--set", "model.depth=1"])
    fails(folder, good, "--set nonsense", "key.path=value", args=["--set", "nonsense"])
    done = pl_run.run(["run", "absent.yaml"], code=BAD_INPUT, cwd=folder)
    assert "absent.yaml: No such file" in done.stderr


@pytest.mark.parametrize("ranks", [1, 3])
def test_too_large_for_memory(ranks, folder):
    fails(folder, "group: S_12\n", "S_12, gcnn, depth 3) needs", "GB per rank", f"have {ranks}", code=ENVIRONMENT,
          ranks=ranks, args=["--memory-per-rank", "1G"])


def test_too_many_irreps(folder):
    """Told at once: a plan that went through them would take an hour."""
    for kind in ("gcnn", "residual"):
        fails(folder, f"model.kind: {kind}\ngroup: C_1000 x C_1000 x C_1000\n", "bad.yaml:2: group",
              "500000004 irreps; at most 10000000")


# ---- output ----


@pytest.mark.parametrize("ranks", [1, 3])
def test_output_that_cannot_be_written(ranks, folder):
    good = "group: S_3\nsteps: 10\n"
    for path, why in (("absent/out.nc", "No such file"), (".", "Is a directory")):
        fails(folder, good, path, why, code=ENVIRONMENT, ranks=ranks,
              args=["--overwrite", "-o", path])


def test_read_only_folder(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root writes where it likes")
    tmp_path.chmod(0o555)
    (sweep := tmp_path.parent / "sweep.yaml").write_text("group: S_3\nsteps: 10\n")
    done = pl_run.run(["run", sweep, "-o", tmp_path / "out.nc"], code=ENVIRONMENT)
    assert "Permission denied" in done.stderr


def test_existing_output(tmp_path):
    (tmp_path / "sweep.yaml").write_text("group: S_3\nsteps: 10\n")
    (tmp_path / "out.nc").write_text("precious")
    args = ["run", "sweep.yaml", "-q", "-o", "out.nc"]
    for ranks in (1, 3):
        done = pl_run.run(args, ranks, code=BAD_INPUT, cwd=tmp_path)
        assert done.stderr.count("out.nc: exists already; use --resume to go on with it, --overwrite") == 1
        assert (tmp_path / "out.nc").read_text() == "precious"
    pl_run.run([*args, "--overwrite"], cwd=tmp_path)
    with xarray.open_dataset(tmp_path / "out.nc") as ds:
        assert ds.status.values.tolist() == [DONE]


@pytest.fixture
def small_disk(tmp_path):
    path = tmp_path / "disk"
    path.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "plancherel-test", path],
                           capture_output=True, text=True)
    if mount.returncode:
        pytest.skip(f"no small disk to fill: {mount.stderr.strip()}")
    yield path
    subprocess.run(["umount", path], check=True)


@pytest.mark.parametrize("ranks", [1, 3])
def test_full_disk(ranks, small_disk, tmp_path):
    """The output has its full size from the start, so a disk too small for it shows there."""
    (tmp_path / "sweep.yaml").write_text("group: S_3\nsteps: 1000\nseed: 0..99\n")
    done = pl_run.run(["run", "sweep.yaml", "-q", "-o", small_disk / "out.nc"], ranks,
                      code=ENVIRONMENT, cwd=tmp_path)
    assert "out.nc" in done.stderr and "No space left" in done.stderr
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("ranks", [1, 3])
def test_disk_full_for_final_filters(ranks, small_disk, tmp_path):
    """The output fits, the final filters do not: those runs fail, their records stay, and there is
    no file of filters that is not whole."""
    (tmp_path / "sweep.yaml").write_text(
        "group: S_6\nsteps: 2\nseed: 0..19\nrecord: {final: true, points: 2, irreps: false}\n")
    done = pl_run.run(["run", "sweep.yaml", "-q", "-o", small_disk / "out.nc"], ranks,
                      code=UNFINISHED, cwd=tmp_path)
    assert "No space left" in done.stderr and "final/run-" in done.stderr
    with xarray.open_dataset(small_disk / "out.nc") as ds:
        done = np.flatnonzero(ds.status == DONE)
        assert 0 < len(done) < 20
        files = sorted(f.name for f in (small_disk / "out.nc.final").iterdir())
        assert files == [f"run-{r:06d}.nc" for r in done]
        assert np.isfinite(ds.loss.values).all()


# ---- runs that fail by their numbers ----


@pytest.mark.parametrize("ranks", [1, 3])
def test_diverged(ranks, tmp_path):
    """Overflow ends a run, not the sweep; the records up to there stay."""
    (tmp_path / "sweep.yaml").write_text(
        "group: S_3\nsteps: 50\nmapping.team: 1\nrecord.steps: [0, 1, 2, 3, 50]\n"
        "optimizer.lr: [0.1, 1e200, 0.2, 20]\n")
    done = pl_run.run(["run", "sweep.yaml", "-q", "-o", "out.nc"], ranks, code=UNFINISHED,
                      cwd=tmp_path)
    assert "run 1 diverged at step 1" in done.stderr and "2 of 4 runs" in done.stderr
    with xarray.open_dataset(tmp_path / "out.nc") as ds:
        ds.load()
    assert ds.status.values.tolist() == [DONE, DIVERGED, DONE, DIVERGED]
    ended = ds.steps_done.values
    assert ended[0] == ended[2] == 50 and ended[1] == 1 and 1 < ended[3] < 50
    for r in range(4):
        steps = [t for t in (0, 1, 2, 3, 50) if t < ended[r] or ended[r] == t == 50]
        got = ds.isel(run=r)
        assert got.step.values[:len(steps)].tolist() == steps
        for name in ("loss", "sample_margin", "schatten_thresholded", "tightness", "step"):
            assert np.isfinite(got[name].values[:len(steps)]).all(), (r, name)
            assert np.isnan(got[name].values[len(steps):]).all(), (r, name)
