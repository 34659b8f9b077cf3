"""Samples of a run in a file, and saved networks on files: `plancherel data`, `plancherel apply`,
`record.best`."""

import netCDF4
import numpy as np
import pytest

import pl_run
from test_reference import sweep

GROUP = {
    "gcnn": dict(group="S_4", data__kind="gaussian", data__samples=5),
    "cnn": dict(group="Q_8", data__samples=4),
    "gcnn-relu": dict(group="C_6", data__kind="teacher", data__irreps=["1"], data__samples=6,
                      data__test=4, data__validation=3),
    "band": dict(group="S_6", band__codepth=2, data__samples=4),
    "elements": dict(group="S_5", record__elements=False, data__store="regenerate",
                     data__samples=6, data__test=4),
    "residual": dict(group="S_3", model__depth=5, model__init__scale=1, data__samples=4),
}
VECTOR = {
    "rings": dict(model__kind="mlp", data__classes=3, data__noise=0.2),
    "curve": dict(model__kind="mlp", data__kind="curve", data__noise=0.1),
    "logistic": dict(model__kind="mlp", loss="logistic", model__bias=False),
    "bars": dict(model__kind="conv", model__depth=1, model__width=4, data__side=6),
    "mean": dict(model__kind="conv", model__depth=2, model__width=3, model__head="mean",
                 model__pooling="mean", data__side=7, loss="square"),
}


def data_and_apply(folder, name="sweep", weights="final", ranks=1):
    pl_run.run(["data", folder / f"{name}.yaml", "-o", folder / "d.nc", "--overwrite"])
    pl_run.run(["apply", folder / f"{name}.nc.{weights}" / "run-000000.nc", folder / "d.nc", "-o",
                folder / "p.nc", "--overwrite"], ranks=ranks)
    with netCDF4.Dataset(folder / "d.nc") as d, netCDF4.Dataset(folder / "p.nc") as p:
        return ({k: v[:] for k, v in d.variables.items()}, {k: v[:] for k, v in p.variables.items()})


@pytest.mark.parametrize("name", GROUP)
def test_group(tmp_path, name):
    """f(x) of the saved network is what the run recorded last, and the written samples train the
    same network."""
    keys = dict(model__kind="gcnn" if name in ("band", "elements") else name, steps=30, optimizer__lr=0.05,
                record__final=True, **GROUP[name])
    ds = sweep(tmp_path, **keys)
    d, p = data_and_apply(tmp_path, ranks=2)
    with netCDF4.Dataset(tmp_path / "sweep.nc.final/run-000000.nc") as w:
        assert ("w_fourier" in w.variables) == (name in ("band", "elements"))
    train = d["split"] == 0
    margins = ds.sample_margin.values[0, :, -1] if ds.sample_margin.dims[1] == "sample" \
        else ds.sample_margin.values[0, -1]
    np.testing.assert_allclose(p["f"][train] * d["y"][train], margins[: train.sum()], rtol=1e-9)
    assert np.array_equal(p["prediction"], np.where(p["f"] > 0, 1, -1))
    assert float(p["accuracy"]) == pytest.approx(np.mean(p["f"] * d["y"] > 0))
    for part, number in (("validation", 1), ("test", 2)):
        if (d["split"] == number).any():
            right = np.mean((p["f"] * d["y"] > 0)[d["split"] == number])
            assert right == pytest.approx(float(ds[f"{part}_accuracy"].values[0, -1]))
    again = {k: v for k, v in keys.items() if not k.startswith("data__")}
    ds2 = sweep(tmp_path, "again", data__kind="file", data__path=str(tmp_path / "d.nc"), **again)
    np.testing.assert_allclose(ds2.loss.values, ds.loss.values, rtol=1e-9)
    # Without labels there are outputs all the same.
    with netCDF4.Dataset(tmp_path / "d.nc", "a") as nc:
        nc.renameVariable("y", "unused")
    pl_run.run(["apply", tmp_path / "sweep.nc.final/run-000000.nc", tmp_path / "d.nc", "-o",
                tmp_path / "q.nc"])
    with netCDF4.Dataset(tmp_path / "q.nc") as q:
        np.testing.assert_allclose(q["f"][:], p["f"], rtol=1e-12)
        assert "accuracy" not in q.variables


@pytest.mark.parametrize("name", VECTOR)
def test_vector(tmp_path, name):
    keys = dict(data__samples=23, data__validation=6, data__test=9, train__batch=5, epochs=4,
                optimizer__kind="adam", optimizer__lr=0.01, record__final=True, record__best=True,
                **VECTOR[name])
    ds = sweep(tmp_path, **keys)
    d, p = data_and_apply(tmp_path, ranks=2)
    metric = "mse" if name == "curve" else "accuracy"
    for number, part in enumerate(("train", "validation", "test")):
        here = d["split"] == number
        if name == "curve":
            value = np.mean((p["f"][here] - d["y"][here]) ** 2)
        else:
            value = np.mean(p["prediction"][here] == d["y"][here])
        assert value == pytest.approx(float(ds[f"{part}_{metric}"].values[0, -1]), abs=1e-12)
    drop = ("data__",) if name != "curve" else ("data__", "loss")
    again = {k: v for k, v in keys.items() if not k.startswith(drop)}
    if name == "curve":
        again["loss"] = "square"
    ds2 = sweep(tmp_path, "again", data__kind="file", data__path=str(tmp_path / "d.nc"), **again)
    np.testing.assert_allclose(ds2.loss.values, ds.loss.values, rtol=1e-10)
    # The best weights are those of the record that validation_best speaks of.
    d, p = data_and_apply(tmp_path, weights="best")
    here = d["split"] == 1
    best = (np.mean((p["f"][here] - d["y"][here]) ** 2) if name == "curve"
            else np.mean(p["prediction"][here] == d["y"][here]))
    assert best == pytest.approx(float(ds.validation_best.values[0]), abs=1e-12)
    with netCDF4.Dataset(tmp_path / "d.nc", "a") as nc:
        nc.renameVariable("y", "unused")
    pl_run.run(["apply", tmp_path / "sweep.nc.best/run-000000.nc", tmp_path / "d.nc", "-o",
                tmp_path / "q.nc"])
    with netCDF4.Dataset(tmp_path / "q.nc") as q:
        assert np.array_equal(q["f"][:], p["f"]) and metric not in q.variables


def test_best_survives_a_stop(tmp_path):
    """The best weights are part of the checkpoint: a run that is stopped often writes the same."""
    keys = dict(model__kind="mlp", model__width=32, data__samples=400, data__validation=50,
                train__batch=4, steps=4000, optimizer__lr=0.3, record__best=True, record__points=30)
    sweep(tmp_path, "whole", **keys)
    path = tmp_path / "whole.yaml"
    for tries in range(20):
        done = pl_run.run(["run", path, "-o", tmp_path / "cut.nc", "--resume", "-q", "--max-steps",
                           "700"], code=None)
        assert done.returncode in (0, 75), done.stderr
        if done.returncode == 0:
            break
    assert done.returncode == 0 and tries > 3
    files = [tmp_path / f"{n}.nc.best/run-000000.nc" for n in ("whole", "cut")]
    with netCDF4.Dataset(files[0]) as a, netCDF4.Dataset(files[1]) as b:
        for name in a.variables:
            assert np.array_equal(a[name][:], b[name][:]), name


# ---- bad input ----

SWEEP = "{model.kind: mlp, steps: 2, record.final: true, data.validation: 3}"


def refused(args, words, code=2):
    message = pl_run.run(args, code=code).stderr
    for word in words:
        assert word in message, message


@pytest.fixture
def saved(tmp_path):
    (tmp_path / "s.yaml").write_text(SWEEP)
    pl_run.run(["run", tmp_path / "s.yaml", "-q", "-o", tmp_path / "o.nc"])
    pl_run.run(["data", tmp_path / "s.yaml", "-o", tmp_path / "d.nc"])
    return tmp_path


def test_outputs_replace_no_input(saved):
    weights, data = saved / "o.nc.final/run-000000.nc", saved / "d.nc"
    before = data.read_bytes()
    refused(["apply", weights, data, "-o", data, "--overwrite"], ["d.nc", "would replace"])
    (saved / "link.nc").symlink_to(weights)
    refused(["apply", weights, data, "-o", saved / "link.nc", "--overwrite"], ["would replace"])
    refused(["apply", weights, data, "-o", saved / "o.nc", "--overwrite"], ["would replace"])
    refused(["apply", weights, data, "-o", saved / "s.yaml"], ["--overwrite"])
    refused(["data", saved / "s.yaml", "-o", saved / "s.yaml", "--overwrite"], ["would replace"])
    refused(["data", saved / "s.yaml", "--set", "data.kind=file", "--set", f"data.path={data}",
             "--set", "data.validation=null", "-o", data, "--overwrite"], [])
    assert data.read_bytes() == before and (saved / "s.yaml").read_text() == SWEEP


def test_bad_commands(saved):
    refused(["data", saved / "s.yaml", "-o", saved / "e.nc", "--run", "1"], ["--run 1", "1 run"])
    refused(["data", saved / "s.yaml"], ["-o DATA.nc"])
    refused(["apply", saved / "d.nc", "-o", saved / "e.nc"], ["two inputs"])
    refused(["apply", saved / "d.nc", saved / "d.nc", "-o", saved / "e.nc"], ["d.nc"])
    refused(["apply", saved / "s.yaml", saved / "d.nc", "-o", saved / "e.nc"], ["s.yaml"])
    assert not (saved / "e.nc").exists()
    assert not list(saved.glob("e.nc*"))


def test_data_that_have_no_file(tmp_path):
    with netCDF4.Dataset(tmp_path / "g.nc", "w") as nc:
        for name, n in (("graph", 4), ("node", 4), ("feature", 2), ("edges", 0), ("end", 2)):
            nc.createDimension(name, n)
        nc.createVariable("graph_start", "i8", "graph")[:] = np.arange(4)
        nc.createVariable("label", "i8", "graph")[:] = [0, 1, 0, 1]
        nc.createVariable("node_feature", "f8", ("node", "feature"))[:] = 1
        nc.createVariable("edge", "i8", ("edges", "end"))
    (tmp_path / "s.yaml").write_text("model.kind: gcn\ndata.kind: file\ndata.path: g.nc\nsteps: 1\n")
    pl_run.run(["run", tmp_path / "s.yaml", "-q", "-o", tmp_path / "o.nc"])
    refused(["data", tmp_path / "s.yaml", "-o", tmp_path / "d.nc"],
            ["s.yaml:2: data.kind: ", "without any edge"])
    assert not list(tmp_path.glob("d.nc*"))


def test_data_that_do_not_fit(saved):
    def change(f):
        path = saved / "bad.nc"
        path.write_bytes((saved / "d.nc").read_bytes())
        with netCDF4.Dataset(path, "a") as nc:
            f(nc)
        return path

    def apply(path, *words):
        refused(["apply", saved / "o.nc.final/run-000000.nc", path, "-o", saved / "e.nc"],
                ["bad.nc", *words])

    def nan(nc):
        nc["x"][4, 1] = np.nan

    def label(nc):
        nc["y"][3] = 7

    apply(change(nan), "x[4, 1] is not a number")
    apply(change(label), "y[3] is 7")
    apply(change(lambda nc: nc.renameVariable("x", "z")), "x")
    with netCDF4.Dataset(saved / "bad.nc", "w") as nc:
        nc.createDimension("sample", 3)
        nc.createDimension("feature", 5)
        nc.createVariable("x", "f8", ("sample", "feature"))[:] = 1
    apply(saved / "bad.nc", "5 features", "takes 2")
    assert not (saved / "e.nc").exists()


def test_weights_that_do_not_fit(saved):
    weights = saved / "o.nc.final/run-000000.nc"
    bad = saved / "w.nc"

    def refuse(f, *words):
        bad.write_bytes(weights.read_bytes())
        with netCDF4.Dataset(bad, "a") as nc:
            f(nc)
        refused(["apply", bad, saved / "d.nc", "-o", saved / "e.nc"], ["w.nc", *words])

    refuse(lambda nc: nc.delncattr("model.kind"), "model.kind")
    refuse(lambda nc: nc.setncattr("model.width", "0"), "model.width")
    refuse(lambda nc: nc.setncattr("model.width", "9"), "layer0_weight")
    refuse(lambda nc: nc.delncattr("features"), "features")
    refuse(lambda nc: nc.setncattr("model.activation", "cube"), "model.activation")
    refuse(lambda nc: nc.renameVariable("layer1_bias", "b"), "layer1_bias")
    refuse(lambda nc: nc.setncattr("model.kind", "mpl"), "w.nc: attribute model.kind: expected one of ")
    refuse(lambda nc: nc.setncattr("model.width", "[3"), "w.nc: attribute model.width: ")
    for slip, meant in (("model.activaton", "model.activation"), ("data.augmnt", "data.augment"),
                        ("model.init.scael", "model.init.scale"), ("model.foo", "")):
        refuse(lambda nc, slip=slip: nc.setncattr(slip, "tanh"),
               f"w.nc: attribute {slip}: unknown key; did you mean {meant}")
    refuse(lambda nc: nc.renameAttribute("model.kind", "model.kidn"), "mean model.kind")


def test_attributes_that_are_no_keys(saved):
    """What other programs write of a file, and keys of other networks, are no matter."""
    with netCDF4.Dataset(saved / "o.nc.final/run-000000.nc", "a") as nc:
        nc.setncatts({"title": "t", "history": "h", "Conventions": "CF-1.8", "source": "s",
                      "torch.version": "2.1", "model": "small", "model.alpha": "0.5"})
    pl_run.run(["apply", saved / "o.nc.final/run-000000.nc", saved / "d.nc", "-o", saved / "p.nc"])


def write_elsewhere(path, weights, **attributes):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, w in weights.items():
            dims = ("sample", "feature") if name == "x" else (f"{name}_in", f"{name}_out")
            for dim, n in zip(dims, w.shape):
                nc.createDimension(dim, n)
            nc.createVariable(name, "f8", dims)[:] = w
        nc.setncatts(attributes)


def applied(folder, kind, keys, weights, x):
    write_elsewhere(folder / "w.nc", weights, features=np.int32(2), outputs=np.int32(3),
                    classes=np.int32(0), **{"model.kind": kind}, **keys)
    write_elsewhere(folder / "d.nc", {"x": x})
    pl_run.run(["apply", folder / "w.nc", folder / "d.nc", "-o", folder / "p.nc", "--overwrite"])
    with netCDF4.Dataset(folder / "p.nc") as p:
        return p["f"][:]


def test_weights_from_elsewhere(tmp_path):
    """Keys of a file that other programs wrote: texts or numbers, those that keep their defaults left
    out, such as the model.update that model.gamma belongs to."""
    rng = np.random.default_rng(5)
    shapes = {"readin": (2, 4), "layer0_in": (4, 5), "layer0_out": (5, 4), "readout": (4, 3)}
    w = {f"{k}_weight": rng.normal(size=s) for k, s in shapes.items()}
    w.update({f"{k}_bias": rng.normal(size=(1, s[1])) for k, s in shapes.items()})
    at = rng.normal(size=(7, 2))
    x, v = at @ w["readin_weight"] + w["readin_bias"], 0
    for _ in range(3):
        f = np.tanh(x @ w["layer0_in_weight"] + w["layer0_in_bias"]) @ w["layer0_out_weight"]
        v = .5 * v + .5 * (f + w["layer0_out_bias"])
        x = x + v
    want = x @ w["readout_weight"] + w["readout_bias"]
    texts = {"model.depth": "3", "model.width": "4", "model.hidden": "5", "model.gamma": "0.5",
             "model.tied": "true", "model.activation": "tanh"}
    numbers = dict(texts, **{"model.depth": np.int32(3), "model.width": np.int64(4), "model.hidden": 5.,
                             "model.gamma": .5, "model.tied": np.int8(1)})
    for keys in (texts, numbers):
        np.testing.assert_allclose(applied(tmp_path, "resmlp", keys, w, at), want, rtol=1e-12)
    with netCDF4.Dataset(tmp_path / "w.nc", "a") as nc:
        nc.setncattr("model.gamma", 1.5)
    refused(["apply", tmp_path / "w.nc", tmp_path / "d.nc", "-o", tmp_path / "e.nc"],
            ["w.nc", "model.gamma", "1.5"])


def test_thresholds_below_zero(tmp_path):
    """sign(z) max(|z| - theta, 0) for theta of either sign."""
    rng = np.random.default_rng(6)
    w = {"layer0_code_weight": rng.normal(size=(3, 3)), "layer0_input_weight": rng.normal(size=(2, 3)),
         "layer0_threshold": np.array([[-.7, .2, -.1]])}
    at = rng.normal(size=(9, 2))
    z = at @ w["layer0_input_weight"]
    assert (np.abs(z) < -w["layer0_threshold"]).any()
    want = np.sign(z) * np.maximum(np.abs(z) - w["layer0_threshold"], 0)
    keys = {"model.update": "residual", "model.depth": 1}
    np.testing.assert_allclose(applied(tmp_path, "unrolled", keys, w, at), want, rtol=1e-13)


def test_groups_from_files_are_found(tmp_path):
    """Saved with their place, from wherever they are applied; in a file of weights from elsewhere a
    relative path leads from that file."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "else").mkdir()
    (tmp_path / "sub" / "gens").write_text("(1,2,3)\n(1,2)\n")
    (tmp_path / "sub" / "s.yaml").write_text(
        "group: perm:gens\nsteps: 5\ndata.samples: 4\nrecord.final: true\n")
    pl_run.run("run sub/s.yaml -q -o a.nc", cwd=tmp_path)
    pl_run.run("data sub/s.yaml -o d.nc", cwd=tmp_path)
    weights = tmp_path / "a.nc.final" / "run-000000.nc"
    pl_run.run(["apply", weights, "../d.nc", "-o", "p.nc"], cwd=tmp_path / "else")
    with netCDF4.Dataset(weights, "a") as nc:
        nc.group = "perm:gens"
    for cwd, args in ((tmp_path, ["a.nc.final/run-000000.nc", "d.nc"]),
                      (tmp_path / "a.nc.final", ["run-000000.nc", "../d.nc"])):
        done = pl_run.run(["apply", *args, "-o", "q.nc"], cwd=cwd, code=2)
        assert "gens: No such file" in done.stderr
        if cwd == tmp_path:
            assert "a.nc.final/gens" in done.stderr
    (tmp_path / "a.nc.final" / "gens").write_text("(1,2,3)\n(1,2)\n")
    pl_run.run("apply a.nc.final/run-000000.nc d.nc -o q.nc", cwd=tmp_path)
    with netCDF4.Dataset(tmp_path / "else" / "p.nc") as p, netCDF4.Dataset(tmp_path / "q.nc") as q:
        assert np.array_equal(p["f"][:], q["f"][:])


def test_best_needs_validation(tmp_path):
    (tmp_path / "s.yaml").write_text("{model.kind: mlp, record.best: true}")
    refused(["run", tmp_path / "s.yaml", "-o", tmp_path / "o.nc"], ["record.best", "validation"])
    assert not (tmp_path / "o.nc").exists()
