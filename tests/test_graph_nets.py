"""Networks on graphs against numpy, dense and from the formulas; what is refused."""

import netCDF4
import numpy as np
import pytest

import pl_run

ALPHA, MU, BETA, N = 0.2, 0.6, 1.5, 40


def write_graph(path, seed=1, **changes):
    """A file of N nodes in three classes; changes replace variables, None leaves one out."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, N)
    label[:3] = [0, 1, 2]
    pairs = [(i, j) for i in range(N) for j in range(i) if rng.random() < 0.15]
    split = np.r_[np.zeros(15), np.ones(10), np.full(10, 2), np.full(5, 3)]
    data = {
        "edge": (("edges", "ends"), np.array(pairs)),
        "weight": (("edges",), rng.uniform(0.5, 2, len(pairs))),
        "feature": (("node", "features"), rng.random((N, 6)) * (rng.random((N, 6)) < 0.5)),
        "label": (("node",), label),
        "split": (("node",), split.astype(int)),
    }
    data.update(changes)
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.createDimension("node", N)
        for name, (dims, values) in ((n, v) for n, v in data.items() if v is not None):
            for dim, size in zip(dims, values.shape):
                if dim not in nc.dimensions:
                    nc.createDimension(dim, size)
            nc.createVariable(name, "f8" if values.dtype.kind == "f" else "i4", dims)[:] = values
    return {name: v[1] for name, v in data.items() if v is not None}


def operator(data, kind, loop):
    a = loop * np.eye(N)
    for (i, j), w in zip(data["edge"], data["weight"]):
        a[i, j] += w
        a[j, i] += w
    d = a.sum(axis=1)
    return {"sym": a / np.sqrt(np.outer(d, d)), "row": a / d[:, None], "none": a}[kind]


def relu(x):
    return np.maximum(x, 0)


def iterate(a, z0, ratio, keep, depth):
    z = z0
    for _ in range(depth):
        z = ratio * a @ z + keep * z0
    return z


def energy_filter(rule, closed, a, h, depth):
    """Closed forms as published, and their iterations."""
    eye, xi = np.eye(N), 1 / ALPHA
    if rule == "lf":
        if closed:
            left = (MU + xi - 1) * eye + (2 - MU - xi) * a
            return np.linalg.solve(left, (MU * eye + (1 - MU) * a) @ h)
        c = 1 + ALPHA * MU - ALPHA
        z0 = (MU * h + (1 - MU) * a @ h) / c
        return iterate(a, z0, (1 + ALPHA * MU - 2 * ALPHA) / c, ALPHA, depth)
    if rule == "hf":
        if closed:
            left = (BETA + xi) * eye + (1 - BETA - xi) * a
            return np.linalg.solve(left, (eye + BETA * (eye - a)) @ h)
        d = 1 + ALPHA * BETA
        z0 = (h + BETA * (h - a @ h)) / d
        return iterate(a, z0, (ALPHA * BETA - ALPHA + 1) / d, ALPHA, depth)
    if closed:
        return ALPHA * np.linalg.solve(eye - (1 - ALPHA) * a, h)
    return iterate(a, h, 1 - ALPHA, ALPHA, depth)


def filter_answer(keys, w, a, x):
    rule, depth = keys["rule"], keys["depth"]
    if rule in ("gcn", "jknet"):
        z, states = x, []
        for l in range(1, depth + 1):
            z = a @ z @ w[f"layer{l}_weight"]
            z = z if rule == "gcn" and l == depth else relu(z)
            states.append(z)
        if rule == "gcn":
            return z
        jump = np.hstack(states) if keys.get("jump") != "max" else np.max(states, axis=0)
        return jump @ w["head_weight"]
    h = x if keys.get("head") != "mlp" else relu(x @ w["hidden_weight"])
    h = h @ w["head_weight"]
    if rule == "none":
        return h
    if rule == "sgc":
        return np.linalg.matrix_power(a, depth) @ h
    if rule == "dagnn":
        z = 0
        for k in range(depth + 1):
            p = np.linalg.matrix_power(a, k) @ h
            z = z + p / (1 + np.exp(-p @ w["gate_weight"]))
        return z
    closed = keys.get("solve") == "closed" or (rule == "ppnp" and "solve" not in keys)
    return energy_filter(rule, closed, a, h, depth)


def gnn_answer(keys, w, a, x):
    act = {"none": lambda v: v, "relu": relu, "tanh": np.tanh}[keys["activation"]]
    states = [x]
    for l in range(1, keys["depth"] + 1):
        states.append(act(a @ states[-1] @ w[f"layer{l}_weight"]))
    if keys["form"] == "plain":
        return states[-1] @ w[f"readout{keys['depth']}_weight"]
    return sum(s @ w[f"readout{l}_weight"] for l, s in enumerate(states))


FILTERS = [
    {"rule": "none", "head": "mlp"},
    {"rule": "sgc"},
    {"rule": "gcn"},
    {"rule": "ppnp", "head": "mlp"},
    {"rule": "ppnp", "solve": "iterate"},
    {"rule": "appnp", "head": "mlp"},
    {"rule": "jknet"},
    {"rule": "jknet", "jump": "max"},
    {"rule": "dagnn"},
    {"rule": "dagnn", "head": "mlp"},
    {"rule": "lf", "head": "mlp"},
    {"rule": "lf", "solve": "closed"},
    {"rule": "hf", "head": "mlp"},
    {"rule": "hf", "solve": "closed", "head": "mlp"},
]
GNNS = [{"form": f, "activation": a} for f in ("plain", "multiscale") for a in ("none", "relu", "tanh")]


def check(tmp_path, keys, answer, extra="", operator_kind="sym", loop=1, loss="softmax"):
    """A few steps, then the recorded numbers from the final weights."""
    data = write_graph(tmp_path / "g.nc")
    keys = {**keys, "depth": 3, "width": 5}
    model = ", ".join(f"{k}: {v}" for k, v in keys.items())
    (tmp_path / "s.yaml").write_text(
        f"{{model: {{{model}}}, data: {{graph: file, path: {tmp_path}/g.nc, normalize: row, "
        f"operator: {operator_kind}, self_loop: {loop}}}, loss: {loss}, steps: 6, optimizer.lr: {1e-5 if operator_kind == 'none' else 0.02}, "
        f"record.final: true{extra}}}")
    out = tmp_path / "out.nc"
    pl_run.run(["run", tmp_path / "s.yaml", "-o", out, "--overwrite"])
    final = next((tmp_path / "out.nc.final").glob("*.nc"))
    with netCDF4.Dataset(final) as nc:
        w = {k: np.array(v[:]) for k, v in nc.variables.items()}
    total = data["feature"].sum(axis=1, keepdims=True)
    x = data["feature"] / np.where(total > 0, total, 1)
    f = answer(keys, w, operator(data, operator_kind, loop), x)
    y, split, classes = data["label"], data["split"], np.eye(3)[data["label"]]
    train = split == 0
    logp = f - np.log(np.exp(f).sum(axis=1, keepdims=True))
    value = -logp[train, y[train]].mean() if loss == "softmax" else ((f - classes)[train] ** 2).sum()
    if "l2" in keys:
        value += keys["l2"] / 2 * (w[next(iter(w))] ** 2).sum()
    with netCDF4.Dataset(out) as nc:
        last = lambda name: float(nc[name][0].compressed()[-1])
        assert abs(last("loss") - value) < 1e-11 * max(1, value)
        for part, name in enumerate(("train", "validation", "test")):
            there = split == part
            assert abs(last(f"{name}_accuracy") - (f.argmax(axis=1) == y)[there].mean()) < 1e-12
            assert abs(last(f"{name}_mse") - ((f - classes)[there] ** 2).mean()) < 1e-11
            assert abs(last(f"{name}_cross_entropy") + logp[there, y[there]].mean()) < 1e-11
    return out, f


@pytest.mark.parametrize("keys", FILTERS, ids=lambda k: "-".join(k.values()))
def test_filters_by_their_formulas(tmp_path, keys):
    """ppnp, lf and hf closed go by the published linear systems, not by the ratio of the iteration."""
    more = {"alpha": ALPHA, "mu": MU, "beta": BETA, "l2": 0.1}
    check(tmp_path, {"kind": "filter", **keys, **more}, filter_answer)


@pytest.mark.parametrize("keys", GNNS, ids=lambda k: "-".join(k.values()))
@pytest.mark.parametrize("kind, loop, loss", [("sym", 1, "square"), ("row", 0.5, "softmax"), ("none", 0, "square")])
def test_gnn_by_its_formulas(tmp_path, keys, kind, loop, loss):
    scale = {"init.scale": 0.1}
    check(tmp_path, {"kind": "gnn", **keys, **scale}, gnn_answer, operator_kind=kind, loop=loop, loss=loss)


def test_optimum_is_numpys_least_squares(tmp_path):
    data = write_graph(tmp_path / "g.nc")
    (tmp_path / "s.yaml").write_text(
        f"{{model: {{kind: gnn, form: [plain, multiscale], depth: 2}}, data: {{graph: file, path: "
        f"{tmp_path}/g.nc}}, record.points: 2, steps: 1}}")
    pl_run.run(["run", tmp_path / "s.yaml", "-o", tmp_path / "o.nc"])
    s, x, train = operator(data, "sym", 1), data["feature"], data["split"] == 0
    powers = [x, s @ x, s @ s @ x]
    y = np.eye(3)[data["label"]][train]
    with netCDF4.Dataset(tmp_path / "o.nc") as nc:
        for run, g in enumerate([powers[2][train], np.hstack(powers)[train]]):
            w = np.linalg.lstsq(g, y, rcond=None)[0]
            sigma = np.linalg.svd(g, compute_uv=False)
            assert abs(nc["loss_optimum"][run, 0] - ((g @ w - y) ** 2).sum()) < 1e-10
            assert abs(nc["sigma2_min"][run, 0] - sigma[-1] ** 2) < 1e-12


def test_over_smoothing_by_its_formulas(tmp_path):
    out, z = check(tmp_path, {"kind": "filter", "rule": "sgc"}, filter_answer,
                   extra=", record.layers: true")
    with netCDF4.Dataset(out) as nc:
        assert list(nc["depth"][:]) == [0, 1, 2, 3]
        data = write_graph(tmp_path / "h.nc")
        energy = ((z * (z - operator(data, "sym", 1) @ z)).sum() / (z**2).sum())
        assert abs(nc["dirichlet_energy"][0, -1, -1] - energy) < 1e-12
        u = z / np.linalg.norm(z, axis=1, keepdims=True)
        far = (1 - u @ u.T)[~np.eye(N, dtype=bool)].mean()
        assert abs(nc["mean_average_distance"][0, -1, -1] - far) < 1e-12
        assert np.all(np.diff(nc["dirichlet_energy"][0, -1]) < 0)


def test_every_graph_has_its_own_eigenvalues(tmp_path):
    """r = alpha/(1 - (1 - alpha) a) of ppnp, on the eigenvalues that stand beside it."""
    pl_run.run(["run", "-", "-o", tmp_path / "o.nc"], stdin="{model: {kind: filter, rule: ppnp},"
               " data: {nodes: 30, samples: 10, seed: [0, 1]}, seed: [0, 1, 2], record: {response: true,"
               " points: 2}, steps: 1}")
    with netCDF4.Dataset(tmp_path / "o.nc") as nc:
        a, r = nc["eigenvalue"][:], np.ma.filled(nc["response"][:, -1], np.nan)
        assert a.shape == (60,)
        for row in r:
            there = np.isfinite(row)
            assert there.sum() == 30
            np.testing.assert_allclose(row[there], 0.1 / (1 - 0.9 * a[there]), rtol=1e-12)
    pl_run.run(["run", "-", "-o", tmp_path / "k.nc"], stdin="{model: {kind: filter, rule: ppnp},"
               " data.graph: karate, seed: [0, 1, 2], record: {response: true, points: 2}, steps: 1}")
    with netCDF4.Dataset(tmp_path / "k.nc") as nc:  # the same graph for all
        assert nc["eigenvalue"].size == 34 and not np.ma.is_masked(nc["response"][:, -1])


SWEEP = "{{model: {{kind: filter, rule: {rule}{model}}}, data: {{graph: file, path: {path}{data}}}, steps: 2}}"


@pytest.mark.parametrize("changes, key, said", [
    ({"edge": (("edges", "ends"), np.array([[0, 1], [2, N]])), "weight": None}, "data.path", "edge(1, 1)"),
    ({"edge": (("edges", "ends"), np.array([[0, 1]])), "weight": (("edges",), np.array([-1.0]))}, "data.path", "weight(0)"),
    ({"edge": (("edges", "ends"), np.array([[0, 1]])), "weight": (("edges",), np.array([np.nan]))}, "data.path", "weight[0]"),
    ({"split": (("node",), np.r_[0, 0, np.full(N - 2, 2)])}, "data.path", "class"),
    ({"split": (("node",), np.full(N, 7))}, "data.path", "split"),
    ({"split": (("node",), np.r_[0, 0, 0, np.full(N - 3, 2)]), "labelling": "shuffled"}, "data.labelling", "class"),
    ({"label": None}, "data.path", "label"),
    ({"edge": (("edges", "ends"), np.array([[0, 1]])), "weight": None, "loop": 0}, "data.self_loop", "isolated"),
])
def test_bad_files_are_refused(tmp_path, changes, key, said):
    changes = dict(changes)
    loop, labelling = changes.pop("loop", 1), changes.pop("labelling", "given")
    write_graph(tmp_path / "g.nc", **changes)
    text = SWEEP.format(rule="appnp", model="", path=tmp_path / "g.nc",
                        data=f", self_loop: {loop}, labelling: {labelling}")
    done = pl_run.run(["run", "-", "-o", tmp_path / "o.nc"], code=2, stdin=text)
    assert key in done.stderr and said in done.stderr and "g.nc" in done.stderr
    assert not (tmp_path / "o.nc").exists()


@pytest.mark.parametrize("text, key", [
    ("{model: {kind: filter, rule: lf, alpha: 0.7}}", "model.alpha"),
    ("{model: {kind: filter, rule: lf, mu: 0.4}}", "model.mu: expected a number >= 0.5 and below 1"),
    ("{model: {kind: filter, rule: lf, mu: 1}}", "model.mu"),
    ("{model: {kind: filter, rule: hf, beta: -1}}", "model.beta"),
    ("{model: {kind: filter, rule: hf, alpha: 0}}", "model.alpha"),
    ("{model: {kind: filter, rule: gcn, solve: closed}}", "model.solve"),
    ("{model: {kind: filter, rule: appnp}, data.operator: row}", "data.operator"),
    ("{model: {kind: filter, rule: sgc, head: mlp}}", "model.head"),
    ("{model: {kind: filter, rule: gcn, head: mlp}}", "model.head"),
    ("{model: {kind: filter, rule: jknet, head: mlp}}", "model.head"),
    ("{model: {kind: gnn}, data: {graph: cayley}}", "data.graph"),
    ("{model: {kind: gnn}, group: S_3, data: {graph: cayley, labelling: irreps, irreps: [\"9\"]}}", "data.irreps"),
    ("{model: {kind: gnn}, group: S_3, data: {graph: cayley, generators: nothing}}", "data.generators"),
    ("{model: {kind: gnn}, group: S_3, data: {graph: cayley}, loss: softmax}", "loss"),
    ("{model: {kind: gnn}, optimizer: {kind: flow}, train.batch: 5}", "optimizer.kind"),
    ("{model: {kind: gcnn}, group: S_3, optimizer: {kind: flow}}", "optimizer.kind"),
    ("{model: {kind: gnn}, data: {samples: 7}}", "data.samples"),
    ("{model: {kind: gnn}, data: {test: 400}}", "data.test"),
    ("{model: {kind: filter, rule: sgc}, data: {nodes: 40, blocks: 4, test: 38}}", "data.test: no node of class"),
    ("{model: {kind: gnn, activation: relu}, record.bound: true}", "record.bound"),
    ("{model: {kind: gnn}, regularizer.bro: 0.1, record.bound: true}", "record.bound"),
])
def test_values_that_do_not_fit_are_refused(tmp_path, text, key):
    done = pl_run.run(["run", "-", "-o", tmp_path / "o.nc"], code=2, stdin=text)
    assert key in done.stderr
    assert not (tmp_path / "o.nc").exists()


@pytest.mark.parametrize("kind", ["gnn", "resgnn", "filter"])
def test_initial_weights_of_another_group_are_refused(tmp_path, kind):
    """Of as many elements: only the attribute tells."""
    text = (f"{{model.kind: {kind}, group: C_6, data: {{graph: cayley, generators: standard}}, loss: square, "
            "steps: 2, record.final: true}")
    pl_run.run(["run", "-", "-o", "a.nc"], stdin=text, cwd=tmp_path)
    args = ["run", "-", "-o", "b.nc", "-s", "model.init.kind=file", "-s",
            "model.init.path=a.nc.final/run-000000.nc"]
    done = pl_run.run([*args, "-s", "group=S_3"], code=2, stdin=text, cwd=tmp_path)
    assert "run-000000.nc: its attribute group says C_6, expected S_3" in done.stderr
    assert "model.init.path" in done.stderr and not (tmp_path / "b.nc").exists()
    pl_run.run([*args, "-s", "group=C_6 "], stdin=text, cwd=tmp_path)


def test_the_flow_is_the_same_on_two_ranks(tmp_path):
    text = ("{model: {kind: gnn, form: multiscale}, group: S_3, data: {graph: cayley}, optimizer: "
            "{kind: flow, lr: 3}, steps: 60, record.schedule: linear, record.points: 7}")
    pl_run.run(["run", "-", "-o", tmp_path / "a.nc"], stdin=text)
    pl_run.run(["run", "-", "-o", tmp_path / "b.nc"], stdin=text, ranks=2)
    with netCDF4.Dataset(tmp_path / "a.nc") as a, netCDF4.Dataset(tmp_path / "b.nc") as b:
        for name in ("loss", "flow_time", "lambda_t", "bound_gap"):
            assert np.allclose(a[name][:], b[name][:], rtol=1e-12, atol=1e-14)
        assert np.all(np.diff(a["flow_time"][0]) > 0)
