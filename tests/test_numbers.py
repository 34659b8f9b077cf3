"""Numbers that leave the range of doubles, data of very different sizes, sweeps of many small runs."""

import csv
import itertools
import os
import subprocess
import sys
import time

import netCDF4
import numpy as np
import pytest

import pl_run

DONE, DIVERGED = 2, 3


def run(folder, name, text, code=0, ranks=1, *more):
    path, out = folder / f"{name}.yaml", folder / f"{name}.nc"
    path.write_text(text)
    done = pl_run.run(["run", path, "-q", "-o", out, *more], ranks, code=code)
    with netCDF4.Dataset(out) as nc:
        return {n: np.ma.filled(v[:], np.nan) if v.dtype == float else v[:]
                for n, v in nc.variables.items()}, done


# ---- range ----


@pytest.mark.parametrize("kind", ["gcnn", "fc", "cnn"])
def test_values_do_not_depend_on_the_scale_of_the_weights(kind, tmp_path):
    """Normalised beta is the same at every scale: down to products below the least double."""
    got, _ = run(tmp_path, kind, f"{{model.kind: {kind}, group: S_4, data.samples: 6, model.depth: 16,"
                 " model.init.scale: [1e-3, 1e-10, 1e-20], steps: 5, record.points: 2}")
    assert (got["status"] == DONE).all() and (got["separated"] == 0).all()
    np.testing.assert_allclose(got["irrep_energy"].sum(axis=2), 1, rtol=1e-12)
    for name in ("schatten", "schatten_thresholded", "schatten_real", "normalized_margin",
                 "tightness", "l2_margin", "linf_margin"):
        values = got[name]
        assert np.isfinite(values).all(), name
        np.testing.assert_allclose(values[1:], np.broadcast_to(values[:1], values[1:].shape),
                                   rtol=1e-8, err_msg=name)
    if kind == "gcnn":
        np.testing.assert_allclose(got["schatten"], 4.9234433e8, rtol=1e-7)
        np.testing.assert_allclose(got["parameter_norm"][:, 0] * [1, 1e7, 1e17],
                                   got["parameter_norm"][0, 0], rtol=1e-12)


def test_conditions_of_the_margin_problem_at_any_scale(tmp_path):
    got, _ = run(tmp_path, "kkt", "{group: S_4, data.samples: 1, seed: [1, 3], model.depth: 16, "
                 "model.init.scale: [1e-3, 1e-10, 1e-20, 1e5], optimizer: {kind: ngd, lr: 1e-30}, "
                 "steps: 1, record.points: 2, record.kkt: true}")
    for name in ("kkt_residual", "kkt_slack", "schatten_stationarity"):
        values = got[name].reshape(2, 4, -1)
        assert np.isfinite(values).all(), name
        np.testing.assert_allclose(values, np.broadcast_to(values[:, :1], values.shape), rtol=1e-8,
                                   atol=1e-12, err_msg=name)
    assert ((got["kkt_residual"] > 0.9) & (got["kkt_residual"] < 1)).all()


@pytest.mark.parametrize("kind, scale", [("fc-relu", 1e-20), ("cnn-relu", 1e-55), ("gcnn", 1e-55),
                                         ("mlp", 1e-55), ("mlp", 1e40)])
def test_normalised_gradients_of_any_size(kind, scale, tmp_path):
    """Near 0 all weights are scaled alike by steps in proportion to them, however small."""
    depth = 16 if scale == 1e-20 else 6
    data = "model: {width: 4, bias: false}, data: {kind: rings, samples: 6}, loss: logistic" \
        if kind == "mlp" else "group: C_6, data.samples: 4"
    first = 1e-4 if scale < 1 else 1e30
    got, _ = run(tmp_path, "ngd", f"{{model.kind: {kind}, model.depth: {depth}, {data}, seed: 1, "
                 f"zip: [[model.init.scale, optimizer.lr]], model.init.scale: [{first}, {scale}], "
                 f"optimizer: {{kind: ngd, lr: [{0.1 * first}, {0.1 * scale}]}}, steps: 5, "
                 "record.points: 2}", code=None)
    norm = got["parameter_norm"] / np.array([[first], [scale]])
    np.testing.assert_allclose(norm[1], norm[0], rtol=1e-9)
    assert abs(norm[1, 1] / norm[1, 0] - 1) > 1e-3


def test_growth_without_bound_diverges(tmp_path):
    """No record is called done whose numbers that must be are not finite."""
    got, _ = run(tmp_path, "grow", "{group: S_3, data.samples: 4, model.depth: 3, optimizer: {kind: "
                 "ngd, lr: 0.1, growth: {factor: 1.1, every: 10}}, steps: 40000, record.points: 20}",
                 code=1)
    assert got["status"][0] == DIVERGED and got["steps_done"][0] < 40000
    records = got["step"][0] >= 0
    assert np.isfinite(got["parameter_norm"][0][records][:-1]).all()
    np.testing.assert_allclose(got["irrep_energy"][0][records].sum(axis=1)[:-1], 1, rtol=1e-10)


@pytest.mark.parametrize("size", [1e-160, 1, 1e160])
def test_unit_samples_of_any_size(size, tmp_path):
    x = np.random.default_rng(1).standard_normal((3, 6))
    write_data(tmp_path / "x.nc", x * size, [1, -1, 1])
    write_data(tmp_path / "y.nc", x, [1, -1, 1])
    text = "{{group: S_3, data: {{kind: file, path: {}, scale: unit}}, steps: 20, record.points: 3}}"
    got, _ = run(tmp_path, "sized", text.format(tmp_path / "x.nc"))
    want, _ = run(tmp_path, "plain", text.format(tmp_path / "y.nc"))
    np.testing.assert_allclose(got["sample_margin"], want["sample_margin"], rtol=1e-10)


@pytest.mark.parametrize("size, word", [(1e-200, "too small"), (1e-310, "too small"),
                                        (1e200, "too large"), (1e-120, None), (0, None)])
def test_energies_that_no_double_holds_are_refused(size, word, tmp_path):
    f = np.random.default_rng(0).standard_normal(24)
    with netCDF4.Dataset(tmp_path / "f.nc", "w") as nc:
        nc.createDimension("element", 24)
        nc.createVariable("f", "f8", ("element",))[:] = f * size
    done = pl_run.run(["fourier", tmp_path / "f.nc", "--group", "S_4"], code=2 if word else 0)
    if word:
        assert f"the values are {word} to square" in done.stderr
    else:
        total = float(done.stdout.split("total energy: ")[1].split()[0])
        np.testing.assert_allclose(total, size * size * (f @ f), rtol=1e-12)


# ---- optimum ----


def write_data(path, x, y):
    with netCDF4.Dataset(path, "w") as nc:
        nc.createDimension("sample", len(x))
        nc.createDimension("element", len(x[0]))
        nc.createVariable("x", "f8", ("sample", "element"))[:] = x
        nc.createVariable("y", "f8", ("sample",))[:] = y


def optimum(folder, x, y, group="S_3", code=0):
    """margin, bound, separable."""
    write_data(folder / "data.nc", x, y)
    (folder / "o.yaml").write_text(f"{{group: {group}, model.depth: 2, steps: 5, data: {{kind: file, "
                                   f"path: {folder / 'data.nc'}, scale: 1}}}}")
    done = pl_run.run(["optimum", folder / "o.yaml"], code=code)
    _, margin, bound, _, word = done.stdout.splitlines()[1].split()
    return float(margin), float(bound), word


@pytest.mark.parametrize("text, ranks", [
    ("model.kind: resgnn\ndata.kind: graph\ndata.graph: cayley\ngroup: S_3", 1),
    ("model.kind: gnn-points\ndata.kind: nbody", 1), ("seed: 0..4\ndata.kind: curve\nmodel.kind: mlp", 3)])
def test_optimum_of_data_without_margins_is_refused_before_any_work(text, ranks, tmp_path):
    (tmp_path / "o.yaml").write_text(text + "\nsteps: 5\n")
    done = pl_run.run(["optimum", "o.yaml", "-o", "new.nc"], ranks, cwd=tmp_path, code=2)
    said = [line for line in done.stderr.splitlines() if line.startswith("plancherel")]
    assert len(said) == 1 and "o.yaml:2: data.kind: " in said[0] and "gaussian" in said[0]
    assert [p.name for p in tmp_path.iterdir()] == ["o.yaml"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_optimum_of_samples_of_very_different_norms(seed, tmp_path):
    """On the cyclic group D(a) is a maximum of moduli of Fourier coefficients: an independent search
    for the least over a grid finds nothing below the bounds, and close to them."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((3, 5)), np.array([1, -1, 1])
    x *= (np.array([0.1, 30, 2.5e4]) / np.linalg.norm(x, axis=1))[:, None]
    margin, bound, word = optimum(tmp_path, x, y, "C_5")
    assert word == "yes" and 0 < margin <= bound <= margin * (1 + 2e-4)
    spectrum = np.fft.fft(x * y[:, None])
    # Weights on a logarithmic grid, refined around the best.
    centre, width = np.zeros(2), 8.0
    for _ in range(40):
        t = centre[:, None] + width * np.linspace(-1, 1, 41)[None, :]
        grid = np.array([(1, *10.0**np.array(p)) for p in itertools.product(*t)])
        value = np.abs(grid @ spectrum).max(axis=1) / 5 / grid.sum(axis=1)
        centre, width = np.log10(grid[value.argmin(), 1:]), width * 0.7
    least = value.min()
    assert margin <= least * (1 + 1e-9)
    assert least <= bound * (1 + 1e-2)


@pytest.mark.parametrize("group, order, times", [("C_2", 2, 23300), ("S_3", 6, 300), ("Q_8", 8, 300)])
def test_optimum_of_many_samples(group, order, times, tmp_path):
    """Samples that are there many times, or beside others with larger margins only, change nothing;
    more of them than an int has squares."""
    rng = np.random.default_rng(order)
    x, b = rng.standard_normal((2 if order == 2 else 5, order)), rng.standard_normal(order)
    y = np.sign(x @ b)
    few = optimum(tmp_path, x, y, group)
    assert few[2] == "yes"
    many, labels = np.repeat(x, times, axis=0), np.repeat(y, times)
    factors = 1 + (np.arange(len(many)) % 3)[:, None]
    margin, bound, word = optimum(tmp_path, many * factors, labels, group)
    assert word == "yes" and bound - margin <= 1e-4 * bound
    assert margin <= few[1] and few[0] <= bound
    labels[-1] *= -1
    assert optimum(tmp_path, many, labels, group)[2] == "no"


@pytest.mark.parametrize("case", ["contradiction", "more than dimensions", "a sum that vanishes"])
def test_data_that_cannot_be_separated_are_proved_so(case, tmp_path):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((4, 6))
    y = [1, -1, 1, -1]
    if case == "contradiction":
        x[1] = x[0]
    elif case == "more than dimensions":
        x = np.concatenate([rng.standard_normal((6, 6))] * 2)
        y = [1] * 6 + [-1] * 6
    else:
        x[3] = 1e3 * (0.3 * x[0] - 2 * x[1] + 0.01 * x[2])  # its label is -1: M = 0 for such weights
    margin, bound, word = optimum(tmp_path, x, y)
    assert (margin, word) == (0, "no") and 0 <= bound < 1e-5
    margin, _, word = optimum(tmp_path, x[:1], y[:1])
    assert margin > 0 and word == "yes"


def test_no_gap_while_a_margin_is_negative(tmp_path):
    got, _ = run(tmp_path, "gap", "{group: S_4, data.samples: 12, model.depth: 2, steps: 3000, "
                 "record.points: 12, optimizer: {kind: ngd, lr: 0.05}, seed: 0..2}")
    bad = got["min_margin"] <= 0
    assert bad.any() and (~bad).any()
    assert np.isnan(got["optimality_gap"][bad]).all()
    gap = got["optimality_gap"][~bad]
    assert np.isfinite(gap).all() and (gap >= -1e-9).all() and (gap <= 1).all()
    assert (got["separated"] == (got["min_margin"][:, -1] > 0)).all()
    close = got["optimality_gap"][:, -1] <= 0.05
    assert (got["converged"] == close).all()


# ---- many small runs ----


SMALL = "{group: S_3, data.samples: 4, seed: 0..%d, steps: 10, record.points: 11}"


def test_gathered_records_are_those_of_runs_alone(tmp_path):
    """Slabs of many runs, one rank or two, hold what each run of its own writes."""
    many, _ = run(tmp_path, "many", SMALL % 299)
    two, _ = run(tmp_path, "two", SMALL % 299, ranks=2)
    for run_ in (0, 150, 299):
        alone, _ = run(tmp_path, f"r{run_}", f"{{group: S_3, data.samples: 4, seed: {run_}, steps: 10, "
                       "record.points: 11}")
        for name in ("step", "lr", "schatten", "sample_margin", "irrep_energy", "status",
                     "steps_done", "separated", "converged"):
            assert many[name][run_].tobytes() == alone[name][0].tobytes(), name
    for name in many:
        if name not in ("wall_time", "memory"):
            assert np.asarray(many[name]).tobytes() == np.asarray(two[name]).tobytes(), name


def test_what_was_promised_survives_a_kill(tmp_path):
    """A second after the start and later: what stood in the file a second before the kill, and all of
    a run that is called done, is there after it; going on gives the rest."""
    path, out = tmp_path / "s.yaml", tmp_path / "s.nc"
    path.write_text(SMALL % 29999)
    process = pl_run.start(["run", path, "-q", "-o", out])
    end, seen = time.time() + 60, 0
    while time.time() < end and seen < 300:
        time.sleep(0.05)
        if out.exists():
            with netCDF4.Dataset(out) as nc:
                seen = int((nc["status"][:] == DONE).sum())
    process.kill()
    process.wait()
    with netCDF4.Dataset(out) as nc:
        done = np.flatnonzero(nc["status"][:] == DONE)
        assert len(done) >= seen >= 300
        assert (np.ma.filled(nc["step"][:][done], -1) >= 0).all()
        assert np.isfinite(np.ma.filled(nc["loss"][:][done], np.nan)).all()
    pl_run.run(["run", path, "-q", "-o", out, "--resume"], code=None)
    with netCDF4.Dataset(out) as nc:
        assert np.isin(nc["status"][:], (DONE, DIVERGED)).all()
    assert not os.path.exists(f"{out}.ckpt")


# ---- summaries ----


def test_summary_leaves_out_what_does_not_classify(tmp_path):
    """Medians of summary.py beside those taken run by run, and the count of the rest."""
    got, _ = run(tmp_path, "mixed", "{group: [S_3, C_5], data.samples: 4, seed: 0..39, steps: 300, "
                 "record.points: 4, optimizer.lr: 0.02}", code=None)
    assert 0 < (got["separated"] == 1).sum() < 80
    script = pl_run.ROOT / "analysis/summary.py"
    for every in (False, True):
        table = subprocess.run([sys.executable, script, tmp_path / "mixed.nc", "--csv", "-",
                                *["--all"] * every], check=True, capture_output=True, text=True)
        rows = list(csv.DictReader(table.stdout.splitlines()))
        assert [row["group"] for row in rows] == ["C_5", "S_3"]
        for row, runs in zip(rows, (np.arange(40, 80), np.arange(40))):
            sound = runs[got["status"][runs] == DONE]
            astray = sound[got["separated"][sound] == 0]
            kept = sound if every else np.setdiff1d(sound, astray)
            assert int(row["not_classifying"]) == (0 if every else len(astray))
            np.testing.assert_allclose(float(row["loss_median"]),
                                       np.median(got["loss"][kept, -1]), rtol=1e-12)
            assert float(row["rank_max"]) <= (6 if runs[0] == 0 else 5)
