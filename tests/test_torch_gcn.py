"""Classification of graphs against PyTorch in double precision: objective with regularisers,
gradients, twenty steps, outputs and attributions of the saved network, with the same weights and
batches.  Skipped where PyTorch is not installed."""

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run

torch = pytest.importorskip("torch", reason="PyTorch is not installed: no oracle for the networks")
import torch_gcn as pt  # noqa: E402 (after the skip)

torch.set_num_threads(1)
TOLERANCE, STEPS, BATCH, GRAPHS = 1e-9, 20, 5, 13


def graphs(path, classes=2):
    """Molecules at random, of one to nine nodes, with bonds, some in parts; one has no edge."""
    rng = np.random.default_rng(3)
    sizes = rng.integers(2, 10, GRAPHS)
    sizes[4] = 1
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    edges = [(s + i, s + rng.integers(i)) for s, n in zip(start, sizes) for i in range(1, n)]
    columns = {"graph_start": (("graph",), start),
               "node_feature": (("node", "feature"), rng.standard_normal((sizes.sum(), 4))),
               "edge": (("edge_number", "end"), np.array(edges)),
               "edge_feature": (("edge_number", "bond"), rng.standard_normal((len(edges), 3))),
               "label": (("graph",), np.arange(GRAPHS) % classes),
               "attribution": (("node", "alternative"), rng.integers(0, 2, (sizes.sum(), 3)))}
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, (dims, values) in columns.items():
            for dim, length in zip(dims, values.shape):
                if dim not in nc.dimensions:
                    nc.createDimension(dim, length)
            nc.createVariable(name, "f8" if values.dtype.kind == "f" else "i8", dims)[:] = values


CASES = {
    "gcn": dict(model=dict(layer="gcn", activation="tanh"), regularizer=dict(bro=.3)),
    "gcn sum": dict(model=dict(layer="gcn", pooling="sum", self_path=False), loss="softmax"),
    "graphconv": dict(model=dict(layer="graphconv", activation="silu"), loss="softmax", classes=3,
                      regularizer=dict(bro=.2, p=3, gini=1.5)),
    "gin": dict(model=dict(layer="gin", epsilon=.25, activation="tanh"),
                regularizer=dict(gini=.7, gini_of="absolute"), class_weights="balanced"),
}


def read(path):
    with netCDF4.Dataset(path) as nc:
        return {k: np.asarray(v[:]) for k, v in nc.variables.items()}


def train(folder, name, **keys):
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["run", folder / f"{name}.yaml", "-q", "-o", folder / f"{name}.nc"])
    return {k: torch.tensor(v)
            for k, v in read(folder / f"{name}.nc.final/run-000000.nc").items()}


@pytest.mark.parametrize("name", CASES)
def test_against_pytorch(tmp_path, name):
    case = CASES[name]
    graphs(tmp_path / "d.nc", case.get("classes", 2))
    data, kind = read(tmp_path / "d.nc"), case.get("loss", "logistic")
    common = dict(model=dict(case["model"], kind="gcn", depth=2, width=6), loss=kind,
                  data=dict(kind="file", path=str(tmp_path / "d.nc")), record=dict(final=True),
                  regularizer=case.get("regularizer", {}),
                  train={"batch": BATCH, "shuffle": False,
                         "class_weights": case.get("class_weights", "none")},
                  attribution=dict(points=7))
    before = train(tmp_path, "start", **common, steps=1, optimizer=dict(kind="gd", lr=1e-300))
    after = train(tmp_path, "end", **common, steps=STEPS,
                  optimizer=dict(kind="adam", lr=.01, epsilon_inside=False))
    net = pt.GCN(before, depth=2, **case["model"])
    regular = case.get("regularizer", {})
    weight = None
    if case.get("class_weights"):
        weight = torch.tensor(GRAPHS / 2 / np.bincount(data["label"]))
    steps = torch.optim.Adam(net.parameters(), lr=.01, eps=1e-8)
    whole = pt.Batch(data, np.arange(GRAPHS))
    batches = [pt.Batch(data, np.arange(i, min(i + BATCH, GRAPHS)))
               for i in range(0, GRAPHS, BATCH)]
    losses, norms = [], []
    for t in range(STEPS + 1):
        losses.append(float(pt.objective(net, whole, kind, regular, weight)))
        steps.zero_grad()
        pt.objective(net, batches[t % 3], kind, regular, weight).backward()
        norms.append(float(sum((p.grad**2).sum() for p in net.parameters())) ** .5)
        if t < STEPS:
            steps.step()
    out = read(tmp_path / "end.nc")
    at = out["step"][0].astype(int)
    np.testing.assert_allclose(out["loss"][0], np.array(losses)[at], rtol=TOLERANCE)
    np.testing.assert_allclose(out["gradient_norm"][0], np.array(norms)[at], rtol=TOLERANCE)
    h = net.embeddings(whole)
    np.testing.assert_allclose(out["bro"][0, -1], pt.bro(h, whole.sizes, regular.get("p", 2)).item(),
                               rtol=TOLERANCE)
    for key, value in net.weights().items():
        np.testing.assert_allclose(after[key], value.detach(), rtol=TOLERANCE, atol=TOLERANCE)
    pl_run.run(["apply", tmp_path / "end.nc.final/run-000000.nc", tmp_path / "d.nc", "-o",
                tmp_path / "p.nc"])
    answer = read(tmp_path / "p.nc")
    np.testing.assert_allclose(answer["f"], net.head(whole, h).detach(), rtol=TOLERANCE,
                               atol=TOLERANCE)
    for method, value in pt.attributions(net, whole, 7).items():
        np.testing.assert_allclose(answer[f"attribution_{method}"], value.detach(), rtol=1e-8,
                                   atol=1e-10, err_msg=method)


def auroc(score, positive):
    pairs = [(a > b) + (a == b) / 2 for a in score[positive] for b in score[~positive]]
    return np.mean(pairs) if pairs else np.nan


def test_scores_of_a_file(tmp_path):
    """Of nodes: the best over alternatives, the mean over graphs with both kinds of nodes; of
    graphs; weights from elsewhere."""
    graphs(tmp_path / "d.nc")
    data = read(tmp_path / "d.nc")
    common = dict(model=dict(kind="gcn", layer="graphconv", depth=2, width=6), steps=1,
                  data=dict(kind="file", path=str(tmp_path / "d.nc")), optimizer=dict(lr=1e-300),
                  record=dict(final=True))
    torch.manual_seed(1)
    w = {k: torch.randn(v.shape, dtype=torch.float64)
         for k, v in train(tmp_path, "shapes", **common).items()}
    with netCDF4.Dataset(tmp_path / "mine.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        for key, value in w.items():
            for k, n in enumerate(value.shape):
                nc.createDimension(f"{key}_{k}", n)
            nc.createVariable(key, "f8", [f"{key}_{k}" for k in (0, 1)])[:] = value
    common["model"]["init"] = dict(kind="file", path=str(tmp_path / "mine.nc"))
    brought = train(tmp_path, "in", **common)
    assert all(torch.equal(brought[k], w[k]) for k in w)
    pl_run.run(["apply", tmp_path / "in.nc.final/run-000000.nc", tmp_path / "d.nc", "-o",
                tmp_path / "p.nc"], ranks=2)
    out, begin = read(tmp_path / "p.nc"), np.append(data["graph_start"], len(data["node_feature"]))
    assert out["accuracy"] == pytest.approx(np.mean((out["f"][:, 0] > 0) == data["label"]))
    assert out["auroc"] == pytest.approx(auroc(out["f"][:, 0], data["label"] == 1), abs=1e-14)
    for method in ["cam", "gradinput", "ig", "sensitivity"]:
        best = []
        for i, j in zip(begin, begin[1:]):
            scores = [auroc(out[f"attribution_{method}"][i:j], t[i:j] == 1)
                      for t in data["attribution"].T]
            if np.isfinite(scores).any():
                best.append(np.nanmax(scores))
        assert 0 < len(best) < GRAPHS
        assert out[f"auroc_{method}"] == pytest.approx(np.mean(best), abs=1e-12)
