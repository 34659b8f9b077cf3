"""NetCDF input that opens and yet is not what it should be: variables missing, of another type or
shape, dimensions beyond all memory.  Every command says which file and what is wrong with it, and
ends; nothing it was given is changed."""

import shutil
from pathlib import Path

import netCDF4
import numpy as np
import pytest

import pl_run
from test_resume import LONG, SWEEP, assert_same, stopped_run

BAD_INPUT, ENVIRONMENT = 2, 3
ABSURD = 2**40
CLASSIC = "NETCDF3_64BIT_DATA"
LABELS = [1.0, -1.0, 1.0, -1.0]


def write(path, dims, variables, form=CLASSIC):
    """variables: name -> (type, dimensions, values or None)."""
    with netCDF4.Dataset(path, "w", format=form) as f:
        for name, size in dims.items():
            f.createDimension(name, size)
        for name, (kind, on, values) in variables.items():
            v = f.createVariable(name, kind, on)
            if values is not None:
                v[:] = values


# ---- data and filters ----

SIZES = {"sample": 4, "layer": 3, "element": 6}
X, Y = ("f8", ("sample", "element"), 1), ("f8", ("sample",), LABELS)

DATA = {
    "x of text": ({}, {"x": ("S1", ("sample", "element"), b"a"), "y": Y},
     "expected numbers x(sample = 4"),
    "x without samples": ({}, {"x": ("f8", ("element",), 1), "y": Y},
     "expected numbers x(sample = 4"),
    "x transposed": ({}, {"x": ("f8", ("element", "sample"), 1), "y": Y}, "= 6, the order of S_3"),
    "y of text": ({}, {"x": X, "y": ("S1", ("sample",), b"a")}, "expected numbers y(sample"),
    "y of two dimensions": ({}, {"x": X, "y": ("f8", ("sample", "element"), 1)}, "expected numbers y(sample"),
    "y longer than x": ({"other": 5}, {"x": X, "y": ("f8", ("other",), 1)}, "expected numbers y(sample = 4"),
    "no samples": ({"sample": None}, {"x": (*X[:2], None), "y": (*Y[:2], None)}, "no samples"),
    "groups of a size beyond memory": ({"element": ABSURD}, {"x": (*X[:2], None), "y": Y},
                                       "= 6, the order of S_3"),
    "samples beyond memory": ({"sample": ABSURD}, {"x": (*X[:2], None), "y": (*Y[:2], None)},
                              "x[0, 0] is missing"),
}
W = ("f8", ("layer", "element"), None)
FILTERS = {
    "w of text": ({}, {"w": ("S1", ("layer", "element"), b"a")}, "expected numbers w(layer"),
    "w of one dimension": ({}, {"w": ("f8", ("element",), 1)}, "expected numbers w(layer"),
    "w not finite": ({}, {"w": (*W[:2], np.nan)}, "w[0, 0]"),
    "w of another group": ({"element": 5}, {"w": (*W[:2], 1)}, "= 6, the order of S_3"),
    "w beyond memory": ({"element": ABSURD}, {"w": W}, "= 6, the order of S_3"),
    "layers beyond memory": ({"layer": ABSURD}, {"w": W}, "w(layer = 3"),
}


@pytest.mark.parametrize("key, table, name", [
    *(("data", DATA, name) for name in DATA), *(("model.init", FILTERS, name) for name in FILTERS)])
def test_bad_arrays(key, table, name, tmp_path):
    dims, variables, words = table[name]
    absurd = ABSURD in dims.values()
    write(tmp_path / "in.nc", {**SIZES, **dims}, variables, "NETCDF4" if absurd else CLASSIC)
    (tmp_path / "s.yaml").write_text(
        f"group: S_3\nsteps: 10\n{key}:\n  kind: file\n  path: in.nc\n")
    done = pl_run.run(["run", "s.yaml", "-q", "-o", "out.nc"], timeout=30, cwd=tmp_path,
                      code=ENVIRONMENT if words == "memory" else BAD_INPUT)
    assert words in done.stderr
    assert words == "memory" or f"{key}.path: in.nc" in done.stderr
    assert not (tmp_path / "out.nc").exists()


@pytest.mark.parametrize("size", [2**33, 2**40, 2**62, 2**63 - 1, 2**64 - 1])
@pytest.mark.parametrize("name, was", [(b"sample\0\0", 4), (b"element\0", 6)])
def test_header_with_absurd_sizes(name, was, size, tmp_path):
    """Of a small classic file, in which no library would write them."""
    write(tmp_path / "in.nc", SIZES, {"x": X, "y": Y})
    data = (tmp_path / "in.nc").read_bytes()
    changed = data.replace(name + was.to_bytes(8, "big"), name + size.to_bytes(8, "big"))
    assert changed != data
    (tmp_path / "in.nc").write_bytes(changed)
    (tmp_path / "s.yaml").write_text("group: S_3\nsteps: 10\ndata: {kind: file, path: in.nc}\n")
    done = pl_run.run(["run", "s.yaml", "-q", "-o", "out.nc"], timeout=30, cwd=tmp_path, code=None)
    assert done.returncode in (BAD_INPUT, ENVIRONMENT), done.stderr
    assert ("error:" in done.stderr and "in.nc" in done.stderr) or "out of memory" in done.stderr


# ---- outputs ----


def copy(source, target, drop=(), kinds={}, dims={}, no_attributes=False):
    """A copy of a NetCDF file with variables left out, of other types, or dimensions of other
    sizes (then without values)."""
    with netCDF4.Dataset(source) as a:
        a.set_auto_mask(False)
        a.set_auto_chartostring(False)
        new = any(size >= ABSURD or not size for size in dims.values())  # 0: unlimited, empty
        with netCDF4.Dataset(target, "w", format="NETCDF4" if new else a.data_model) as b:
            for name, d in a.dimensions.items():
                b.createDimension(name, dims.get(name, len(d)))
            for name, v in a.variables.items():
                if name in drop:
                    continue
                w = b.createVariable(name, kinds.get(name, v.dtype), v.dimensions)
                w.set_auto_chartostring(False)
                if not dims:
                    w[...] = v[...] if name not in kinds else b"q"
            if not no_attributes:
                b.setncatts({k: a.getncattr(k) for k in a.ncattrs()})


NAMED = ["status", "step", "loss", "steps_done", "irrep_schatten"]
DAMAGE = {
    **{f"without {name}": {"drop": [name]} for name in NAMED},
    **{f"{name} of text": {"kinds": {name: "S1"}} for name in NAMED},
    **{f"{name} beyond memory": {"dims": {name: ABSURD}}
       for name in ("run", "record", "irrep", "sample")},
    "no records": {"dims": {"record": 0}},
    "fewer records": {"dims": {"record": 3}},
    "more runs": {"dims": {"run": 7}},
    "without attributes": {"no_attributes": True},
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    (folder / "s.yaml").write_text("group: S_3\nsteps: 10\nseed: [0, 1]\n")
    pl_run.run("run s.yaml -q -o whole.nc", cwd=folder)
    for i in (0, 1):
        pl_run.run(f"run s.yaml -q -o part{i}.nc --shard {i}/2", cwd=folder)
    return folder


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_outputs_are_refused(name, outputs, tmp_path):
    copy(outputs / "whole.nc", tmp_path / "whole.nc", **DAMAGE[name])
    copy(outputs / "part0.nc", tmp_path / "part0.nc", **DAMAGE[name])
    shutil.copy(outputs / "part1.nc", tmp_path)
    shutil.copy(outputs / "s.yaml", tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    for command, named in (("run s.yaml -q --resume -o whole.nc", "whole.nc"),
                           ("merge part0.nc part1.nc -o all.nc", "part0.nc")):
        done = pl_run.run(command, timeout=30, cwd=tmp_path, code=None)
        said = done.stderr
        if "memory" in name and done.returncode == ENVIRONMENT:
            assert "out of memory" in said
        else:
            assert done.returncode == BAD_INPUT and said.count("error:") == 1 and named in said, said
    # What only reads shows what is there, or says what is not.
    for command in ("status whole.nc", "pack whole.nc -o packed.nc"):
        if "memory" in name and "pack" in command:
            continue  # nothing but zeros, and terabytes of them
        done = pl_run.run(command, timeout=30, cwd=tmp_path, code=None)
        assert done.returncode in (0, BAD_INPUT, ENVIRONMENT), done.stderr
        assert bool(done.stderr) == (done.returncode != 0), done.stderr
    (tmp_path / "packed.nc").unlink(missing_ok=True)
    # A lock outlives a process that ends for want of memory, and is then taken over.
    assert {p.name: p.read_bytes() for p in tmp_path.glob("*[!k]")} == before


# ---- checkpoints ----


def test_foreign_and_damaged_checkpoints_are_not_used(tmp_path):
    """Of the two checkpoints of a run neither is one: it starts again, and says why."""
    (tmp_path / "s.yaml").write_text(SWEEP)
    whole, out = tmp_path / "whole.nc", tmp_path / "out.nc"
    pl_run.run(["run", tmp_path / "s.yaml", "-q", *LONG, "-o", whole])
    newer = stopped_run(tmp_path / "s.yaml", out)
    sound, stopped = tmp_path / "sound.nc", tmp_path / "stopped.nc"
    shutil.copy(newer, sound)
    shutil.copy(out, stopped)
    with netCDF4.Dataset(sound) as f:
        arrays = [n for n, v in f.variables.items() if v.ndim == 1]
        dims = list(f.dimensions)
    damage = [{"drop": ["digest"]}, {"drop": ["checksum"]}, {"kinds": {arrays[0]: "S1"}},
              {"dims": {dims[0]: ABSURD}}, {"dims": {dims[-1]: 1}}, {"no_attributes": True}, None]
    for first, second in zip(damage[::2], damage[1::2] + damage[:1]):
        shutil.copy(stopped, out)
        newer.parent.mkdir(exist_ok=True)
        for path, how in ((newer, first), (Path(f"{newer}.previous"), second)):
            if how is None:
                shutil.copy(whole, path)
            else:
                copy(sound, path, **how)
        done = pl_run.run(["run", tmp_path / "s.yaml", *LONG, "--resume", "-o", out])
        assert done.stderr.count("checkpoint not used") == 2, done.stderr
        assert_same(out, whole)
