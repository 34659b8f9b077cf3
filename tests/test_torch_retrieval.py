"""The retrieval network against PyTorch in double precision: losses, gradients and twenty steps with
the same weights and batches.  Skipped where PyTorch is not installed."""

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run

torch = pytest.importorskip("torch", reason="PyTorch is not installed: no oracle for retrieval")
import torch_retrieval as pt  # noqa: E402 (after the skip)

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
TOLERANCE, STEPS, BATCH, QUERIES, DOCUMENTS = 1e-9, 20, 6, 23, 40


def dense(nc, what):
    start, index, value = (np.asarray(nc[f"{what}_{k}"][:]) for k in ("start", "index", "value"))
    out = np.zeros((len(start) - 1, len(nc.dimensions["feature"])))
    out[np.repeat(np.arange(len(out)), np.diff(start)), index] = value
    return torch.tensor(out)


def corpus(path, multiple, seed=1):
    """Sparse rows; up to three relevant documents for each query, or one."""
    rng = np.random.default_rng(seed)
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        def put(name, kind, dims, values):
            for d, n in zip(dims, np.shape(values)):
                if d not in nc.dimensions:
                    nc.createDimension(d, n)
            nc.createVariable(name, kind, dims)[:] = values
        nc.createDimension("feature", 17)
        for what, n in (("document", DOCUMENTS), ("query", QUERIES)):
            rows = [np.sort(rng.choice(17, rng.integers(1, 9), replace=False)) for _ in range(n)]
            put(f"{what}_start", "i8", (f"{what}_bound",), np.cumsum([0, *map(len, rows)]))
            put(f"{what}_index", "i4", (f"{what}_entry",), np.concatenate(rows))
            put(f"{what}_value", "f8", (f"{what}_entry",), .5 * rng.standard_normal(sum(map(len, rows))))
        pairs = [(q, d) for q in range(QUERIES) for d in
                 rng.choice(DOCUMENTS, rng.integers(1, 4) if multiple else 1, replace=False)]
        put("judgement", "i4", ("judgements", "two"), pairs)


def train(folder, name, **keys):
    """Run it; the final weights."""
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["run", folder / f"{name}.yaml", "-q", "-o", folder / f"{name}.nc"])
    with netCDF4.Dataset(folder / f"{name}.nc.final/run-000000.nc") as nc:
        return {k: torch.tensor(np.asarray(v[:])) for k, v in nc.variables.items()}


CASES = {
    "adore": dict(retrieval=dict(negatives="adore", top=7)),
    "adore cut": dict(retrieval=dict(negatives="adore", top=9, cut=4)),
    "adore window": dict(retrieval=dict(negatives="adore", top=12, first=3, margin=0.3)),
    "adore exponential": dict(retrieval=dict(negatives="adore", top=40), loss="exponential",
                              model=dict(encoder="mlp", hidden=5, activation="tanh")),
    "adore mlp": dict(retrieval=dict(negatives="adore", top=5),
                      model=dict(encoder="mlp", hidden=6, depth=3)),
    "inbatch": dict(retrieval=dict(negatives="inbatch", top=5)),
    "inbatch shared": dict(retrieval=dict(negatives="inbatch", top=5), model=dict(shared=True)),
    "star": dict(retrieval=dict(negatives="star", top=1, draws=1, random_weight=0.3),
                 model=dict(encoder="mlp", hidden=5, activation="tanh")),
}
OPTIMIZERS = {
    "momentum": (dict(kind="momentum", lr=.05, momentum=.8),
                 lambda p: torch.optim.SGD(p, lr=.05, momentum=.8)),
    "adam": (dict(kind="adam", lr=.01, epsilon_inside=False),
             lambda p: torch.optim.Adam(p, lr=.01, eps=1e-8)),
}


class Retrieval:
    """The network with what its objective needs."""

    def __init__(self, case, weights, path):
        with netCDF4.Dataset(path) as nc:
            self.queries, self.documents = dense(nc, "query"), dense(nc, "document")
            pairs = np.asarray(nc["judgement"][:], dtype=np.int64)
        self.relevant = [torch.tensor(np.sort(pairs[pairs[:, 0] == q, 1])) for q in range(QUERIES)]
        self.keys = case["retrieval"]
        self.kind = case.get("loss", "logistic")
        activation = case.get("model", {}).get("activation", "relu")
        shared = "layer0_weight" in weights
        self.query = pt.Encoder(weights, "" if shared else "query_", activation)
        self.document = self.query if shared else pt.Encoder(weights, "document_", activation)
        with torch.no_grad():
            self.frozen = self.document(self.documents)
            self.lists = pt.top(self.query(self.queries) @ self.frozen.T, self.keys.get("top", 50))

    def parameters(self):
        if self.keys["negatives"] == "adore" or self.document is self.query:
            return [*self.query.parameters()]
        return [*self.query.parameters(), *self.document.parameters()]

    def weights(self):
        return {**self.query.weights(), **self.document.weights()}

    def loss(self, rows):
        q, relevant = self.query(self.queries[rows]), [self.relevant[i] for i in rows]
        kind = self.keys["negatives"]
        if kind == "adore":
            options = {k: self.keys[k] for k in ("cut", "first", "margin") if k in self.keys}
            return pt.adore(q, self.frozen, relevant, self.keys["top"], kind=self.kind, **options)
        total, positive = 0, torch.cat(relevant)
        p = self.document(self.documents[positive])
        if kind == "star":
            negative = self.lists[rows, 0]
            total = pt.against(q, p, self.document(self.documents[negative]), negative != positive)
        if kind in ("inbatch", "star"):
            weight = self.keys.get("random_weight", 1)
            total = total + weight * pt.in_batch(q, p, relevant, positive)
        return total

    def recorded(self):
        """The mean over all queries, which come as batches where the others of a batch count."""
        rows = range(QUERIES)
        if self.keys["negatives"] == "adore":
            return float(self.loss(list(rows)))
        return sum(float(self.loss(list(rows[k:k + BATCH]))) * len(rows[k:k + BATCH])
                   for k in range(0, QUERIES, BATCH)) / QUERIES


ALL = [(name, optimizer) for name in CASES for optimizer in OPTIMIZERS
       if optimizer == "adam" or name == "adore"]


@pytest.mark.parametrize("name, optimizer", ALL)
def test_steps(tmp_path, name, optimizer):
    case, (keys, make) = CASES[name], OPTIMIZERS[optimizer]
    corpus(tmp_path / "c.nc", case["retrieval"]["negatives"] == "adore")
    common = dict(case, model=dict(case.get("model", {}), kind="retrieval", width=4),
                  data=dict(kind="corpus", path=str(tmp_path / "c.nc")),
                  train=dict(batch=BATCH, shuffle=False), record=dict(final=True))
    # The weights that static lists come from are those of the start.
    free = dict(common, retrieval=dict(negatives="random", top=1))
    before = train(tmp_path, "start", **free, steps=1, optimizer=dict(kind="gd", lr=1e-300))
    if "layer0_weight" not in before:
        torch.manual_seed(4)  # two encoders that differ
        before = {k: v + .3 * torch.randn(v.shape) for k, v in before.items()}
    with netCDF4.Dataset(tmp_path / "mine.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        for key, value in before.items():
            for k, n in enumerate(value.shape):
                nc.createDimension(f"{key}_{k}", n)
            nc.createVariable(key, "f8", [f"{key}_{k}" for k in (0, 1)])[:] = value
    common["retrieval"] = dict(case["retrieval"], start=str(tmp_path / "mine.nc"))
    after = train(tmp_path, "end", **common, steps=STEPS, optimizer=keys)
    model = Retrieval(case, before, tmp_path / "c.nc")
    steps = make(model.parameters())
    norms, losses = [], []
    for t in range(STEPS + 1):
        at = t % 4 * BATCH  # batches of 6, 6, 6 and 5
        losses.append(model.recorded())
        steps.zero_grad()
        model.loss(list(range(at, min(at + BATCH, QUERIES)))).backward()
        norms.append(float(sum((p.grad**2).sum() for p in model.parameters())) ** .5)
        if t < STEPS:
            steps.step()
    with netCDF4.Dataset(tmp_path / "end.nc") as nc:
        at = np.asarray(nc["step"][0], dtype=int)
        np.testing.assert_allclose(nc["loss"][0], np.array(losses)[at], rtol=TOLERANCE)
        np.testing.assert_allclose(nc["gradient_norm"][0], np.array(norms)[at], rtol=TOLERANCE)
    assert max(norms) > 1e-3
    for key, value in model.weights().items():
        scale = max(1, float(value.abs().max()))
        error = float((value.detach() - after[key]).abs().max()) / scale
        assert error <= TOLERANCE, f"{key}: off by {error:.3g}"


def test_a_batch_at_once_is_the_mean():
    """The loss that bench_torch.py times is the one above."""
    torch.manual_seed(2)
    q, d = torch.randn(9, 5), torch.randn(30, 5)
    relevant = torch.randint(30, (9,))
    want = pt.adore(q, d, [r[None] for r in relevant], 6)
    assert float(pt.adore_batch(q, d, relevant, 6)) == pytest.approx(float(want), rel=1e-12)
