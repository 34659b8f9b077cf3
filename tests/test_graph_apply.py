"""Networks on graphs: a run's data in a file, saved networks on files, published splits, the best
record and patience by accuracy and cross-entropy."""

import netCDF4
import numpy as np
import pytest

import pl_run
from test_graph_nets import ALPHA, BETA, MU, N, filter_answer, operator, write_graph


def read(path):
    with netCDF4.Dataset(path) as nc:
        return {k: np.asarray(v[:]) for k, v in nc.variables.items()}


def sweep(folder, name, text):
    (folder / f"{name}.yaml").write_text(text)
    pl_run.run(["run", folder / f"{name}.yaml", "-q", "-o", folder / f"{name}.nc"])
    return read(folder / f"{name}.nc")


DATA = {
    "csbm": ("graph: csbm, nodes: 40, features: 4, samples: 12, validation: 8, test: 8", ""),
    "sbm": ("graph: sbm, nodes: 30, blocks: 3, labelling: shuffled", ""),
    "karate": ("graph: karate, samples: 10, test: 20", ""),
    "cayley": ("graph: cayley, generators: adjacent, rows: 2", "numbers"),
    "irreps": ('graph: cayley, labelling: irreps, irreps: ["2,1"]', "numbers"),
}


@pytest.mark.parametrize("name", DATA)
def test_data_make_the_same_run(tmp_path, name):
    """What `data` writes trains bitwise the same network, and `apply` says what it recorded last."""
    keys, labelling = DATA[name]
    more = "normalize: row, self_loop: 0.5, operator: row"
    head = ("{model: {kind: gnn, form: multiscale, activation: tanh, depth: 2, width: 6}, steps: 20, "
            "record.final: true, loss: square, optimizer.lr: 0.01, ")
    group = "group: S_3, " if "cayley" in keys else ""
    one = sweep(tmp_path, "one", f"{head}{group}data: {{{keys}, {more}}}}}")
    pl_run.run(["data", tmp_path / "one.yaml", "-o", tmp_path / "d.nc"], ranks=2)
    labels = f", labelling: {labelling}" if labelling else ""
    two = sweep(tmp_path, "two",
                f"{head}data: {{kind: file, path: {tmp_path}/d.nc, {more}{labels}}}}}")
    for k in ("loss", "gradient_norm", "train_mse"):
        assert np.array_equal(one[k], two[k])
    weights = tmp_path / "one.nc.final" / "run-000000.nc"
    pl_run.run(["apply", weights, tmp_path / "d.nc", "-o", tmp_path / "p.nc"], ranks=3)
    p, d = read(tmp_path / "p.nc"), read(tmp_path / "d.nc")
    train = d["split"] == 0
    y = d["target"] if labelling else np.eye(p["f"].shape[1])[d["label"]]
    assert ((p["f"] - y)[train] ** 2).mean() == pytest.approx(one["train_mse"][0, -1], rel=1e-11)
    if labelling:
        assert "prediction" not in p and float(p["mse"]) == pytest.approx(((p["f"] - y) ** 2).mean())
    else:
        assert np.array_equal(p["prediction"], p["f"].argmax(axis=1))
        assert float(p["accuracy"]) == pytest.approx((p["prediction"] == d["label"]).mean())


def weights_file(path, features=6, classes=3, **changes):
    """As one would bring in weights from elsewhere: by the names and shapes of the page."""
    rng = np.random.default_rng(3)
    w = {"hidden_weight": rng.normal(size=(features, 5)), "head_weight": rng.normal(size=(5, classes))}
    attributes = {"model.kind": "filter", "model.rule": "hf", "model.head": "mlp", "model.width": "5",
                  "model.depth": "4", "model.alpha": str(ALPHA), "model.beta": str(BETA),
                  "model.mu": str(MU), "data.self_loop": "0.5", "features": np.int32(features),
                  "outputs": np.int32(classes), "classes": np.int32(1)}
    attributes.update(changes)
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for k, v in w.items():
            for d, n in enumerate(v.shape):
                nc.createDimension(f"{k}_{d}", n)
            nc.createVariable(k, "f8", (f"{k}_0", f"{k}_1"))[:] = v
        nc.setncatts({k: v for k, v in attributes.items() if v is not None})
    return w


@pytest.mark.parametrize("labels", [True, False])
def test_apply_by_its_formulas(tmp_path, labels):
    """Operator and normalisation are the weights'; the graph, its features and labels the file's."""
    more = {} if labels else {"label": None, "split": None}
    data = write_graph(tmp_path / "g.nc", **more)
    w = weights_file(tmp_path / "w.nc")
    if not labels:
        with netCDF4.Dataset(tmp_path / "w.nc", "a") as nc:
            nc.setncatts({"features": "6", "outputs": "3", "classes": "1"})
    pl_run.run(["apply", tmp_path / "w.nc", tmp_path / "g.nc", "-o", tmp_path / "p.nc"])
    keys = {"rule": "hf", "head": "mlp", "depth": 4}
    f = filter_answer(keys, w, operator(data, "sym", 0.5), data["feature"])
    p = read(tmp_path / "p.nc")
    assert p["f"].shape == (N, 3) and np.abs(p["f"] - f).max() < 1e-12 * np.abs(f).max()
    assert ("accuracy" in p) == labels
    if labels:
        assert float(p["accuracy"]) == pytest.approx((f.argmax(axis=1) == data["label"]).mean())


@pytest.mark.parametrize("weights, graph, said", [
    (dict(features=7), {}, "6 features, and the network takes 7"),
    (dict(classes=2), {}, "3 classes, and the network 2"),
    ({"outputs": None}, {}, "expected an attribute outputs"),
    ({"outputs": np.int32(4)}, {}, "head_weight"),
    ({"outputs": "four"}, {}, "expected an attribute outputs"),
    ({"model.width": None}, {}, "any = 64, its outputs: as many as model.width)"),
    ({"model.alpah": "0.1"}, {}, "w.nc: attribute model.alpah: unknown key; did you mean model.alpha?"),
    ({}, {"edge": (("edges", "ends"), np.array([[0, N]])), "weight": None}, "edge(0, 1)"),
])
def test_what_does_not_fit_is_refused(tmp_path, weights, graph, said):
    write_graph(tmp_path / "g.nc", **graph)
    weights_file(tmp_path / "w.nc", **weights)
    done = pl_run.run(["apply", tmp_path / "w.nc", tmp_path / "g.nc", "-o", tmp_path / "p.nc"], code=2)
    assert said in done.stderr
    assert not (tmp_path / "p.nc").exists()


@pytest.mark.parametrize("split", [1, 2])
def test_a_class_of_one_node_trains_no_one(tmp_path, split):
    """As in the published splits of Texas: its node is in the validation or test part."""
    label = np.arange(N) % 3
    label[20] = 3
    part = np.r_[np.zeros(15), np.full(N - 15, split)].astype(int)
    changes = {"label": (("node",), label), "split": (("node",), part)}
    write_graph(tmp_path / "g.nc", **changes)
    text = f"{{model: {{kind: filter}}, data: {{kind: file, path: {tmp_path}/g.nc}}, steps: 3}}"
    done = pl_run.run(["run", "-", "-o", tmp_path / "o.nc"], stdin=text)
    assert "warning" in done.stderr and "class 3" in done.stderr
    changes["label"][1][21] = 3  # two nodes could be shared out
    write_graph(tmp_path / "g.nc", **changes)
    done = pl_run.run(["run", "-", "-o", tmp_path / "p.nc"], stdin=text, code=2)
    assert "data.path" in done.stderr and "class 3" in done.stderr


def test_a_closed_form_beyond_memory(tmp_path):
    """A dense factor of 1000 nodes is 8 MB: refused before any work; its iteration fits."""
    text = ("{{model: {{kind: filter, rule: ppnp, solve: {}}}, data: {{graph: csbm, nodes: 1000}}, "
            "steps: 2}}")
    limit = ["-m", "8M"]
    done = pl_run.run(["run", "-", "-o", tmp_path / "o.nc", *limit], stdin=text.format("closed"), code=3)
    assert "closed" in done.stderr and "does not fit" in done.stderr
    assert not list(tmp_path.iterdir())
    pl_run.run(["run", "-", "-o", tmp_path / "o.nc", *limit], stdin=text.format("iterate"))


def test_best_record_and_patience(tmp_path):
    """Ties of accuracy by cross-entropy; a run ends when neither is as good as the best for long."""
    patience = 4
    got = sweep(tmp_path, "s", "{model: {kind: filter, rule: appnp, head: mlp, width: 4, dropout: 0.5}, "
                "data: {graph: csbm, nodes: 60, features: 4, samples: 20, validation: 12, test: 20}, "
                "epochs: 120, record.every_epoch: true, optimizer: {kind: adam, lr: 0.1}, "
                f"stop.patience: {patience}, seed: 0..5}}")
    early = 0
    for r in range(6):
        n = int(got["steps_done"][r]) + 1
        accuracy, entropy = (got[f"validation_{k}"][r, :n] for k in ("accuracy", "cross_entropy"))
        best = np.lexsort((entropy, -accuracy))[0]
        assert got["best_step"][r] == best
        assert got["validation_best"][r] == accuracy[best]
        assert got["test_at_best"][r] == got["test_accuracy"][r, best]
        first = accuracy == np.maximum.accumulate(accuracy)
        second = entropy == np.minimum.accumulate(entropy)
        counts = np.flatnonzero(first | second)
        assert (np.diff(counts) <= patience).all()
        assert n - 1 - counts[-1] == patience or n == 121
        early += n < 121
        # The first of equal accuracy is not always the best.
    assert early and any(got["best_step"][r] != accuracy_first(got, r) for r in range(6))


def accuracy_first(got, r):
    return int(np.nanargmax(np.where(got["validation_accuracy"][r] <= 1, got["validation_accuracy"][r], -1)))
