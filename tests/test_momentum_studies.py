"""Residual and momentum networks from sweep file to output: against numpy on the cyclic group, on
any number of ranks, and the studies of jobs/momentum on short runs."""

import itertools
import subprocess
import sys

import netCDF4
import numpy as np
import pytest

import pl_run

JOBS = pl_run.ROOT / "jobs/momentum"
DONE, DIVERGED = 2, 3


def records(sweep, out, *sets, ranks=1, code=0):
    args = ["run", sweep, "-q", "-o", out, "--overwrite"]
    done = pl_run.run(args + [a for s in sets for a in ("--set", s)], ranks=ranks, code=code,
                      timeout=200)
    return netCDF4.Dataset(out), done


def draw(out, *args):
    """A picture, as the study's head says."""
    script = [sys.executable, pl_run.ROOT / "analysis/plot.py", out, "-o", f"{out}.png", *args]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def last(data, name):
    """[run, ..]: the values of the last record of each run, NaN where there is none."""
    steps = np.ma.filled(data["step"][:], -1)
    rows = [data[name][r, s.argmax()] for r, s in enumerate(steps)]
    return np.ma.filled(np.ma.stack(rows).astype(float), np.nan)


CYCLIC = """
group: C_7
model: {kind: residual, depth: 5, gamma: 0.75, scale: 0.3, init.scale: 1, store: %s, tied: %s}
data: {kind: target, target: "element:3", target_scale: 2}
optimizer.lr: 0.5
steps: 4
record: {steps: [0, 1, 2, 3, 4], beta: true, final: true}
"""


@pytest.mark.parametrize("store", ["all", "reversible"])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("ranks", [1, 3])
def test_gradient_descent_as_numpy_has_it(store, tied, ranks, tmp_path):
    """On C_7 by differences of the loss, the recursion written with cyclic convolutions."""
    sweep = tmp_path / "s.yaml"
    sweep.write_text(CYCLIC % (store, str(tied).lower()))
    start, _ = records(sweep, tmp_path / "a.nc", "steps=1", "record.steps=[0]",
                       "optimizer.lr=1e-300", ranks=ranks)
    start.close()
    with netCDF4.Dataset(next(tmp_path.glob("a.nc.final/*.nc"))) as file:
        w = file["w"][:].data
    assert w.shape == (1 if tied else 5, 7)
    target = np.zeros(7)
    target[3] = 2

    def beta_of(theta):
        F = np.fft.fft(theta, axis=1)
        x, v = np.ones(7, complex), np.zeros(7, complex)
        for k in range(5):
            v = 0.75 * v + 0.25 * 0.3 * F[0 if tied else k] * x
            x = x + v
        return np.fft.ifft(x).real

    def loss_of(theta):
        return ((beta_of(theta) - target) ** 2).sum() / 8

    data, _ = records(sweep, tmp_path / "b.nc", ranks=ranks)
    for step in range(5):
        np.testing.assert_allclose(data["loss"][0, step], loss_of(w), rtol=1e-7)
        np.testing.assert_allclose(data["beta"][0, step], beta_of(w), atol=1e-7)
        g = np.zeros_like(w)
        for i in np.ndindex(*w.shape):
            e = np.zeros_like(w)
            e[i] = 1e-5
            g[i] = (loss_of(w + e) - loss_of(w - e)) / 2e-5
        np.testing.assert_allclose(data["gradient_norm"][0, step], np.linalg.norm(g), rtol=1e-6)
        w = w - 0.5 * g
    data.close()


def products(group):
    """[g][h]: the number of gh, elements in the program's order."""
    if group == "S_4":
        perms = list(itertools.permutations(range(4)))
        return np.array([[perms.index(tuple(s[i] for i in t)) for t in perms] for s in perms])
    if group == "C_6":
        return np.add.outer(np.arange(6), np.arange(6)) % 6
    unit = [[0, 1, 2, 3], [1, 4, 3, 6], [2, 7, 4, 1], [3, 2, 5, 4]]  # 1 i j k -1 -i -j -k
    return np.array([[(unit[g % 4][h % 4] + 4 * (g // 4) + 4 * (h // 4)) % 8 for h in range(8)]
                     for g in range(8)])


@pytest.mark.parametrize("group, ranks", [("S_4", 1), ("S_4", 3), ("Q_8", 1), ("C_6", 2)])
def test_spread_of_the_filters(group, ranks, tmp_path):
    """Singular values of each layer's filter as a matrix over the group, by numpy."""
    sweep = tmp_path / "s.yaml"
    sweep.write_text(f"{{group: {group}, model: {{kind: residual, depth: [2, 3], init.scale: 1}}, "
                     "data.samples: 4, steps: 3, record: {spectrum: true, final: true}}")
    data, _ = records(sweep, tmp_path / "o.nc", ranks=ranks)
    table = products(group)
    n = len(table)
    assert [str(x) for x in data["weight_name"][:]] == ["layer0", "layer1", "layer2"]
    assert (data["weight_rows"][:] == n).all() and (data["weight_cols"][:] == n).all()
    for run, layers in enumerate([2, 3]):
        with netCDF4.Dataset(sorted(tmp_path.glob("o.nc.final/*.nc"))[run]) as file:
            w = file["w"][:].data
        for k in range(layers):
            matrix = np.zeros((n, n))
            for h in range(n):
                matrix[np.arange(n), table[:, h]] += w[k, h]
            s = np.linalg.svd(matrix, compute_uv=False)
            p = s**2 / (s**2).sum()
            got = {name: last(data, f"weight_{name}")[run, k]
                   for name in ("schatten", "rank", "entropy_rank", "gini")}
            assert got["schatten"] == pytest.approx(s.sum() / np.linalg.norm(s), rel=1e-10)
            assert got["rank"] == (s > 1e-3 * s[0]).sum()
            assert got["entropy_rank"] == pytest.approx(np.exp(-(p * np.log(p)).sum()), rel=1e-9)
            pairs = np.abs(s[:, None] - s).sum() / (2 * n * (n - 1) * s.mean())
            assert got["gini"] == pytest.approx(pairs, rel=1e-9)
            mine = data["weight_sv_weight"][:] == k
            sigma = last(data, "weight_singular_values")[run][mine]
            assert (np.abs(sigma[:, None] - s).min(axis=1) < 1e-10).all()
            assert len(sigma) == {24: 10, 8: 6, 6: 4}[n] and sigma.max() == pytest.approx(s[0])
        assert np.isnan(last(data, "weight_gini")[run, layers:]).all()


def test_many_filters_are_recorded_if_asked(tmp_path):
    sweep = tmp_path / "s.yaml"
    sweep.write_text("{group: S_3, model: {kind: residual, depth: 65}, data.samples: 2, steps: 1}")
    data, _ = records(sweep, tmp_path / "o.nc")
    assert "weight_schatten" not in data.variables
    data, _ = records(sweep, tmp_path / "p.nc", "record.weights=true")
    assert data["weight_schatten"].shape[2] == 65 and (last(data, "weight_rank") > 0).all()


def test_a_target_goes_out_and_comes_back(tmp_path):
    out = tmp_path / "target.nc"
    sweep = ("{group: S_4, model: {kind: residual, depth: 5}, steps: 50, optimizer.lr: 1, "
             "data: {kind: target, %s}}")
    named = ["target: 'cycle:3,1', target_scale: 0.5", f"target: file, path: {out}"]
    losses = []
    for k, target in enumerate(named):
        path = tmp_path / f"{k}.yaml"
        path.write_text(sweep % target)
        if k == 0:
            pl_run.run(["data", path, "-o", out])
        data, _ = records(path, tmp_path / f"{k}.nc")
        losses.append(data["loss"][:])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-12)
    assert losses[0][0, -1] < 0.9 * losses[0][0, 0]


def test_targets(tmp_path):
    """The study with one seed and fewer steps: floors by signs of det, and none with momentum."""
    data, _ = records(JOBS / "targets.yaml", tmp_path / "t.nc", "seed=0", "steps=8000")
    assert (data["status"][:] == DONE).all()
    twice, gamma = 2 * last(data, "loss"), data["model_gamma"][:]
    lost = data["data_target"][:] == "cycle:2"
    assert (twice[gamma > 0] < 1e-2).all()
    assert (twice[(gamma == 0) & ~lost] < 1e-4).all()
    np.testing.assert_allclose(twice[(gamma == 0) & lost], 0.5, rtol=0.02)
    draw(tmp_path / "t.nc", "--kind", "irreps", "--y", "block_error", "--where", "group=S_4")
    np.testing.assert_allclose(np.nansum(last(data, "block_error"), axis=1), twice, atol=1e-12)


def test_the_saddle_is_left_from_farther_away(tmp_path):
    """S_4, (1 2): 1/2 near zero, 1/4 from a start that breaks the symmetry, all of it signs."""
    data, _ = records(JOBS / "saddle.yaml", tmp_path / "s.nc", "model.init.scale=[0.01, 3]",
                      "seed=0", "steps=8000")
    np.testing.assert_allclose(2 * last(data, "loss"), [0.5, 0.25], rtol=0.02)
    label = list(data["irrep_label"][:])
    error = last(data, "block_error")[1]
    want = {"4": 0, "3,1": 1 / 8, "2,2": 1 / 12, "2,1,1": 0, "1,1,1,1": 1 / 24}
    np.testing.assert_allclose(error, [want[s] for s in label], atol=2e-3)
    assert last(data, "negative_eigenvalues")[1][label.index("2,1,1")] == 2


def test_memory(tmp_path):
    data, _ = records(JOBS / "memory.yaml", tmp_path / "m.nc", "model.depth=[100, 1000]",
                      "model.gamma=[0.9, 0.99]", "steps=1")
    size, depth, gamma = last(data, "store_bytes"), data["model_depth"][:], data["model_gamma"][:]
    kept = data["model_store"][:] == "all"
    draw(tmp_path / "m.nc", *"--kind final --y store_bytes --hue model_gamma --all".split())
    per_layer = (size / (8 * 120 * depth))[kept]  # stacks begin on cache lines
    assert ((per_layer >= 1) & (per_layer < 1.2)).all()
    flat = ~kept & (gamma == 0.99)
    assert len(set(size[flat])) == 1
    assert size[kept & (depth == 1000)].min() > 20 * size[flat].max()
    assert (last(data, "reversal_error")[~kept] == 0).all()
    bits = last(data, "bits_lost")[~kept] / (-depth * np.log2(gamma))[~kept]
    assert (abs(bits[depth[~kept] == 1000] - 1) < 0.15).all()


def test_a_line_is_turned_around_by_momentum_alone(tmp_path):
    """The curve -x^3 with a state of one number: a residual network stays at the constant's 1/7."""
    data, _ = records(JOBS / "curve.yaml", tmp_path / "c.nc", "seed=0", "steps=1500",
                      "model.gamma=[0, 0.99]")
    residual, momentum = last(data, "test_mse")
    assert residual > 0.12 and momentum < 0.01
    draw(tmp_path / "c.nc", "--y", "test_mse", "--hue", "model_gamma")


def test_codes_settle_or_do_not(tmp_path):
    """A few steps of the study: layers whose largest eigenvalue is inside the circle, or never."""
    data, _ = records(JOBS / "lto.yaml", tmp_path / "l.nc", "model.depth=[20]", "steps=100", "seed=0",
                      "data.samples=100")
    update, state = data["model_update"][:], np.asarray(last(data, "code_error"))
    late = np.abs(state[:, 20] - state[:, 19])
    radius = last(data, "layer_radius")
    assert (radius[update != "revnet"] < 1).all() and (late[update != "revnet"] < 0.01).all()
    assert radius[update == "revnet"] > 1
    np.testing.assert_allclose(last(data, "layer_log_det")[update == "revnet"], 0, atol=1e-12)
    np.testing.assert_allclose(last(data, "layer_modulus"), last(data, "law_modulus"), atol=1e-6)
    draw(tmp_path / "l.nc", *"--kind profile --y code_error --hue model_update --all".split())


def test_beyond_the_fixed_point(tmp_path):
    sweep = tmp_path / "s.yaml"
    sweep.write_text("{group: S_3, model: {kind: residual, depth: 20, scale: 1, store: reversible}, "
                     "optimizer.lr: 1e6, steps: 20}")
    args = ["run", sweep, "-o", tmp_path / "o.nc"]
    done = pl_run.run(args, code=None)
    assert done.returncode == 1 and "beyond the fixed point" in done.stderr
    with netCDF4.Dataset(tmp_path / "o.nc") as data:
        assert data["status"][0] == DIVERGED
