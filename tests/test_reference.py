"""The program against tests/reference.py, over whole trajectories; and what it draws by itself."""

import itertools

import netCDF4
import numpy as np
import pytest
import xarray
import yaml

import pl_run
import reference

GROUPS = ["C_6", "D_4", "Q_8", "S_3", "C_3 x C_3", "Q_8 x C_3", "S_4", "S_4 x C_2", "Q_8 x Q_8"]
STEPS = 300
RECORD = [0, 1, 2, 5, 10, 25, 50, 100, 150, 200, 250, 299, 300]
TOLERANCE = 1e-9


def write_filters(path, g, w):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.createDimension("layer", len(w))
        nc.createDimension("element", g.order)
        nc.createVariable("w", "f8", ("layer", "element"))[:] = w


def write_data(path, g, x, y):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.createDimension("sample", len(y))
        nc.createDimension("element", g.order)
        nc.createVariable("x", "f8", ("sample", "element"))[:] = x
        nc.createVariable("y", "i4", ("sample",))[:] = y


def sweep(folder, name="sweep", **keys):
    """Run the sweep of these keys (dots written as __) and return the output in memory."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({k.replace("__", "."): v for k, v in keys.items()},
                                   sort_keys=False))
    pl_run.run(["run", path, "-o", folder / f"{name}.nc", "--overwrite", "--quiet"])
    with xarray.open_dataset(folder / f"{name}.nc") as ds:
        return ds.load()


def text(variable):
    return variable.astype(str).values.tolist()


def assert_close(got, want, scale, what, tolerance=TOLERANCE):
    error = np.abs(got - want) / scale
    assert np.max(error) <= tolerance, f"{what}: off by {np.max(error):.3g} of its size"


# ---- the reference itself ----


@pytest.mark.parametrize("spec", GROUPS)
def test_reference_group(spec):
    g = reference.group(spec)
    t = g.table
    assert (t[t[:, :, None], np.arange(g.order)] == t[np.arange(g.order)[:, None, None], t]).all()
    assert (np.sort(t, axis=0) == np.arange(g.order)[:, None]).all()
    assert sum(q.shape[1] for q in g.isotypic()) == g.order


@pytest.mark.parametrize("loss", ["exponential", "logistic"])
def test_reference_gradient(loss):
    g, rng = reference.group("S_3"), np.random.default_rng(0)
    y = [1, -1, -1]
    net = reference.Network(g, rng.normal(size=(3, 6)), rng.normal(size=(3, 6)), y, loss)
    assert_close(net.outputs(), net.x @ net.beta(), 1, "<x, beta>", 1e-12)
    w, grad, h = net.w, net.gradient(), 1e-5
    for l, k in itertools.product(range(3), range(6)):
        change = np.zeros((3, 6))
        change[l, k] = h
        net.w = w + change
        up = np.exp(net.log_loss())
        net.w = w - change
        down = np.exp(net.log_loss())
        assert_close(grad[l, k], (up - down) / (2 * h), np.abs(grad).max(), "gradient", 1e-8)


# ---- trajectories ----


def make_runs(g, folder):
    """A handful of runs of every depth, loss and optimiser, with random filters and data."""
    rng = np.random.default_rng(g.order)
    kinds = [(depth, loss, "gd") for depth in (2, 3, 4) for loss in ("exponential", "logistic")]
    kinds += [(2, "logistic", "ngd"), (3, "exponential", "ngd")]
    runs = []
    for k, (depth, loss, optimizer) in enumerate(kinds):
        samples = 3 + k % 3
        w = rng.normal(size=(depth, g.order)) / np.sqrt(g.order)
        x = rng.normal(size=(samples, g.order)) * (1 + k)
        y = rng.choice([-1, 1], size=samples)
        write_filters(folder / f"w{k}.nc", g, w)
        write_data(folder / f"x{k}.nc", g, x, y)
        scale = "unit" if k % 2 == 0 else float(1 / (1 + k) / np.sqrt(g.order))
        factor = 1 / np.linalg.norm(x, axis=1, keepdims=True) if scale == "unit" else scale
        step = {"lr": 0.05 if optimizer == "gd" else 0.01, "factor": 1.0 if k == 0 else 1.03,
                "every": 7 + k, "kind": optimizer}
        keys = {"model.depth": depth, "loss": loss, "model.init.path": str(folder / f"w{k}.nc"),
                "data.path": str(folder / f"x{k}.nc"), "data.scale": scale,
                "optimizer.kind": optimizer, "optimizer.lr": step["lr"],
                "optimizer.growth.factor": step["factor"], "optimizer.growth.every": step["every"]}
        runs.append((reference.Network(g, w, x * factor, y, loss), step, keys))
    return runs


@pytest.mark.parametrize("spec", GROUPS)
def test_trajectory(spec, tmp_path):
    g = reference.group(spec)
    runs = make_runs(g, tmp_path)
    zipped = {k: [keys[k] for _, _, keys in runs] for k in runs[0][2]}
    ds = sweep(tmp_path, group=spec, zip=[list(zipped)], steps=STEPS, model__init__kind="file",
               data__kind="file", record__beta=True, record__steps=RECORD, **zipped)
    assert ds.status.values.tolist() == [2] * len(runs)
    assert text(ds.element) == g.labels
    for r, (net, step, _) in enumerate(runs):
        n = len(net.y)
        irreps = net.irreps()
        want = reference.train(net, STEPS, RECORD, **step)
        assert want["loss"][-1] < 0.2 * want["loss"][0], f"run {r} does not get anywhere"
        got = ds.isel(run=r)
        assert got.step.values.tolist() == RECORD
        lr = [step["lr"] * step["factor"] ** ((t + 1) // step["every"]) for t in RECORD]
        assert_close(got.lr.values, lr, lr, "lr", 1e-13)
        margins = np.abs(want["sample_margin"]).max(axis=1)
        scales = {
            "log_loss": np.maximum(1, np.abs(want["log_loss"])),
            "min_margin": margins,
            "sample_margin": margins[:, None],
            "beta": want["beta_norm"][:, None],
            "accuracy": 1,
            "normalized_margin": margins / (want["beta_norm"] * want["schatten"]),
        }
        for name, value in want.items():
            have = got[name].values
            if name == "sample_margin":
                assert np.isnan(have[:, n:]).all()
                have = have[:, :n]
            if name == "schatten_at":
                have = have[:, 0]
            assert_close(have, value, scales.get(name, value), f"run {r}: {name}")
        for record, parts in ((0, irreps), (-1, net.irreps())):
            check_irreps(ds, got.isel(record=record), parts)
        check_one_dimensional(g, got.isel(record=-1))


def check_irreps(ds, got, parts):
    size = ds.irrep_multiplicity.values * ds.irrep_dim.values**2
    have = sorted(zip(size, got.irrep_energy.values, got.irrep_schatten.values))
    for a, b in zip(have, parts, strict=True):
        assert a[0] == b[0]
        assert_close(a[1], b[1], 1, "irrep_energy")
        assert_close(a[2], b[2], sum(p[2] for p in parts), "irrep_schatten")


def check_one_dimensional(g, got):
    """The trivial irrep by its place, the sign of S_n by its label."""
    beta = got.beta.values / got.beta_norm.values
    energy = dict(zip(text(got.irrep_label), got.irrep_energy.values))
    assert_close(got.irrep_energy.values[0], beta.sum() ** 2 / g.order, 1, "trivial irrep")
    if g.spec == "S_4":
        perms = list(itertools.permutations(range(4)))
        sign = [np.linalg.det(np.eye(4)[list(p)]) for p in perms]
        assert_close(energy["4"], beta.sum() ** 2 / 24, 1, "trivial irrep")
        assert_close(energy["1,1,1,1"], (beta @ sign) ** 2 / 24, 1, "sign irrep")


# ---- theorems on states of known rank ----


def test_projection(tmp_path):
    """All filters the idempotent e_H of a subgroup H: beta = e_H, whose Fourier matrices are
    orthogonal projections, |G|/|H| singular values 1 in all.  Layers are balanced and aligned, so
    tightness is 1.  At depth 16, p = 1/8, rounding noise of 1e-17 would count 1 percent each."""
    subgroups = {"S_4": [0, 1], "D_4": [0, 4], "Q_8": [0, 1, 4, 5], "S_3": [0, 3, 4]}
    cases = list(itertools.product(subgroups.items(), (2, 5, 16)))
    for (spec, subgroup), depth in cases:
        g = reference.group(spec)
        e = np.zeros(g.order)
        e[subgroup] = 1 / len(subgroup)
        np.testing.assert_allclose(g.convolve(e, e), e, atol=1e-15)
        write_filters(tmp_path / f"{spec}-{depth}.nc", g, [e] * depth)
    ds = sweep(tmp_path, zip=[["group", "model.depth", "model.init.path"]],
               group=[spec for (spec, _), _ in cases], model__depth=[depth for _, depth in cases],
               model__init__path=[str(tmp_path / f"{c[0][0]}-{c[1]}.nc") for c in cases],
               model__init__kind="file", steps=1, record__steps=[0])
    for r, ((spec, subgroup), depth) in enumerate(cases):
        got, p, norm = ds.isel(run=r, record=0), 2 / depth, len(subgroup) ** -0.5
        rank = reference.group(spec).order // len(subgroup)
        want = (rank / norm**p) ** (1 / p)
        assert_close(got.beta_norm.values, norm, norm, f"{spec} {depth}: beta_norm")
        assert_close(got.schatten_thresholded.values, want, want, f"{spec} {depth}: schatten")
        assert_close(got.tightness.values, 1, 1, f"{spec} {depth}: tightness")
        ranks = got.irrep_multiplicity * got.irrep_dim * got.irrep_rank
        assert ranks.where(got.irrep_energy > 1e-12).sum() == rank


# ---- what the program draws ----


def samples(folder, specs, zipped=None, **keys):
    """For each group the labels times the samples over G, [other swept keys .., sample, element]:
    with delta functions for filters beta is a delta, and margins are values of the samples.
    zipped: further keys that advance with the group."""
    zipped, rows = zipped or {}, []
    for k, spec in enumerate(specs):
        g = reference.group(spec)
        for element in range(g.order):
            w = np.zeros((2, g.order))
            w[0, 0] = w[1, element] = 1
            path = folder / f"{spec}-{element}.nc"
            write_filters(path, g, w)
            rows.append({"group": spec, "model.init.path": str(path)}
                        | {name: values[k] for name, values in zipped.items()})
    lists = {name: [row[name] for row in rows] for name in rows[0]}
    ds = sweep(folder, zip=[list(lists)], model__depth=2, model__init__kind="file", steps=1,
               record__steps=[0], **lists, **keys)
    margin = ds.sample_margin.values[:, 0]
    margin = margin.reshape(len(rows), -1, margin.shape[-1])
    out, start = [], 0
    for spec in specs:
        order = reference.group(spec).order
        out.append(margin[start:start + order].transpose(1, 2, 0))
        start += order
    return out


def check_normal(z, variance):
    """iid centred Gaussians of this variance, [sample, element]: moments within 5 deviations."""
    z = z / np.sqrt(variance)
    n = z.size
    assert abs(z.mean()) < 5 / np.sqrt(n)
    assert abs((z**2).mean() - 1) < 5 * np.sqrt(2 / n)
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96 / n)
    rows = len(z)
    covariance = z.T @ z / rows
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 6 / np.sqrt(rows)
    assert np.abs(np.diag(covariance) - 1).max() < 6 * np.sqrt(2 / rows)


def test_gaussian_data(tmp_path):
    n = 2000
    for z in samples(tmp_path, ["Q_8", "D_4", "C_3 x C_3", "Q_8 x C_3", "S_4"], data__samples=n,
                     data__scale=[3, "unit"], seed=[5, 6]):
        large, other, unit, unit_other = z
        check_normal(large, 9)
        norm = np.linalg.norm(large, axis=1, keepdims=True)
        assert_close(unit, large / norm, 1, "unit samples", 1e-12)
        assert abs((unit * unit_other).sum(axis=1).mean()) < 5 / np.sqrt(n)
        assert not np.array_equal(large, other)


def test_data_seed(tmp_path):
    """data.seed fixes the data, whatever the seed."""
    (z,) = samples(tmp_path, ["C_3"], seed=[5, 6, 7], data__seed=[6, 7], data__samples=4)
    assert np.array_equal(z[0], z[2]) and np.array_equal(z[0], z[4])
    assert np.array_equal(z[1], z[3]) and not np.array_equal(z[0], z[1])


def test_sparse_data(tmp_path):
    n = 2000
    (z,) = samples(tmp_path, ["S_4"], data__kind="sparse", data__samples=n,
                   data__nonzeros=[3, 24], data__scale=1, seed=1)
    nonzero = np.abs(z) > 1e-12
    assert (nonzero[0].sum(axis=1) == 3).all() and (nonzero[1].sum(axis=1) == 24).all()
    values = z[0][nonzero[0]]
    assert abs(values.mean()) < 5 / np.sqrt(3 * n)
    assert abs((values**2).mean() - 1) < 5 * np.sqrt(2 / (3 * n))
    expected = n * 3 / 24
    assert np.abs(nonzero[0].sum(axis=0) - expected).max() < 5 * np.sqrt(expected * 7 / 8)


def test_irrep_data(tmp_path):
    """Unit matrix elements: orthonormal, each inside its isotypic space; labels +1, -1, .."""
    cases = [("S_4", ["3,1", "2,2"], 8, {9, 4}), ("Q_8", ["H"], 4, {4}), ("C_6", ["1"], 2, {2}),
             ("Q_8 x C_3", ["H x 1"], 8, {8}), ("S_3", ["3", "1,1,1"], 2, {1})]
    specs, irreps, number, _ = zip(*cases)
    got = samples(tmp_path, specs, {"data.irreps": irreps, "data.samples": number},
                  data__kind="irrep")
    for (spec, _, n, dims), (z,) in zip(cases, got):
        assert np.isnan(z[n:]).all()
        z = z[:n]
        np.testing.assert_allclose(z @ z.T, np.eye(n), atol=1e-12)
        used = [[q.shape[1] for q in reference.group(spec).isotypic()
                 if np.linalg.norm(x @ q) > 1e-6] for x in z]
        assert all(len(u) == 1 for u in used) and {u[0] for u in used} == dims
    signs = np.array([1, -1, -1, 1, 1, -1])
    assert_close(z, np.array([np.ones(6), -signs]) / np.sqrt(6), 1, "labelled characters", 1e-12)


def final_filters(folder, name, runs):
    out = []
    for r in range(runs):
        with netCDF4.Dataset(folder / f"{name}.nc.final" / f"run-{r:06d}.nc") as nc:
            out.append(nc["w"][:].data)
    return out


def test_initial_filters(tmp_path):
    """Final filters after a step of no size are the initial ones."""
    seeds, order = 150, 24
    sweep(tmp_path, group=["S_4", "Q_8 x C_3"], model__init__kind=["gaussian", "uniform"],
          model__depth=3, model__init__scale=2, model__init__readout_scale=0.5, steps=1,
          optimizer__lr=1e-300, record__steps=[0], record__final=True, seed=f"0..{seeds - 1}")
    w = np.array(final_filters(tmp_path, "sweep", 4 * seeds)).reshape(2, 2, seeds, 3, order)
    for gaussian, uniform in w:
        check_normal(gaussian[:, :2].reshape(-1, order), 4 / order)
        check_normal(gaussian[:, 2], 0.25 / order)
        for v in (gaussian, uniform):
            correlation = np.corrcoef(v.transpose(1, 0, 2).reshape(3, -1))
            assert np.abs(correlation - np.eye(3)).max() < 5 / np.sqrt(seeds * order)
        for v, scale in ((uniform[:, :2], 2), (uniform[:, 2], 0.5)):
            v = v / (scale * np.sqrt(3 / order))
            n = v.size
            assert 0.99 < np.abs(v).max() <= 1 + 1e-12
            assert abs(v.mean()) < 5 / np.sqrt(3 * n)
            assert abs((v**2).mean() - 1 / 3) < 5 * np.sqrt(4 / 45 / n)
            counts = np.histogram(v, bins=16, range=(-1, 1))[0]
            assert np.abs(counts - n / 16).max() < 5 * np.sqrt(n / 16)


def test_going_on_from_final_filters(tmp_path):
    """200 steps and then 200 from the filters they left are 400 steps."""
    groups = ["S_5", "Q_8 x C_3", "D_15"]
    keys = {"group": groups, "model__depth": 3, "data__samples": 5, "data__seed": 4,
            "optimizer__lr": 0.1, "record__final": True}
    begin = {"model__init__kind": ["gaussian", "uniform", "gaussian"], "seed": 2,
             "zip": [["group", "model.init.kind"]]}
    record = [0, 40, 80, 120, 160, 200]
    whole = sweep(tmp_path, "whole", steps=400,
                  record__steps=record + [t + 200 for t in record[1:]], **begin, **keys)
    sweep(tmp_path, "first", steps=200, **begin, **keys)
    paths = [str(tmp_path / "first.nc.final" / f"run-{r:06d}.nc") for r in range(3)]
    second = sweep(tmp_path, "second", model__init__kind="file", model__init__path=paths, seed=9,
                   zip=[["group", "model.init.path"]], steps=200, record__steps=record, **keys)
    assert (whole.loss[:, -1] < 0.8 * whole.loss[:, 0]).all()
    for name in ["loss", "sample_margin", "beta_norm", "schatten_thresholded", "parameter_norm",
                 "tightness", "irrep_energy"]:
        got, want = second[name].values, whole[name].values[:, 5:]
        assert np.array_equal(np.isnan(got), np.isnan(want))
        assert_close(np.nan_to_num(got), np.nan_to_num(want), np.nanmax(np.abs(want)), name)
    for a, b in zip(final_filters(tmp_path, "second", 3), final_filters(tmp_path, "whole", 3)):
        assert_close(a, b, 1, "final filters")


def test_stop_at_a_loss(tmp_path):
    """A run ends, done, at the first step whose loss is below stop.loss; that state is recorded."""
    ds = sweep(tmp_path, group="D_4", stop__loss=[0, 0.3], steps=100, optimizer__lr=0.3,
               data__samples=3, record__schedule="linear", record__points=101)
    loss = ds.loss.values
    first = int(np.argmax(loss[0] < 0.3))
    assert 0 < first < 100
    assert ds.status.values.tolist() == [2, 2]
    assert ds.steps_done.values.tolist() == [100, first]
    assert np.array_equal(loss[1, :first + 1], loss[0, :first + 1])
    assert np.isnan(loss[1, first + 1:]).all()


def test_schedules(tmp_path):
    """Recorded steps: evenly spaced, or evenly in log(1 + step), first and last included."""
    ds = sweep(tmp_path, group="C_3", record__schedule=["linear", "log"], record__points=11,
               steps=1000)
    linear, log = ds.step.values.astype(int)
    assert linear.tolist() == list(range(0, 1001, 100))
    assert log[0] == 0 and log[-1] == 1000 and (np.diff(log) > 0).all()
    assert np.abs(np.diff(np.log(1 + log[4:])) - np.log(1001) / 10).max() < 0.1
