"""Tasks of every kind, from files too; what is refused; and the network around them, end to end."""

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run
from test_images import write_idx


def data(folder, **keys):
    """x, y, split of the tasks that a run of these keys has, and how many samples are support."""
    keys = dict({"model.kind": "meta"}, **keys)
    (folder / "s.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["data", folder / "s.yaml", "-o", folder / "d.nc", "--overwrite"])
    with netCDF4.Dataset(folder / "d.nc") as nc:
        return [*(np.asarray(nc[name][:]) for name in ("x", "y", "split")), int(nc["x"].support)]


def refused(folder, words, **keys):
    keys = dict({"model.kind": "meta", "steps": 2}, **keys)
    (folder / "s.yaml").write_text(yaml.safe_dump(keys))
    message = pl_run.run(["run", folder / "s.yaml", "-o", folder / "o.nc", "-q"], code=2).stderr
    for word in words:
        assert word in message, message
    assert not (folder / "o.nc").exists()


def run(folder, name="o", ranks=1, **keys):
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["run", folder / f"{name}.yaml", "-q", "-o", folder / f"{name}.nc"], ranks=ranks)
    with netCDF4.Dataset(folder / f"{name}.nc") as nc:
        return {k: np.ma.filled(v[0], np.nan) for k, v in nc.variables.items()
                if v.dimensions[:2] == ("run", "record")}


# ---- drawn ----


def test_sinusoids(tmp_path):
    x, y, split, support = data(tmp_path, data=dict(kind="sinusoid", shots=5, queries=20,
                                                    samples=40, validation=3, test=7))
    assert support == 5 and x.shape == y.shape == (50, 25, 1)
    assert np.bincount(split).tolist() == [40, 3, 7] and x.min() > -5 and x.max() < 5
    amplitudes, phases = [], []
    for xs, ys in zip(x[:, :, 0], y[:, :, 0]):
        (a, b), left, *_ = np.linalg.lstsq(np.stack([np.sin(xs), np.cos(xs)], 1), ys, rcond=None)
        assert left < 1e-20
        amplitudes.append(np.hypot(a, b))
        phases.append(np.arctan2(b, a))
    assert .1 < min(amplitudes) and max(amplitudes) < 5 and np.std(amplitudes) > 1
    assert 0 < min(phases) and max(phases) < np.pi


def test_quadratic(tmp_path):
    x, y, _, support = data(tmp_path, data=dict(kind="quadratic", dimension=6, condition=50,
                                                samples=3))
    a = np.geomspace(1, 50, 6)
    for xs, ys in zip(x, y[:, :, 0]):
        np.testing.assert_allclose(2 / 6 * xs[:6].T @ xs[:6], np.diag(a), atol=1e-12)
        np.testing.assert_allclose(2 / 6 * xs[6:].T @ xs[6:], np.eye(6), atol=1e-12)
        np.testing.assert_allclose(np.linalg.lstsq(xs[:6], ys[:6], rcond=None)[0],
                                   np.linalg.lstsq(xs[6:], ys[6:], rcond=None)[0])
    assert not np.allclose(y[0], y[1])


def beta_of(x, y):
    """The target of a task; its samples determine it."""
    return np.linalg.lstsq(x, y[:, 0], rcond=None)[0]


def s3_table():
    e = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    return np.array([[e.index(tuple(s[t[i]] for i in range(3))) for t in e] for s in e])


def test_group(tmp_path):
    """Targets of norm 1 on the listed irreps alone, of rank one there, with one row space."""
    keys = dict(group="S_3", data=dict(kind="group", irreps=["2,1"], shots=9, queries=2, samples=12))
    x, y, _, _ = data(tmp_path, **keys)
    betas = np.array([beta_of(*task) for task in zip(x, y)])
    np.testing.assert_allclose(np.linalg.norm(betas, axis=1), 1, rtol=1e-10)
    sign = np.array([1, -1, -1, 1, 1, -1])
    assert np.abs(betas.sum(1)).max() < 1e-12 and np.abs(betas @ sign).max() < 1e-12
    # One row space: all targets lie in the d = 2 dimensions of one left ideal.
    assert np.linalg.matrix_rank(betas, tol=1e-9) == 2
    # With translates: f(h^-1 u) of inputs and target both, so y stays.
    keys["data"]["translates"] = True
    x, y, _, _ = data(tmp_path, **keys)
    table = s3_table()
    for h in range(6):
        np.testing.assert_array_equal(x[h][:, table[h]], x[0])
        np.testing.assert_array_equal(y[h], y[0])
        np.testing.assert_allclose(beta_of(x[h], y[h])[table[h]], betas[0], atol=1e-9)
    assert not np.allclose(y[6], y[0])


# ---- images ----


@pytest.fixture(params=["bytes", "shorts"])
def idx(tmp_path, request):
    """Nine classes of six images of 5 x 5 pixels, all different; labels of 8 or 16 bits."""
    rng = np.random.default_rng(2)
    images, labels = rng.integers(0, 256, (54, 5, 5)), np.arange(54) * 4 % 9
    paths = write_idx(tmp_path, images, labels.tolist())
    if request.param == "shorts":
        with open(paths[1], "wb") as out:
            out.write(bytes([0, 0, 0x0b, 1]) + (54).to_bytes(4, "big"))
            out.write(labels.astype(">i2").tobytes())
    return images, labels, paths


@pytest.mark.parametrize("turned", [True, False])
def test_fewshot(tmp_path, idx, turned):
    """Drawings of a task are of its classes and all different; test classes are seen in no training
    task; turned images are classes of their own."""
    images, labels, paths = idx
    x, y, split, support = data(tmp_path, data=dict(
        kind="fewshot", path=paths[0], labels=paths[1], ways=4, shots=2, queries=3, samples=30,
        test=20, train_classes=5 if turned else 4, rotations=turned))
    assert support == 8 and x.shape == (50, 20, 25)
    where = {(images[i] / 255 if k == 0 else np.rot90(images[i], k) / 255).tobytes(): (i, k)
             for i in range(54) for k in range(4 if turned else 1)}
    met = [set(), set(), set()]
    for xs, ys, part in zip(x, y, split):
        assert ys.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] + [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
        found = [where[image.reshape(5, 5).tobytes()] for image in xs]
        assert len(set(found)) == 20
        kinds = [{(labels[i], k) for (i, k), c in zip(found, ys) if c == w} for w in range(4)]
        assert all(len(k) == 1 for k in kinds) and len(set.union(*kinds)) == 4
        met[part] |= {c for c, _ in set.union(*kinds)}
    n = 5 if turned else 4
    assert met[0] == set(range(n)) and met[2] == set(range(n, 9))


def test_bad_images(tmp_path, idx):
    _, _, (path, labels) = idx
    base = {"meta.inner": "conv", "model.depth": 1, "data.kind": "fewshot", "data.path": path,
            "data.labels": labels, "data.queries": 2}
    refused(tmp_path, ["data.path", "No such file"], **dict(base, **{"data.path": "none"}))
    refused(tmp_path, ["data.labels", "not an IDX file of labels"],
            **dict(base, **{"data.labels": path}))
    refused(tmp_path, ["data.queries", "class 0 has 6 images"], **dict(base, **{"data.shots": 5}))
    refused(tmp_path, ["data.ways", "20, and the train part has 4 classes, turned"],
            **dict(base, **{"data.ways": 20, "data.train_classes": 4}))
    refused(tmp_path, ["data.train_classes", "9 classes"], **dict(base, **{"data.train_classes": 9}))
    refused(tmp_path, ["model.depth", "too few"],
            **dict(base, **{"model.depth": 3, "model.pooling": "max"}))


def test_values_that_do_not_fit(tmp_path):
    refused(tmp_path, ["meta.method", "gd"], meta=dict(method="maml", inner_solver="lbfgs"))
    refused(tmp_path, ["meta.lambda", "> 0"], **{"meta.lambda": 0})
    refused(tmp_path, ["meta.inner", "conv takes images"], **{"meta.inner": "conv"})
    refused(tmp_path, ["meta.inner", "functions on a group"], **{"meta.inner": "gcnn"})
    refused(tmp_path, ["model.width", "not used by meta.inner: quadratic"],
            **{"meta.inner": "quadratic", "model.width": 3})
    refused(tmp_path, ["model.stride", "only for meta.inner: conv"], **{"model.stride": 1})
    refused(tmp_path, ["meta.damping", "only for meta.operator: damped"], **{"meta.damping": 1})
    refused(tmp_path, ["train.batch", "not used by"], **{"train.batch": 3})
    group = {"data.kind": "group", "meta.inner": "gcnn", "group": "S_3"}
    refused(tmp_path, ["data.irreps", "no irrep"], **dict(group, **{"data.irreps": ["4"]}))
    refused(tmp_path, ["data.irreps", "twice"], **dict(group, **{"data.irreps": ["2,1", "2,1"]}))
    refused(tmp_path, ["data.irreps", "not of real type"],
            **dict(group, group="C_5", **{"data.irreps": ["1"]}))


# ---- files ----


FILE = dict(task=3, sample=5, feature=4)


def write(path, support=2, classes=2, split=None, y=None, **attributes):
    rng = np.random.default_rng(0)
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, size in FILE.items():
            nc.createDimension(name, size)
        nc.createVariable("x", "f8", tuple(FILE))[:] = rng.standard_normal(tuple(FILE.values()))
        if support is not None:
            nc["x"].support = np.int32(support)
        for name, value in attributes.items():
            nc["x"].setncattr(name, value)
        nc.createVariable("y", "i4", ("task", "sample"))[:] = (
            np.arange(15).reshape(3, 5) % 2 if y is None else y)
        if classes is not None:
            nc["y"].classes = np.int32(classes)
        if split is not None:
            nc.createVariable("split", "i1", ("task",))[:] = split


def test_files_go_round(tmp_path):
    """What `data` writes is read back as the same tasks, and trains to the same weights."""
    keys = dict(model=dict(kind="meta", width=5), meta=dict(tasks=2, method="maml", inner_steps=2),
                data=dict(kind="sinusoid", samples=5, validation=2, test=3), steps=4, seed=3)
    before = run(tmp_path, "a", **keys)
    pl_run.run(["data", tmp_path / "a.yaml", "-o", tmp_path / "d.nc"])
    keys["data"] = dict(kind="file", path=str(tmp_path / "d.nc"))
    after = run(tmp_path, "b", **keys)
    for name in ("meta_loss", "gradient_norm", "validation_mse", "test_mse", "post_adaptation_mse"):
        assert before[name].tolist() == after[name].tolist()
    pl_run.run(["data", tmp_path / "b.yaml", "-o", tmp_path / "again.nc"])
    with netCDF4.Dataset(tmp_path / "d.nc") as one, netCDF4.Dataset(tmp_path / "again.nc") as two:
        assert one["split"][:].tolist() == [0] * 5 + [1] * 2 + [2] * 3
        for name in ("x", "y", "split"):
            assert np.array_equal(one[name][:], two[name][:])


def test_bad_files(tmp_path):
    path = tmp_path / "f.nc"
    keys = {"data.kind": "file", "data.path": str(path), "meta.inner": "mlp"}
    for words, arguments in [
            (["support", "integer from 1 to 4"], dict(support=None)),
            (["support", "integer from 1 to 4"], dict(support=5)),
            (["classes", "integer from 2"], dict(classes=None)),
            (["y[1, 0] is 2", "classes"], dict(y=[[0] * 5, [2] * 5, [0] * 5])),
            (["split[2] is 3"], dict(split=[0, 0, 3])),
            (["split(task) is nowhere 0"], dict(split=[2, 2, 2])),
            (["image", "product"], dict(image=np.array([3, 1, 1], dtype="i4"))),
            (["group", "S_3, of order 6"], dict(group="S_3"))]:
        write(path, **arguments)
        refused(tmp_path, ["data.path", *words], **keys)
    write(path, group="C_4")
    record = run(tmp_path, model=dict(kind="meta"), steps=1,
                 data=dict(kind="file", path=str(path)))
    assert "post_adaptation_accuracy" in record
    refused_outputs = pl_run.run(["apply", path, path, "-o", tmp_path / "p.nc"], code=2).stderr
    assert "model.kind" in refused_outputs


# ---- what is recorded ----


def test_weights_of_another_group(tmp_path):
    """Of the same order: values over the elements are no others' values."""
    keys = dict(model=dict(kind="meta"), meta=dict(inner="gcnn", inner_steps=2), steps=2,
                record=dict(points=2, final=True), group="S_3",
                data=dict(kind="group", irreps=["2,1"], samples=4, test=2))
    run(tmp_path, **keys)
    weights = str(tmp_path / "o.nc.final" / "run-000000.nc")
    other = dict(keys, group="C_6", data=dict(keys["data"], irreps=["3"]))
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(other))
    pl_run.run(["data", tmp_path / "s.yaml", "-o", tmp_path / "d.nc"])
    says = "its attribute group says S_3, expected C_6"
    assert says in pl_run.run(["apply", weights, tmp_path / "d.nc", "-o", tmp_path / "a.nc"], code=2).stderr
    for name in "o.nc.final", "o.nc.ckpt":
        (tmp_path / name).rename(tmp_path / name[5:])
    (tmp_path / "o.nc").unlink()
    del other["model"]
    other["model.init"] = dict(kind="file", path=str(tmp_path / "final" / "run-000000.nc"))
    refused(tmp_path, ["model.init.path", says], **other)


def test_records_of_a_group(tmp_path):
    """Shares add to 1, cosines are at most 1, residuals fall, and the tasks' irreps win."""
    keys = dict(model=dict(kind="meta"), group="S_3",
                meta=dict(inner="gcnn", inner_solver="newton-cg", inner_steps=50, cg_steps=30,
                          **{"lambda": 0.5}),
                data=dict(kind="group", irreps=["2,1"], shots=3, samples=200, test=10),
                optimizer=dict(kind="adam", lr=.03, epsilon_inside=False), steps=80,
                record=dict(points=4, sample=5))
    record = run(tmp_path, **keys)
    np.testing.assert_allclose(record["inner_irrep_energy"].sum(1), 1, rtol=1e-12)
    assert record["inner_irrep_energy"][-1, 1] > .95 > record["inner_irrep_energy"][0, 1]
    alignment = record["row_alignment"]
    assert np.isnan(alignment[:, [0, 2]]).all() and alignment[-1, 1] > .95
    assert record["post_adaptation_mse"][-1] < .3 * record["post_adaptation_mse"][0]
    assert record["post_adaptation_mse"].tolist() == record["test_mse"].tolist()
    assert (record["cg_residual"][:, 0] == 1).all() and (record["cg_residual"][:, -1] < .1).all()
    assert (record["inner_gap"] < 1e-8).all() and (record["condition"] >= 1).all()
    assert (record["negative_curvature"] == 0).all() and (record["stored_states"] == 1).all()
    # The same on one rank and on three: twenty steps of plain descent with systems solved to the
    # end, for Adam, and conjugate gradients cut off, make much of rounding.
    keys.update(steps=20, optimizer=dict(lr=.02))
    record = run(tmp_path, "alone", **keys)
    team = run(tmp_path, "team", ranks=3, **dict(keys, mapping=dict(team=3)))
    for name in ("meta_loss", "gradient_norm", "test_mse", "inner_irrep_energy"):
        np.testing.assert_allclose(team[name], record[name], rtol=1e-9, atol=1e-12)


def test_bytes_against_inner_steps(tmp_path):
    """Flat for imaml, a state a step for maml: 8 bytes for each of 13 weights."""
    told = {}
    for method in ("imaml", "maml"):
        for steps in (2, 20):
            record = run(tmp_path, f"{method}{steps}", model=dict(kind="meta", depth=2, width=4),
                         meta=dict(method=method, inner_steps=steps), data=dict(samples=4), steps=1)
            told[method, steps] = record["stored_bytes"][0]
    assert told == {("imaml", 2): 104, ("imaml", 20): 104, ("maml", 2): 208, ("maml", 20): 2080}


def test_negative_curvature_is_told(tmp_path):
    """A weak pull leaves the inner problem of a small network without a minimum nearby."""
    record = run(tmp_path, model=dict(kind="meta", width=10, activation="tanh"),
                 meta=dict(inner_steps=3, tasks=10, **{"lambda": 0.05}),
                 data=dict(kind="sinusoid", samples=10), steps=1)
    assert record["negative_curvature"][0] > 0
    strong = run(tmp_path, "strong", model=dict(kind="meta", width=10, activation="tanh"),
                 meta=dict(inner_steps=3, tasks=10, **{"lambda": 1000}),
                 data=dict(kind="sinusoid", samples=10), steps=1)
    assert strong["negative_curvature"][0] == 0
