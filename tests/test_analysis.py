"""analysis/: numbers of the summary and a figure of every kind, from files made up here."""

import argparse
import contextlib
import csv
import io
import os
import subprocess
import sys

import netCDF4
import numpy as np
import pytest

ANALYSIS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "analysis")
sys.path.insert(0, ANALYSIS)

import choose  # noqa: E402
import curves  # noqa: E402
import plancherel_io as pio  # noqa: E402
import plot  # noqa: E402
import summary  # noqa: E402
from made_sweep import (  # noqa: E402
    DIVERGED, DONE, FILL, PENDING, RUNNING, final_values, put, write_sweep)


@pytest.fixture(scope="module", name="sweep")
def fixture_sweep(tmp_path_factory):
    """Depths 2, 3, 5 on seeds 0..3: run 5 diverged, run 11 never started, run 10 goes on."""
    path = tmp_path_factory.mktemp("sweep") / "out.nc"
    return write_sweep(path, states={5: DIVERGED, 10: RUNNING, 11: PENDING})


def table(path):
    """Rows of summary.py --csv."""
    with pio.open_output(path) as ds:
        keys, rows = summary.summarise(ds)
    text = io.StringIO()
    summary.write_csv(keys, rows, text)
    return keys, list(csv.DictReader(io.StringIO(text.getvalue())))


def script(name, *args):
    """Run a script of analysis/ in this process: exit code, stdout, stderr."""
    main = {"plot.py": plot.main, "summary.py": summary.main}[name]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            pio.main_guard(lambda: main([str(a) for a in args]))
        except SystemExit as end:
            code = end.code
    return subprocess.CompletedProcess(args, code, out.getvalue(), err.getvalue())


def test_scripts_run_from_the_shell(sweep, tmp_path):
    for name, args in [("summary.py", []), ("plot.py", ["-o", tmp_path / "f.png"])]:
        command = [sys.executable, os.path.join(ANALYSIS, name), sweep, *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "f.png").exists()


def test_reader_sees_runs_as_they_were_written(sweep):
    with pio.open_output(sweep) as ds:
        assert pio.swept_keys(ds) == ["model_depth"]
        assert pio.statuses(ds)[4:6] == ["done", "diverged"]
        last = pio.last_records(ds)
        assert last[0] == np.isfinite(pio.steps(ds)[0]).sum() - 1
        assert (last[5], last[10], last[11]) == (11, 19, -1)
        assert pio.column(ds, "irrep_label")[:2] == ["4", "3,1"]
        assert pio.column(ds, "group") == ["S_4"] * 12
        combos = pio.combinations(ds, ["model_depth"])
        assert combos == [((2,), [0, 1, 2, 3]), ((3,), [4, 5, 6, 7]), ((5,), [8, 9, 10, 11])]


def test_summary_takes_medians_over_sound_runs(sweep):
    keys, rows = table(sweep)
    assert keys == ["model_depth"]
    assert [r["model_depth"] for r in rows] == ["2", "3", "5"]
    assert [(r["done"], r["diverged"], r["running"], r["pending"]) for r in rows] == [
        ("4", "0", "0", "0"), ("3", "1", "0", "0"), ("2", "0", "1", "1")]
    for row, seeds in zip(rows[:2], [(0, 1, 2, 3), (0, 2, 3)]):
        ends = [final_values(int(row["model_depth"]), s) for s in seeds]
        for name in ["loss", "schatten_thresholded", "normalized_margin"]:
            values = [e[name] for e in ends]
            assert float(row[f"{name}_median"]) == pytest.approx(np.median(values), rel=1e-12)
            assert float(row[f"{name}_min"]) == pytest.approx(min(values), rel=1e-12)
            assert float(row[f"{name}_max"]) == pytest.approx(max(values), rel=1e-12)


def test_summary_measures_rank_by_group(tmp_path):
    """Four groups of numbers known by hand: equal shares, one irrep, a negligible one, a pair."""
    path = write_sweep(tmp_path / "g.nc", depths=(2,), seeds=(0, 1), groups=("S_4", "C_6"))
    with netCDF4.Dataset(path, "a") as nc:
        end = np.flatnonzero(nc["step"][0] >= 0)[-1]
        nc["irrep_schatten"][0, end, :5] = 0.3  # five equal irreps
        nc["irrep_energy"][0, end, :5] = 0.2
        nc["irrep_rank"][0, end, :5] = [1, 2, 1, 3, 0]
        nc["irrep_schatten"][1, end, :5] = [0, 2, 0, 0, 0]
        nc["irrep_energy"][1, end, :5] = [1e-9, 1, 0, 0, 0]
        nc["irrep_rank"][1, end, :5] = [1, 2, 2, 3, 1]
        for run in (2, 3):
            nc["irrep_schatten"][run, end, 5:] = [1, 1, 1e-300, 0]
            nc["irrep_energy"][run, end, 5:] = [0.5, 0.5, 0, 0]
            nc["irrep_rank"][run, end, 5:] = 1
    keys, rows = table(path)
    assert keys == ["group"] and [r["group"] for r in rows] == ["C_6", "S_4"]
    assert float(rows[0]["effective_irreps_median"]) == pytest.approx(2)
    assert float(rows[0]["rank_median"]) == 1 + 2  # the second is a pair
    assert float(rows[1]["effective_irreps_min"]) == pytest.approx(1)
    assert float(rows[1]["effective_irreps_max"]) == pytest.approx(5)
    assert float(rows[1]["rank_min"]) == 3 * 2
    assert float(rows[1]["rank_max"]) == 1 + 3 * 2 + 2 + 3 * 3


def test_summary_leaves_blank_what_the_file_lacks(tmp_path):
    path = write_sweep(tmp_path / "few.nc", irreps=False, states={r: PENDING for r in range(4)})
    _, rows = table(path)
    assert rows[0]["loss_median"] == "" and "rank_median" not in rows[1]
    assert float(rows[1]["loss_median"]) > 0
    text = script("summary.py", path)
    assert text.returncode == 0, text.stderr
    head, first = text.stdout.splitlines()[:2]
    assert head.split() == ["model_depth", "runs", "status", "loss", "schatten_thresholded",
                            "normalized_margin"]
    assert first.split() == ["2", "4", "4", "pending"]


def by_key(ds):
    """What the file says of each run: {(group, depth, seed): {variable: numbers by the entries of
    its axis in words}}."""
    label = list(zip(pio.column(ds, "irrep_group"), pio.column(ds, "irrep_label")))
    axis = {"irrep": label, "sv": [label[i] for i in ds["sv_irrep"].values]}
    runs = zip(*(pio.column(ds, k) for k in ("group", "model_depth", "seed")))
    out = {}
    for r, key in enumerate(runs):
        mine = out.setdefault(key, {})
        for name in ("step", "loss", "irrep_schatten", "singular_values"):
            values = ds[name].values[r].astype(float)
            values = np.where(values == -1, np.nan, values)
            place = axis[ds[name].dims[2]] if values.ndim == 2 else [None]
            for i, p in enumerate(place):
                curve = values[:, i] if values.ndim == 2 else values
                if np.isfinite(curve).any():
                    mine.setdefault((name, p), []).append(curve[np.isfinite(curve)].tolist())
    return out


def test_several_files_are_read_as_one(tmp_path, monkeypatch):
    first = write_sweep(tmp_path / "a.nc", depths=(2, 3), groups=("S_4",), states={3: DIVERGED})
    monkeypatch.setattr("made_sweep.RECORDS", 30)
    second = write_sweep(tmp_path / "b.nc", depths=(3, 5), seeds=(4, 5), groups=("C_6", "S_4"))
    with netCDF4.Dataset(second, "a") as nc:
        nc["sv_irrep"].instance_dimension = "irrep"
        put(nc, "optimum", np.arange(8.0), ["run"], "best margin", fill=FILL)
        nc.headline = "loss kkt_residual"
    with netCDF4.Dataset(first, "a") as nc:
        nc["sv_irrep"].instance_dimension = "irrep"
        nc.headline = "loss schatten"
    with pio.open_output(first) as a, pio.open_output(second) as b:
        apart = by_key(a) | by_key(b)
        states = pio.statuses(a) + pio.statuses(b)
    with pio.open_outputs([first, second]) as ds:
        assert by_key(ds) == apart
        assert pio.statuses(ds) == states
        assert ds.sizes["irrep"] == 9 and ds.sizes["sv"] == 14
        assert pio.headline(ds) == ["loss", "schatten", "kkt_residual"]
        assert np.isnan(ds["optimum"].values[:8]).all() and list(ds["optimum"].values[8:]) == [*range(8)]
    with pio.open_outputs([second, first]) as ds:
        assert by_key(ds) == apart and ds.sizes["irrep"] == 9
        keys, rows = summary.summarise(ds)
        assert keys == ["group", "model_depth"]
        assert [(r["values"], r["runs"]) for r in rows] == [
            (("C_6", 3), 2), (("C_6", 5), 2), (("S_4", 2), 4), (("S_4", 3), 6), (("S_4", 5), 2)]
        ends = [final_values(2, s)["schatten"] for s in (0, 1, 2)]
        assert rows[2]["metrics"]["schatten"] == pytest.approx(
            (np.median(ends), min(ends), max(ends)), rel=1e-12)
    done = script("summary.py", first, second)
    assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.splitlines()) == 6


def test_runs_in_two_files_are_told(sweep, tmp_path):
    again = write_sweep(tmp_path / "again.nc", depths=(3,), seeds=(2, 3, 4))
    done = script("summary.py", sweep, again)
    assert done.returncode == 0 and "2 runs with the same keys in more than one" in done.stderr
    done = script("summary.py", sweep, again, sweep)
    assert done.returncode == 2 and "given twice" in done.stderr


def test_summary_writes_csv(sweep, tmp_path):
    out = tmp_path / "s.csv"
    assert script("summary.py", sweep, "--csv", out).returncode == 0
    assert out.read_text() == script("summary.py", sweep, "--csv", "-").stdout
    assert len(out.read_text().splitlines()) == 4


PLOTS = {
    "schatten": [],
    "loss": ["--y", "loss", "--hue", "model.depth"],
    "one_run": ["--y", "loss", "--run", "5"],
    "some": ["--y", "normalized_margin", "--where", "model.depth=3"],
    "irreps": ["--kind", "irreps"],
    "irreps_one": ["--kind", "irreps", "--run", "2", "--title", ""],
    "spectrum": ["--kind", "spectrum"],
    "gap": ["--kind", "gap"],
}


@pytest.mark.parametrize("name", PLOTS)
def test_every_kind_makes_a_figure(sweep, tmp_path, name):
    figure = tmp_path / f"{name}.png"
    done = script("plot.py", sweep, "-o", figure, *PLOTS[name])
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert figure.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("kind", ["trajectory", "irreps", "spectrum"])
def test_several_swept_keys_get_panels(tmp_path, kind):
    path = write_sweep(tmp_path / "two.nc", depths=(2, 3), groups=("S_4", "C_6"), seeds=(0, 1))
    done = script("plot.py", path, "-o", tmp_path / "two.png", "--kind", kind)
    assert done.returncode == 0, done.stderr


@pytest.fixture(name="other")
def fixture_other(tmp_path):
    """Two runs of another family: no group, depth, irreps, Schatten values or loss."""
    path = tmp_path / "other.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.title, nc.headline = "Tours", "cost tour_length"
        nc.default_y, nc.default_hue, nc.swept = "tour_length", "model_cells", "seed model_cells"
        for name, size in [("run", 4), ("record", 3), ("sv", 2)]:
            nc.createDimension(name, size)
        put(nc, "seed", np.array([0, 0, 1, 1]), ["run"], "seed")
        put(nc, "optimizer_lr", np.array([0.1, 0.2, 0.1, 0.2]), ["run"], "learning rate")
        put(nc, "model_cells", np.array([8, 16, 8, 16]), ["run"], "cells")
        put(nc, "status", np.full(4, DONE, "i1"), ["run"], "state of the run")
        put(nc, "step", np.tile([0, 5, 10], (4, 1)), ["run", "record"], "step", fill=-1)
        for name, start in [("alpha", 9.0), ("cost", -1.0), ("tour_length", 4.0)]:
            put(nc, name, start + np.arange(12).reshape(4, 3), ["run", "record"], name, "km")
        put(nc, "singular_values", np.full((4, 3, 2), 0.5), ["run", "record", "sv"], "sv")
    return path


def test_another_family_is_read_by_what_its_file_says(other, tmp_path):
    with pio.open_output(other) as ds:
        assert pio.headline(ds) == ["cost", "tour_length"] and pio.default_y(ds) == "tour_length"
        assert choose.hue_and_facets(ds, argparse.Namespace(hue=None), range(4)) == ("model_cells", [])
    _, rows = table(other)
    assert float(rows[0]["tour_length_median"]) == 9 and "loss_median" not in rows[0]
    text = script("summary.py", other)
    assert text.stdout.split()[:6] == ["optimizer_lr", "model_cells", "runs", "status", "cost",
                                       "tour_length"]
    for kind in ["trajectory", "spectrum"]:
        done = script("plot.py", other, "-o", tmp_path / f"{kind}.png", "--kind", kind)
        assert done.returncode == 0 and done.stderr == "", done.stderr
    for kind, word in [("irreps", "irrep_schatten"), ("gap", "optimality_gap")]:
        done = script("plot.py", other, "-o", tmp_path / f"{kind}.png", "--kind", kind)
        assert done.returncode == 2 and word in done.stderr


def test_files_that_say_nothing_are_read_as_before(sweep, other):
    with pio.open_output(sweep) as ds:
        assert pio.default_y(ds) == "schatten"
        assert pio.headline(ds) == ["loss", "schatten_thresholded", "normalized_margin"]
        assert pio.default_hue(ds, ["group", "model_depth"]) == "model_depth"
    with netCDF4.Dataset(other, "a") as nc:
        for name in ["headline", "default_y", "default_hue", "swept"]:
            nc.delncattr(name)
    with pio.open_output(other) as ds:
        assert pio.default_y(ds) == "alpha" and pio.headline(ds) == ["alpha"]
        assert pio.default_hue(ds, ["optimizer_lr", "model_cells"]) == "optimizer_lr"


def test_a_key_zipped_with_the_hue_gets_no_panels(tmp_path):
    path = write_sweep(tmp_path / "zip.nc", groups=("S_4", "C_6"), seeds=(0, 1))
    with netCDF4.Dataset(path, "a") as nc:
        nc["optimizer_lr"][:] = 0.1 / nc["model_depth"][:]
    with pio.open_output(path) as ds:
        for hue, facets in [("model.depth", ["group"]), ("group", ["model_depth", "optimizer_lr"])]:
            args = argparse.Namespace(hue=hue)
            got = choose.hue_and_facets(ds, args, range(ds.sizes["run"]))
            assert got == (hue.replace(".", "_"), facets)


def test_a_sweep_that_has_just_begun_can_be_drawn(tmp_path):
    path = write_sweep(tmp_path / "new.nc", depths=(2,), seeds=(0,))
    with netCDF4.Dataset(path, "a") as nc:
        nc["step"][0, 1:] = -1
        nc["loss"][:] = FILL
    for kind in plot.KINDS:
        done = script("plot.py", path, "-o", tmp_path / f"{kind}.png", "--kind", kind)
        assert done.returncode == 0, done.stderr
    done = script("plot.py", path, "-o", tmp_path / "loss.png", "--y", "loss")
    assert done.returncode == 2 and "every value is missing" in done.stderr


def test_medians_end_where_half_of_the_runs_end():
    step = np.array([[0, 10, 100], [0, 10, np.nan], [0, 7, np.nan]])
    y = np.array([[1.0, 2, 3], [2.0, 4, np.nan], [3.0, 6, np.nan]])
    grid, samples = curves.trajectory_samples(step, y)
    assert list(grid) == [0, 7, 10, 100]
    assert samples[2, 1] == 6 and np.isnan(samples[2, 2])
    assert samples[0, 1] == pytest.approx(1 + np.log(8) / np.log(11))
    enough, median, low, high = curves.band(samples)
    assert list(grid[enough]) == [0, 7, 10]
    assert median[0] == 2 and median[2] == 3
    assert low[0] == pytest.approx(1.32) and high[0] == pytest.approx(2.68)


def test_what_is_written_takes_its_place_when_whole(sweep, tmp_path):
    old = tmp_path / "t.csv"
    old.write_text("precious")
    with pytest.raises(pio.OutputError, match="No space left.*t.csv"), pio.placing(str(old)) as name:
        with open(name, "w", encoding="ascii") as file:
            file.write("half")
        raise OSError(28, "No space left on device")
    assert old.read_text() == "precious" and os.listdir(tmp_path) == ["t.csv"]
    done = script("summary.py", sweep, "--csv", "/dev/full")
    assert done.returncode == 3 and "/dev/full: No space left" in done.stderr
    (tmp_path / "link.csv").symlink_to("t.csv")
    assert script("summary.py", sweep, "--csv", tmp_path / "link.csv").returncode == 0
    assert (tmp_path / "link.csv").is_symlink() and old.read_text().startswith("model_depth")


@pytest.mark.parametrize(
    "args, words",
    [
        (["absent.nc"], ["absent.nc", "no such file"]),
        (["SWEEP", "--y", "nothing"], ["no variable 'nothing'", "schatten"]),
        (["SWEEP", "--y", "status"], ["expected (run, record)"]),
        (["SWEEP", "--hue", "nothing"], ["no variable 'nothing'"]),
        (["SWEEP", "--run", "12"], ["--run 12", "0..11"]),
        (["SWEEP", "--run", "11"], ["left out: 1 pending"]),
        (["SWEEP", "--where", "model.depth=4"], ["model.depth=4"]),
        (["BARE", "--kind", "spectrum"], ["singular_values", "record.spectrum: true"]),
        (["BARE", "--kind", "irreps"], ["irrep_schatten", "record.irreps: true"]),
        (["TEXT"], ["not a readable NetCDF file"]),
        (["FIFO"], ["fifo: not a regular file"]),
    ],
)
def test_errors_are_one_line_and_exit_code_2(sweep, tmp_path, args, words):
    bare = write_sweep(tmp_path / "bare.nc", irreps=False, spectrum=False)
    text = tmp_path / "text.nc"
    text.write_text("group: S_4\n")
    os.mkfifo(tmp_path / "fifo")
    names = {"SWEEP": sweep, "BARE": bare, "TEXT": text, "FIFO": tmp_path / "fifo"}
    figure = tmp_path / "f.png"
    done = script("plot.py", *[names.get(a, a) for a in args], "-o", figure)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert not figure.exists()
    for word in words:
        assert word in done.stderr
