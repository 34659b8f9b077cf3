"""Networks on points against PyTorch in double precision: outputs and twenty steps, with the same
weights and batches.  Skipped where PyTorch is not installed."""

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run

torch = pytest.importorskip("torch", reason="PyTorch is not installed: no oracle for the networks")
import torch_points as pt  # noqa: E402 (after the skip)

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
TOLERANCE = 1e-9
STEPS = 20
SYSTEMS = dict(kind="nbody", samples=11, nodes=4, validation=2, input=3, output=6)
WIDE = dict(depth=3, width=6, gain=1)

CASES = {
    "egnn": (dict(kind="egnn", **WIDE), SYSTEMS, "square"),
    "egnn plane attention": (dict(kind="egnn", edge_attention=True, **WIDE), dict(SYSTEMS, dimension=2),
                             "absolute"),
    "egnn updated": (dict(kind="egnn", velocity="updated", shrink=.01, **WIDE), SYSTEMS, "square"),
    "egnn graphs": (dict(kind="egnn", shrink=.001, **WIDE), "graphs", "logistic"),
    "egnn molecules": (dict(kind="egnn", edge_attention=True, **WIDE), "molecules", "absolute"),
    "gnn-points": (dict(kind="gnn-points", depth=3, width=6), SYSTEMS, "square"),
    "gnn-points graphs": (dict(kind="gnn-points", depth=3, width=6), "graphs", "logistic"),
    "radial": (dict(kind="radial", **WIDE), SYSTEMS, "square"),
    "radial tanh": (dict(kind="radial", form="tanh", **WIDE), dict(SYSTEMS, dimension=5), "square"),
    "radial graphs": (dict(kind="radial", form="root", shrink=.01, **WIDE), "graphs", "logistic"),
    "linear": (dict(kind="linear"), SYSTEMS, "square"),
    "linear molecules": (dict(kind="linear"), "molecules", "square"),
}


def read(path):
    with netCDF4.Dataset(path) as nc:
        return {k: torch.tensor(np.asarray(v[:])) for k, v in nc.variables.items()}


def train(folder, name, **keys):
    """Run it; the weights at its end."""
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["run", folder / f"{name}.yaml", "-q", "-o", folder / f"{name}.nc"])
    return read(folder / f"{name}.nc.final/run-000000.nc")


def put(nc, name, dims, values, kind="f8"):
    for dim, n in zip(dims, np.shape(values)):
        if dim not in nc.dimensions:
            nc.createDimension(dim, n)
    nc.createVariable(name, kind, dims)[:] = values


def write_graphs(path):
    """Graphs whose nodes have positions, so that nothing is drawn."""
    rng = np.random.default_rng(4)
    sizes, edges, base = [4, 6, 3, 5, 7, 4, 5, 2, 6, 3, 5], [], 0
    for n in sizes:
        own = [(i, j) for i in range(n) for j in range(i) if rng.random() < .5] or [(0, 1)]
        edges += [(base + i, base + j) for i, j in own]
        base += n
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        put(nc, "graph_start", ["start"], np.concatenate([[0], np.cumsum(sizes)]), "i8")
        put(nc, "position", ["node", "axis"], rng.standard_normal((base, 3)))
        put(nc, "edge", ["edges", "ends"], edges, "i4")


def write_molecules(path):
    rng = np.random.default_rng(5)
    sizes = [3, 1, 4, 2, 5, 3, 6, 2, 4, 3, 5]
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        put(nc, "molecule_start", ["start"], np.concatenate([[0], np.cumsum(sizes)]), "i8")
        put(nc, "position", ["atom", "axis"], rng.standard_normal((sum(sizes), 3)))
        put(nc, "number", ["atom"], rng.choice([1, 6, 8], sum(sizes)), "i4")
        put(nc, "target", ["molecule"], rng.standard_normal(len(sizes)) * 30 - 100)


def keys_of(folder, data):
    if data == "graphs":
        write_graphs(folder / "g.nc")
    elif data == "molecules":
        write_molecules(folder / "g.nc")
    else:
        return data
    return dict(kind="file", path=str(folder / "g.nc"))


# ---- the same data in PyTorch ----


class Samples:
    """What a file holds, and batches of its training part; every sample is at `first` to `last`."""

    def __init__(self, path):
        d = read(path)
        self.d, split = d, d["split"].numpy() if "split" in d else None
        if d["position"].dim() == 3:
            samples, nodes = d["position"].shape[:2]
            start = np.arange(samples + 1) * nodes
            for key in ("position", "velocity", "target"):
                d[key] = d[key].reshape(samples * nodes, -1)
            d["charge"] = d["charge"].reshape(-1, 1)
        else:
            start = next(d[k] for k in d if k.endswith("_start")).numpy()
        self.start = start
        self.train = np.arange(len(start) - 1) if split is None else np.flatnonzero(split == 0)
        if "number" in d:
            self.elements = np.unique(d["number"].numpy())
            y = d["target"][self.train]
            self.mean = y.mean()
            self.deviation = (y - self.mean).abs().mean()

    def atoms(self, number):
        z = number.numpy() / self.elements.max()
        rows = np.zeros((len(z), 3 * len(self.elements)))
        for k, element in enumerate(self.elements):
            for p in range(3):
                rows[:, 3 * k + p] = (number.numpy() == element) * z**p
        return torch.tensor(rows)

    def batch(self, which):
        """Cloud, and a function of loss and answer."""
        d, nodes = self.d, np.concatenate([np.arange(self.start[s], self.start[s + 1])
                                           for s in which])
        b = pt.Cloud([int(self.start[s + 1] - self.start[s]) for s in which],
                     position=d["position"][nodes])
        if "velocity" in d:
            b.velocity, b.charge, b.y = d["velocity"][nodes], d["charge"][nodes], d["target"][nodes]
        elif "number" in d:
            b.atom = self.atoms(d["number"][nodes])
            b.y = (d["target"][which, None] - self.mean) / self.deviation
        else:
            ends = {tuple(e) for e in d["edge"].tolist()}
            pairs = zip(nodes[b.first], nodes[b.second])
            b.edge = torch.tensor([[float((i, j) in ends or (j, i) in ends)] for i, j in pairs])
        return b


def loss_of(kind, b, f):
    if kind == "logistic":
        return torch.nn.functional.binary_cross_entropy_with_logits(
            f, b.edge, reduction="sum") / len(b.sizes)
    e = f - b.y
    return (e**2 if kind == "square" else e.abs()).mean()


def network(model, w):
    keys = {k: v for k, v in model.items() if k not in ("kind", "width", "gain")}
    kinds = {"egnn": pt.EGNN, "gnn-points": pt.GNN, "radial": pt.Radial, "linear": pt.Linear}
    return kinds[model["kind"]](w, **keys)


ALL = [(name, "adam") for name in CASES] + [("egnn", "gd"), ("gnn-points", "momentum")]
OPTIMIZERS = {
    "gd": (dict(kind="gd", lr=1e-3), lambda p: torch.optim.SGD(p, lr=1e-3)),
    "momentum": (dict(kind="momentum", lr=.01, momentum=.8),
                 lambda p: torch.optim.SGD(p, lr=.01, momentum=.8)),
    "adam": (dict(kind="adam", lr=.003, epsilon_inside=False, weight_decay=1e-3),
             lambda p: torch.optim.Adam(p, lr=.003, weight_decay=1e-3)),
}


@pytest.mark.parametrize("name, optimizer", ALL)
def test_steps(tmp_path, name, optimizer):
    model, data, kind = CASES[name]
    keys, make = OPTIMIZERS[optimizer]
    common = dict(model=model, data=keys_of(tmp_path, data), loss=kind, record=dict(final=True),
                  train=dict(batch=4, shuffle=False))
    # One step of a vanishing length leaves the weights that a run begins with.
    before = train(tmp_path, "start", **common, steps=1, optimizer=dict(kind="gd", lr=1e-300))
    after = train(tmp_path, "end", **common, steps=STEPS, optimizer=keys)
    pl_run.run(["data", tmp_path / "end.yaml", "-o", tmp_path / "d.nc"])
    samples = Samples(tmp_path / "d.nc")
    net = network(model, before)
    steps = make(net.parameters())
    losses = []
    batches = [samples.batch(samples.train[at:at + 4]) for at in (0, 4, 8)]  # of 4, 4 and 3
    whole = samples.batch(samples.train)
    for t in range(STEPS + 1):
        losses.append(float(loss_of(kind, whole, net(whole)).detach()))
        steps.zero_grad(set_to_none=True)
        b = batches[t % 3]
        loss_of(kind, b, net(b)).backward()
        # phi_h of the last layer is in no output; here it has a gradient, 0, and so weight decay.
        for p in net.parameters():
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        if t < STEPS:
            steps.step()
    with netCDF4.Dataset(tmp_path / "end.nc") as nc:
        at = np.asarray(nc["step"][0], dtype=int)
        if kind != "logistic" and "velocity" in samples.d:  # equal sizes: a mean is a mean of means
            np.testing.assert_allclose(nc["loss"][0], np.array(losses)[at], rtol=TOLERANCE)
    for key, value in net.weights().items():
        scale = max(1, float(value.detach().abs().max()))
        error = float((value.detach() - after[key]).abs().max()) / scale
        assert error <= TOLERANCE, f"{key}: off by {error:.3g}"
    assert set(net.weights()) == set(after)
    # Outputs of the saved network, on all samples of the file.
    pl_run.run(["apply", tmp_path / "end.nc.final/run-000000.nc", tmp_path / "d.nc", "-o",
                tmp_path / "p.nc"])
    p, b = read(tmp_path / "p.nc"), samples.batch(np.arange(len(samples.start) - 1))
    f = net(b).detach()
    if "position" in p:
        got, want = p["position"].reshape(len(f), -1), f
    elif "probability" in p:
        got, want = p["probability"][:, None], torch.sigmoid(f)
        assert torch.equal(p["pair_node"], torch.stack([b.first, b.second], 1))
        assert torch.equal(p["adjacency"] > 0, want[:, 0] > .5)
    else:
        got, want = p["prediction"][:, None], f * samples.deviation + samples.mean
    assert float((got - want).abs().max()) <= TOLERANCE * max(1, float(want.abs().max()))
    if "mse" in p:
        assert float(p["mse"]) == pytest.approx(float(((f - b.y)**2).mean()), rel=1e-9)
    if "mae" in p:
        gap = (want[:, 0] - samples.d["target"]).abs().mean()
        assert float(p["mae"]) == pytest.approx(float(gap), rel=1e-9)
    if "f1" in p:
        said, is_edge = f[:, 0] > 0, b.edge[:, 0] > 0
        hits, wrong = (said & is_edge).sum(), (said != is_edge).sum()
        assert float(p["f1"]) == pytest.approx(float(hits / (hits + wrong / 2)), rel=1e-12)
        assert float(p["error"]) == pytest.approx(float(wrong / len(f)), rel=1e-12)
        assert float(p["bce"]) == pytest.approx(float(loss_of(kind, b, f)), rel=1e-9)


def test_initial_weights(tmp_path):
    """The rule of PyTorch's layers, and the small gain of phi_x."""
    w = train(tmp_path, "w", model=dict(kind="egnn", width=64), data=dict(SYSTEMS, samples=2),
              record=dict(final=True), steps=1, optimizer=dict(lr=1e-300))
    edge, last = w["layer1_edge1_weight"], w["layer1_coord2_weight"]
    assert edge.shape == (2 * 64 + 3, 64)
    assert .97 < float(edge.abs().max()) * edge.shape[0]**.5 <= 1
    assert .9 < float(last.abs().max()) / (1e-3 * (6 / 65)**.5) <= 1
