"""The outer loop against PyTorch in double precision: twenty outer steps of every method, from
weights brought in and on the same tasks, losses and meta-gradients on the way, and predictions of the saved
weights.  Skipped where PyTorch is not installed."""

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run
from test_images import write_idx

torch = pytest.importorskip("torch", reason="PyTorch is not installed: no oracle for the networks")
import torch_meta as pt  # noqa: E402 (after the skip)

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
TOLERANCE, STEPS, TASKS = 1e-9, 20, 3
SMALL = dict(steps=4, lr=.05)  # of the inner loop


def s_3():
    """table[g, h]: gh, (st)(i) = s(t(i)), elements in lexicographic order."""
    elements = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    return torch.tensor([[elements.index(tuple(s[t[i]] for i in range(3))) for t in elements]
                         for s in elements])


MLP = dict(model=dict(width=6, activation="tanh"), data=dict(kind="sinusoid", shots=5, queries=4))
CONV = dict(model=dict(depth=2, width=3, activation="softplus"), meta=dict(inner="conv"),
            data=dict(kind="fewshot", ways=3, shots=2, queries=2))
GCNN = dict(group="S_3", meta=dict(inner="gcnn"),
            data=dict(kind="group", irreps=["2,1"], shots=4, queries=5))
QUADRATIC = dict(meta=dict(inner="quadratic"), data=dict(kind="quadratic", dimension=5))
NETWORK = {
    "mlp": (MLP, pt.mlp("tanh")), "gcnn": (GCNN, pt.gcnn(s_3())),
    "quadratic": (QUADRATIC, pt.linear), "conv": (CONV, pt.conv((8, 8, 1), "softplus")),
    "conv mean": (dict(CONV, model=dict(depth=2, width=4, activation="silu", norm="none", stride=1,
                                        pooling="mean", head="mean")),
                  pt.conv((8, 8, 1), "silu", 1, "none", "mean", "mean")),
    "conv max": (dict(CONV, model=dict(depth=1, width=4, activation="tanh", pooling="max")),
                 pt.conv((8, 8, 1), "tanh", pooling="max")),
}
METHOD = {
    "imaml": dict(method="imaml", lam=2.), "imaml steep": dict(method="imaml", lam=9., cg_steps=12),
    "damped": dict(method="imaml", lam=2., operator="damped", damping=1.),
    "maml": dict(method="maml", lam=0.), "maml pull": dict(method="maml", lam=1.5),
    "fomaml": dict(method="fomaml", lam=0.), "reptile": dict(method="reptile", lam=0.),
}
OPTIMIZER = {
    "gd": (dict(kind="gd", lr=.02), lambda p: torch.optim.SGD(p, lr=.02)),
    "adam": (dict(kind="adam", lr=.01, epsilon=1e-3, epsilon_inside=False),
             lambda p: torch.optim.Adam(p, lr=.01, eps=1e-3)),
}
CASES = [("mlp", m, "gd") for m in METHOD if m != "imaml"] + [
    ("conv", "imaml", "adam"), ("conv", "maml", "adam"), ("gcnn", "imaml", "gd"),
    ("quadratic", "damped", "gd"), ("conv mean", "maml pull", "gd"), ("conv max", "imaml steep", "gd")]


def dense(*sizes):
    out = {}
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        out.update({f"layer{i}_weight": (a, b), f"layer{i}_bias": (1, b)})
    return out


def filters(depth, width, inputs, norm=True):
    out = {}
    for i in range(depth):
        out.update({f"layer{i}_weight": (9 * (width if i else 1), width),
                    f"layer{i}_bias": (1, width)})
        if norm:
            out.update({f"layer{i}_gain": (1, width), f"layer{i}_shift": (1, width)})
    return dict(out, head_weight=(inputs, 3), head_bias=(1, 3))


SHAPES = {"mlp": dense(1, 6, 6, 1), "gcnn": {"layer0_weight": (6, 1), "layer1_weight": (6, 1)},
          "quadratic": {"layer0_weight": (5, 1)}, "conv": filters(2, 3, 12),
          "conv mean": filters(2, 4, 4, norm=False), "conv max": filters(1, 4, 16)}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Seven classes of five images of 8 x 8 pixels."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("idx")
    base = rng.integers(0, 200, (7, 8, 8))
    all_of = [base[i % 7] + rng.integers(0, 55, (8, 8)) for i in range(35)]
    return write_idx(folder, np.array(all_of), [i % 7 for i in range(35)])


def read(path):
    with netCDF4.Dataset(path) as nc:
        return {k: torch.tensor(np.asarray(v[:])) for k, v in nc.variables.items()}


def sweep(case, method, images, **more):
    keys = {k: dict(v) if isinstance(v, dict) else v for k, v in case.items()}
    keys["model"] = dict(keys.get("model", {}), kind="meta")
    keys["data"].update(samples=7, test=2)
    if keys["data"]["kind"] == "fewshot":
        keys["data"].update(path=images[0], labels=images[1])
    names = {"lam": "lambda", "steps": "inner_steps", "lr": "inner_lr"}
    keys["meta"] = dict(keys.get("meta", {}), tasks=TASKS,
                        **{names.get(k, k): v for k, v in dict(SMALL, **method).items()})
    return dict(keys, train=dict(shuffle=False), record=dict(final=True), **more)


def train(folder, name, keys):
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["run", folder / f"{name}.yaml", "-q", "-o", folder / f"{name}.nc"])
    return read(folder / f"{name}.nc.final/run-000000.nc")


def write(path, weights):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for key, value in weights.items():
            for k, n in enumerate(value.shape):
                nc.createDimension(f"{key}_{k}", n)
            nc.createVariable(key, "f8", [f"{key}_{k}" for k in (0, 1)])[:] = value


def tasks_of(path, part):
    """(support x, y, query x, y) of the tasks of a part."""
    data = read(path)
    with netCDF4.Dataset(path) as nc:
        n = int(nc["x"].support)
    y = data["y"].long() if data["y"].dim() == 2 else data["y"]
    return [(data["x"][i, :n], y[i, :n], data["x"][i, n:], y[i, n:])
            for i in torch.nonzero(data["split"] == part)[:, 0]]


@pytest.mark.parametrize("name, method, optimizer", CASES)
def test_steps(tmp_path, images, name, method, optimizer):
    (case, outputs), how, (keys, make) = NETWORK[name], METHOD[method], OPTIMIZER[optimizer]
    torch.manual_seed(1)
    before = {k: torch.randn(shape) * .3 for k, shape in SHAPES[name].items()}
    write(tmp_path / "start.nc", before)
    end = sweep(case, how, images, steps=STEPS, optimizer=keys)
    end["model"]["init"] = dict(kind="file", path=str(tmp_path / "start.nc"))
    after = train(tmp_path, "end", end)
    pl_run.run(["data", tmp_path / "end.yaml", "-o", tmp_path / "d.nc"])
    tasks = tasks_of(tmp_path / "d.nc", 0)
    assert len(tasks) == 7
    outer = pt.Outer(outputs, before, make, **SMALL, **how)
    losses, norms = [], []
    for t in range(STEPS + 1):
        at = t % 3 * TASKS  # steps of 3, 3 and 1 tasks
        value, norm = outer.gradient(tasks[at:at + TASKS])
        losses.append(value)
        norms.append(norm)
        if t < STEPS:
            outer.optimizer.step()
    with netCDF4.Dataset(tmp_path / "end.nc") as nc:
        at = np.asarray(nc["step"][0], dtype=int)
        np.testing.assert_allclose(nc["meta_loss"][0], np.array(losses)[at], rtol=TOLERANCE)
        np.testing.assert_allclose(nc["gradient_norm"][0], np.array(norms)[at], rtol=TOLERANCE)
        # After adaptation, on the test tasks.
        classes = "post_adaptation_accuracy" in nc.variables
        post = float(nc["post_adaptation_" + ("accuracy" if classes else "mse")][0, -1])
    for key, value in outer.theta.items():
        error = float((value.detach() - after[key]).abs().max()) / max(1, float(value.abs().max()))
        assert error <= TOLERANCE, f"{key}: off by {error:.3g}"
    pl_run.run(["apply", tmp_path / "end.nc.final/run-000000.nc", tmp_path / "d.nc", "-o",
                tmp_path / "p.nc"])
    told, found = read(tmp_path / "p.nc")["f"], []
    pull = 0 if how.get("operator") == "damped" else how["lam"]
    for x, y, query_x, query_y in tasks + tasks_of(tmp_path / "d.nc", 2):
        phi = pt.adapt(outputs, {k: v.detach() for k, v in outer.theta.items()}, x, y, pull=pull,
                       **SMALL)
        found.append(outputs(phi, query_x).detach())
    found = torch.stack(found)
    assert float((told - found).abs().max()) <= TOLERANCE * max(1, float(found.abs().max()))
    y = torch.stack([t[3] for t in tasks_of(tmp_path / "d.nc", 2)])
    right = (found[7:].argmax(-1) == y if classes else (found[7:] - y)**2).double().mean()
    assert post == pytest.approx(float(right), rel=1e-8)
