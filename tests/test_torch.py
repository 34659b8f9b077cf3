"""Networks over the tape against PyTorch in double precision: outputs, gradients and twenty steps,
with the same weights and batches.  Skipped where PyTorch is not installed."""

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run

torch = pytest.importorskip("torch", reason="PyTorch is not installed: no oracle for the networks")
import torch_recursion as pr  # noqa: E402 (after the skip)
import torch_vector as pt  # noqa: E402

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
TOLERANCE = 1e-9
STEPS = 20

CASES = {
    "mlp": dict(model=dict(kind="mlp", width=7, activation="tanh"), data=dict(samples=23, classes=3)),
    "mlp relu": dict(model=dict(kind="mlp", depth=4, width=9), data=dict(samples=23)),
    "mlp no bias": dict(model=dict(kind="mlp", width=5, activation="softplus", bias=False),
                        data=dict(samples=23), loss="logistic"),
    "curve": dict(model=dict(kind="mlp", depth=2, width=12, activation="silu"),
                  data=dict(kind="curve", samples=23, noise=.1)),
    "linear": dict(model=dict(kind="mlp", depth=3, width=4, activation="none"),
                   data=dict(kind="curve", samples=23), loss="square"),
    "one-hot": dict(model=dict(kind="mlp", depth=2, width=6, activation="sigmoid"),
                    data=dict(samples=23, classes=4), loss="square"),
    "conv": dict(model=dict(kind="conv", depth=2, width=4, activation="tanh"),
                 data=dict(kind="bars", samples=23, side=9)),
    "conv strided": dict(model=dict(kind="conv", depth=2, width=3, kernel=4, stride=2, padding=2,
                                    pooling="none"), data=dict(kind="bars", samples=23, side=8)),
    "conv mean": dict(model=dict(kind="conv", depth=2, width=5, kernel=2, padding=0, pooling="mean",
                                 head="mean", activation="silu", bias=False),
                      data=dict(kind="bars", samples=23, side=11), loss="square"),
}
for tied in (False, True):
    for name, more in {"residual": dict(update="residual"), "revnet": dict(update="revnet", scale=.3),
                       "momentum": dict(gamma=.8),
                       "reversible": dict(gamma=.8, store="reversible")}.items():
        CASES[f"resmlp {name} {tied}"] = dict(
            model=dict(kind="resmlp", depth=9, tied=tied, width=6, hidden=5, activation="tanh", **more),
            data=dict(samples=23, classes=3))
        if not tied and name != "reversible":
            continue
        CASES[f"unrolled {name} {tied}"] = dict(
            model=dict(kind="unrolled", depth=5, tied=tied, **more),
            data=dict(samples=23, features=4, atoms=6))
CASES["resmlp bare"] = dict(model=dict(kind="resmlp", depth=12, gamma=.5, hidden=4, read_in=False,
                                       read_out=False, activation="silu", store="reversible"),
                            data=dict(kind="curve", samples=23))
OPTIMIZERS = {
    "gd": (dict(kind="gd", lr=.1), lambda p: torch.optim.SGD(p, lr=.1)),
    "momentum": (dict(kind="momentum", lr=.05, momentum=.8, weight_decay=.01),
                 lambda p: torch.optim.SGD(p, lr=.05, momentum=.8, weight_decay=.01)),
    "adam": (dict(kind="adam", lr=.01, epsilon_inside=False),
             lambda p: torch.optim.Adam(p, lr=.01, eps=1e-8)),
}


def read(path):
    with netCDF4.Dataset(path) as nc:
        return {k: torch.tensor(np.asarray(v[:])) for k, v in nc.variables.items()}


def train(folder, name, **keys):
    """Run it; the weights before, and the output with those after."""
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["run", folder / f"{name}.yaml", "-q", "-o", folder / f"{name}.nc"])
    return read(folder / f"{name}.nc.final/run-000000.nc")


def network(case, w):
    ours = ("kind", "width", "bias", "hidden", "store", "read_in", "read_out")
    keys = {k: v for k, v in case["model"].items() if k not in ours}
    kind = case["model"]["kind"]
    if kind == "mlp":
        return pt.MLP(w, keys.pop("depth", 3), **keys)
    return {"conv": pt.Conv, "resmlp": pr.ResMLP, "unrolled": pr.Unrolled}[kind](w, **keys)


ALL = [(name, optimizer) for name in CASES for optimizer in OPTIMIZERS
       if name in ("mlp", "conv") or optimizer == "adam"]


@pytest.mark.parametrize("name, optimizer", ALL)
def test_steps(tmp_path, name, optimizer):
    case, (keys, make) = CASES[name], OPTIMIZERS[optimizer]
    common = dict(case, train=dict(batch=6, shuffle=False), record=dict(final=True))
    # One step of a vanishing length leaves the weights that a run begins with.
    before = train(tmp_path, "start", **common, steps=1, optimizer=dict(kind="gd", lr=1e-300))
    after = train(tmp_path, "end", **common, steps=STEPS, optimizer=keys)
    pl_run.run(["data", tmp_path / "end.yaml", "-o", tmp_path / "d.nc"])
    data = read(tmp_path / "d.nc")
    x, y = data["x"], data["y"]
    with netCDF4.Dataset(tmp_path / "d.nc") as nc:
        classes = int(getattr(nc["y"], "classes", 0))
        if case["model"]["kind"] == "conv":
            x = x.view(-1, *[int(k) for k in nc["x"].image])
    kind = case.get("loss", "softmax" if classes else "square")
    model = network(case, before)
    steps = make(model.parameters())
    norms, losses = [], []
    for t in range(STEPS + 1):
        at = t % 4 * 6  # batches of 6, 6, 6 and 5
        f = model(x)
        losses.append(float(pt.loss(kind, f, y, classes)))
        steps.zero_grad()
        pt.loss(kind, model(x[at:at + 6]), y[at:at + 6], classes).backward()
        norms.append(float(sum((p.grad**2).sum() for p in model.parameters())) ** .5)
        if t < STEPS:
            steps.step()
    with netCDF4.Dataset(tmp_path / "end.nc") as nc:
        at = np.asarray(nc["step"][0], dtype=int)
        np.testing.assert_allclose(nc["loss"][0], np.array(losses)[at], rtol=TOLERANCE)
        np.testing.assert_allclose(nc["gradient_norm"][0], np.array(norms)[at], rtol=TOLERANCE)
    for key, value in model.weights().items():
        scale = max(1, float(value.abs().max()))
        error = float((value.detach() - after[key]).abs().max()) / scale
        assert error <= TOLERANCE, f"{key}: off by {error:.3g}"
    # Outputs of the saved network.
    pl_run.run(["apply", tmp_path / "end.nc.final/run-000000.nc", tmp_path / "d.nc", "-o",
                tmp_path / "p.nc"])
    f = model(x).detach()
    assert float((f - read(tmp_path / "p.nc")["f"]).abs().max()) <= TOLERANCE * float(f.abs().max())


@pytest.mark.parametrize("name", ["mlp", "conv"])
def test_weights_from_pytorch(tmp_path, name):
    """Weights brought in by model.init.path: the loss is PyTorch's."""
    case = CASES[name]
    common = dict(case, record=dict(final=True), steps=1, optimizer=dict(lr=1e-300))
    w = train(tmp_path, "shapes", **common)
    pl_run.run(["data", tmp_path / "shapes.yaml", "-o", tmp_path / "d.nc"])
    torch.manual_seed(5)
    model = network(case, {k: torch.randn(v.shape) * .4 for k, v in w.items()})
    with netCDF4.Dataset(tmp_path / "mine.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        for key, value in model.weights().items():
            for k, n in enumerate(value.shape):
                nc.createDimension(f"{key}_{k}", n)
            nc.createVariable(key, "f8", [f"{key}_{k}" for k in (0, 1)])[:] = value.detach()
    mine = dict(common, model=dict(case["model"], init=dict(kind="file",
                                                            path=str(tmp_path / "mine.nc"))))
    train(tmp_path, "in", **mine)
    data = read(tmp_path / "d.nc")
    x = data["x"].view(-1, 9, 9, 1) if name == "conv" else data["x"]
    want = float(pt.loss("softmax", model(x), data["y"], 0))
    with netCDF4.Dataset(tmp_path / "in.nc") as nc:
        assert float(nc["loss"][0, 0]) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("kind, fan", [("mlp", 7), ("conv", 9 * 4)])
def test_initial_scale(tmp_path, kind, fan):
    """The rule of PyTorch's layers: weights and biases uniform on +-1/sqrt(inputs)."""
    case = CASES["mlp" if kind == "mlp" else "conv"]
    w = train(tmp_path, "w", **dict(case, record=dict(final=True), steps=1,
                                    optimizer=dict(lr=1e-300)))["layer1_weight"]
    assert w.shape[0] == fan
    assert .8 < float(w.abs().max()) * fan**.5 <= 1
