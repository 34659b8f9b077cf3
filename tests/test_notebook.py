"""Data in and out for people: analysis/plancherel.py, tidy tables, arrays as data files, energies drawn."""

import csv
import io
import runpy
import sys
from contextlib import redirect_stderr, redirect_stdout

import netCDF4
import numpy as np
import pytest

import pl_run

sys.path.insert(0, str(pl_run.ROOT / "analysis"))
import plancherel  # noqa: E402

S_3 = ["1 2 3", "1 3 2", "2 1 3", "2 3 1", "3 1 2", "3 2 1"]


@pytest.fixture(autouse=True)
def the_program(monkeypatch):
    monkeypatch.setenv("PLANCHEREL", pl_run.BINARY)


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    at = tmp_path_factory.mktemp("notebook")
    (at / "s.yaml").write_text("group: S_3\nmodel.depth: [2, 3]\ndata.samples: 3\nsteps: 30\n"
                               "record.points: 4\nseed: 0..1\n")
    pl_run.run(["run", "s.yaml", "-q"], cwd=at)
    return at / "s.nc"


def script(name, *args, code=0):
    """Run a script of analysis/ in this process, whose modules are loaded: (stdout, stderr)."""
    out, err, got = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", [name, *map(str, args)])
        try:
            runpy.run_path(str(pl_run.ROOT / "analysis" / name), run_name="__main__")
        except SystemExit as leaves:
            got = leaves.code or 0
    assert got == code, err.getvalue()
    return out.getvalue(), err.getvalue()


# ---- out ----


def test_open(output):
    with plancherel.open(output) as ds, netCDF4.Dataset(output) as nc:
        assert set(ds.status.values) == {"done"}
        assert {"model_depth", "seed", "data_kind", "group"} <= set(ds.coords) and "loss" in ds.data_vars
        assert ds.data_kind.values[0] == "gaussian"
        assert list(ds.irrep.values) == ["3", "2,1", "1,1,1"]
        np.testing.assert_array_equal(ds.irrep_energy.sel(irrep="2,1").values, nc["irrep_energy"][:, :, 1])
        three = ds.loss.where(ds.model_depth == 3, drop=True)
        np.testing.assert_array_equal(three.values, nc["loss"][2:])
    with pytest.raises(ValueError, match="no such file"):
        plancherel.open("none.nc")


def test_tidy(output):
    with plancherel.open(output) as ds, netCDF4.Dataset(output) as nc:
        runs, records = plancherel.tidy(ds), plancherel.tidy(ds, "records")
        steps = nc["step"][:]
        assert list(runs["run"]) == [0, 1, 2, 3] and list(runs["status"]) == 4 * ["done"]
        np.testing.assert_array_equal(runs["loss"], nc["loss"][:, -1])
        np.testing.assert_array_equal(runs["wall_time"], nc["wall_time"][:])
        assert len(records) == np.ma.count(steps) and "wall_time" not in records
        for row in records.itertuples():
            assert row.step == steps[row.run, row.record] and row.seed == nc["seed"][row.run]
            assert row.loss == nc["loss"][row.run, row.record]
        with pytest.raises(ValueError, match="records"):
            plancherel.tidy(ds, "seeds")


@pytest.mark.parametrize("of", ["runs", "records"])
def test_summary_tidy(of, output, tmp_path):
    with plancherel.open(output) as ds:
        want = plancherel.tidy(ds, of)
    script("summary.py", output, "--tidy", of, "--csv", tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(want) and list(rows[0]) == list(want.columns)
    np.testing.assert_array_equal([float(r["loss"]) for r in rows], want["loss"])
    assert script("summary.py", output, "--tidy", of)[0] == (tmp_path / "t.csv").read_text()


# ---- in ----


def test_elements():
    assert plancherel.elements("S_3") == S_3
    assert len(plancherel.elements("C_2 x D_4")) == 16
    with pytest.raises(ValueError, match="S_x"):
        plancherel.elements("S_x")


def first_filters(path, tmp_path):
    """What `data.kind: file` reads, as `plancherel data` writes it again."""
    (tmp_path / "f.yaml").write_text(f"group: S_3\ndata: {{kind: file, path: {path}, scale: 1}}\nsteps: 1\n")
    pl_run.run(["data", "f.yaml", "-o", "again.nc", "--overwrite"], cwd=tmp_path)
    with netCDF4.Dataset(tmp_path / "again.nc") as nc:
        return nc["x"][:].filled(), nc["y"][:].filled()


def test_write_data(tmp_path):
    x, y = np.arange(24.0).reshape(4, 6) ** 2, np.array([1, -1, 1, -1])
    plancherel.write_data(tmp_path / "a.nc", x, y, group="S_3")
    np.testing.assert_allclose(first_filters("a.nc", tmp_path)[0], x, atol=1e-12)
    order = [3, 0, 5, 1, 4, 2]
    plancherel.write_data(tmp_path / "b.nc", x[:, order], y, group="S_3", elements=[S_3[k] for k in order])
    again = first_filters("b.nc", tmp_path)
    np.testing.assert_allclose(again[0], x, atol=1e-12)
    np.testing.assert_array_equal(again[1], y)
    # The program looks at the labels: those of other elements are refused.
    with netCDF4.Dataset(tmp_path / "b.nc", "a") as nc:
        nc["element"][0] = list("1 2 4")
    (tmp_path / "f.yaml").write_text("group: S_3\ndata: {kind: file, path: b.nc}\nsteps: 1\n")
    assert "1 2 4" in pl_run.run(["data", "f.yaml", "-o", "c.nc"], code=2, cwd=tmp_path).stderr
    with pytest.raises(FileExistsError):
        plancherel.write_data(tmp_path / "a.nc", x, y, group="S_3")


@pytest.mark.parametrize("change, words", [
    (dict(x=np.ones((2, 5))), "5 columns, but S_3 has 6"), (dict(y=[1, 0]), "1 and -1, not 0"),
    (dict(y=[1]), "2 samples x, but 1"), (dict(x=np.full((2, 6), np.nan)), r"x\[0, 0\] is nan"),
    (dict(elements=S_3[:5] + ["1 2 4"]), "'1 2 4' is no element"),
    (dict(elements=S_3[:5] + ["1 2 3"]), "5 different ones"), (dict(split=[0, 3]), "0, 1 or 2"),
    (dict(group="Q_9"), "Q_9")])
def test_bad_data(change, words, tmp_path):
    keys = dict(x=np.ones((2, 6)), y=[1, -1], group="S_3") | change
    with pytest.raises(ValueError, match=words):
        plancherel.write_data(tmp_path / "a.nc", **keys)
    assert not (tmp_path / "a.nc").exists()


def test_arrays(tmp_path):
    """The same samples from .npy and from CSV, with columns in another order and with labels last."""
    x, y = np.arange(12.0).reshape(2, 6) + 0.5, np.array([1, -1])
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    order = [3, 0, 5, 1, 4, 2]
    with open(tmp_path / "named.csv", "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["y", *(S_3[k] for k in order), "split"])
        for row, label in zip(x, y):
            out.writerow([label, *row[order], "train"])
    np.savetxt(tmp_path / "plain.csv", np.column_stack([x, y]), delimiter=";")
    for name, files in (("npy", ["x.npy", "y.npy"]), ("named", ["named.csv"]), ("plain", ["plain.csv"])):
        paths = [tmp_path / f for f in files]
        done = script("convert.py", "arrays", *paths, "--group", "S_3", "-o", tmp_path / f"{name}.nc")
        assert "2 samples of 6 elements" in done[1]
        again = first_filters(f"{name}.nc", tmp_path)
        np.testing.assert_allclose(again[0], x, atol=1e-12)
        np.testing.assert_array_equal(again[1], y)


def test_arrays_of_features(tmp_path):
    (tmp_path / "v.csv").write_text("a,b,label\n1,2,0\n3,4,1\n5,6,1\n")
    script("convert.py", "arrays", tmp_path / "v.csv", "-o", tmp_path / "v.nc")
    (tmp_path / "v.yaml").write_text("model.kind: mlp\ndata: {kind: file, path: v.nc}\nsteps: 2\n")
    pl_run.run(["run", "v.yaml", "-q", "-o", "out.nc"], cwd=tmp_path)
    for text, words in (("1,2\n3\n", "line 2: 1 columns"), ("1,x\n2,3\n4,y\n", 'line 3: "y" is no number'),
                        ("a,b\n1,2\n", "no labels"), ("", "empty")):
        (tmp_path / "bad.csv").write_text(text)
        done = script("convert.py", "arrays", tmp_path / "bad.csv", "-o", tmp_path / "bad.nc", code=2)
        assert words in done[1], done[1]


def test_energies_are_drawn(tmp_path):
    (tmp_path / "r.toi").write_text("# NUMBER ALTERNATIVES: 4\n7: 1,2\n5: 3,{1,4},2\n")
    pl_run.run(["fourier", "r.toi", "-o", "r.nc", "--csv", "r.csv"], cwd=tmp_path)
    pl_run.run(["group", "S_3", "-o", "g.nc"], cwd=tmp_path)
    for source in ("r.nc", "r.csv"):
        script("energies.py", tmp_path / source, "-o", tmp_path / "e.svg")
        drawn = (tmp_path / "e.svg").read_text()
        assert all(f">{label}<" in drawn for label in ("4", "3,1", "2,2", "1,1,1,1")), source
    assert "irrep_energy" in script("energies.py", tmp_path / "g.nc", "-o", tmp_path / "f.png", code=2)[1]
    (tmp_path / "bad.csv").write_text("label,share\n4,x\n")
    assert "bad.csv" in script("energies.py", tmp_path / "bad.csv", "-o", tmp_path / "f.png", code=2)[1]
