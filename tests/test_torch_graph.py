"""Networks on graphs against PyTorch in double precision: outputs, gradients and twenty steps with
the same weights.  Skipped where PyTorch is not installed."""

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run

torch = pytest.importorskip("torch", reason="PyTorch is not installed: no oracle for the networks")
import torch_graph as pt  # noqa: E402 (after the skip)

torch.set_num_threads(1)
TOLERANCE = 1e-9
STEPS, DEPTH, WIDTH, L2 = 20, 3, 5, 0.05

GRAPH = dict(graph="csbm", nodes=50, blocks=3, features=6, p_in=.2, p_out=.05, samples=15,
             normalize="row")
# A sweep each: several networks go through one start of the program.
SWEEPS = {
    "iterated": dict(kind="filter", rule=["none", "appnp", "dagnn", "lf", "hf"], head="mlp"),
    "linear": dict(kind="filter", rule=["none", "sgc", "ppnp", "dagnn"]),
    "closed": dict(kind="filter", rule=["ppnp", "lf", "hf"], solve="closed", head="mlp"),
    "layers": dict(kind="filter", rule=["gcn", "jknet"]),
    "max": dict(kind="filter", rule="jknet", jump="max"),
    "gnn": dict(kind="gnn", form=["plain", "multiscale"], activation=["none", "relu", "tanh"]),
}
OPTIMIZER = dict(kind="adam", lr=.01, epsilon_inside=False)


def read(path):
    with netCDF4.Dataset(path) as nc:
        return ({k: torch.tensor(np.asarray(v[:])) for k, v in nc.variables.items()},
                {k: nc.getncattr(k) for k in nc.ncattrs()})


def train(folder, name, **keys):
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(dict(keys, record=dict(final=True))))
    pl_run.run(["run", folder / f"{name}.yaml", "-q", "-o", folder / f"{name}.nc"])
    return sorted((folder / f"{name}.nc.final").glob("*.nc"))


def network(keys, w, s):
    """From the attributes of the file of weights."""
    depth = int(keys["model.depth"])
    if keys["model.kind"] == "gnn":
        return pt.GNN(w, s, keys["model.form"], depth, keys["model.activation"])
    solve = keys.get("model.solve", "closed" if keys["model.rule"] == "ppnp" else "iterate")
    return pt.Filter(w, s, keys["model.rule"], depth, solve == "closed", .2, .6, 1.5,
                     keys.get("model.jump", "cat"))


@pytest.mark.parametrize("name", SWEEPS)
def test_steps(tmp_path, name):
    model = dict(SWEEPS[name], depth=DEPTH, width=WIDTH)
    if model["kind"] == "filter":
        model.update(alpha=.2, mu=.6, beta=1.5, l2=L2)
    kind = "square" if model["kind"] == "gnn" else "softmax"
    common = dict(model=model, data=GRAPH, loss=kind)
    # One step of a vanishing length leaves the weights that a run begins with.
    before = train(tmp_path, "start", **common, steps=1, optimizer=dict(kind="gd", lr=1e-300))
    after = train(tmp_path, "end", **common, steps=STEPS, optimizer=OPTIMIZER)
    pl_run.run(["data", tmp_path / "end.yaml", "-o", tmp_path / "d.nc"])
    data, _ = read(tmp_path / "d.nc")
    x = data["feature"] / data["feature"].abs().sum(1, keepdim=True)
    y, part = data["label"].long(), data["split"] == 0
    s = pt.operator(data["edge"].numpy(), len(y), torch.float64)
    with netCDF4.Dataset(tmp_path / "end.nc") as nc:
        recorded = {k: np.asarray(nc[k][:]) for k in ("step", "loss", "gradient_norm")}
    assert len(before) == len(after) > 0
    for run, (start, end) in enumerate(zip(before, after)):
        w, keys = read(start)
        net = network(keys, w, s)
        first = net.w[next(iter(w))]
        l2 = L2 if model["kind"] == "filter" else 0
        steps = torch.optim.Adam(net.parameters(), lr=.01, eps=1e-8)
        losses, norms = [], []
        for t in range(STEPS + 1):
            steps.zero_grad()
            value = pt.loss(kind, net(x), y, part, l2, first)
            value.backward()
            losses.append(float(value))
            norms.append(float(sum((p.grad**2).sum() for p in net.parameters())) ** .5)
            if t < STEPS:
                steps.step()
        at = recorded["step"][run].astype(int)
        np.testing.assert_allclose(recorded["loss"][run], np.array(losses)[at], rtol=TOLERANCE)
        np.testing.assert_allclose(recorded["gradient_norm"][run], np.array(norms)[at],
                                   rtol=TOLERANCE)
        trained, _ = read(end)
        for key, value in net.weights().items():
            assert float((value - trained[key]).detach().abs().max()) <= TOLERANCE, (name, run, key)
        pl_run.run(["apply", end, tmp_path / "d.nc", "-o", tmp_path / "p.nc", "--overwrite"])
        f, (told, _) = net(x).detach(), read(tmp_path / "p.nc")
        assert float((f - told["f"]).abs().max()) <= TOLERANCE * float(f.abs().max())
        assert torch.equal(told["prediction"].long(), f.argmax(1))


def test_weights_from_pytorch(tmp_path):
    """Weights brought in by model.init.path: the loss is PyTorch's."""
    model = dict(kind="filter", rule="hf", head="mlp", width=WIDTH)
    common = dict(data=GRAPH, steps=1, optimizer=dict(lr=1e-300))
    w, _ = read(train(tmp_path, "shapes", model=model, **common)[0])
    pl_run.run(["data", tmp_path / "shapes.yaml", "-o", tmp_path / "d.nc"])
    data, _ = read(tmp_path / "d.nc")
    torch.manual_seed(5)
    s = pt.operator(data["edge"].numpy(), len(data["label"]), torch.float64)
    net = pt.Filter({k: torch.randn(v.shape, dtype=torch.float64) for k, v in w.items()}, s, "hf", 10)
    with netCDF4.Dataset(tmp_path / "mine.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        for key, value in net.weights().items():
            for k, n in enumerate(value.shape):
                nc.createDimension(f"{key}_{k}", n)
            nc.createVariable(key, "f8", [f"{key}_{k}" for k in (0, 1)])[:] = value.detach()
    model["init"] = dict(kind="file", path=str(tmp_path / "mine.nc"))
    train(tmp_path, "in", model=model, **common)
    x = data["feature"] / data["feature"].abs().sum(1, keepdim=True)
    want = float(pt.loss("softmax", net(x), data["label"].long(), data["split"] == 0))
    with netCDF4.Dataset(tmp_path / "in.nc") as nc:
        assert float(nc["loss"][0, 0]) == pytest.approx(want, rel=1e-12)
