#!/usr/bin/env python3
"""Training steps here and in PyTorch (double and single precision), one core, one after the other in
one run.  bench_torch.py [WORD]: only rows whose name contains the word.

A family adds its rows: a file tests/torch_FAMILY.py with the networks as a PyTorch user would write
them, and in ROWS a name and a function of a folder that returns (sweep, step): the keys of a sweep
whose runs make that step (or a function that measures it, in ms), and step(dtype), a function without
arguments that makes it in PyTorch."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench_graph
import netCDF4
import numpy as np
import yaml

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("PLANCHEREL", str(ROOT / "build" / "plancherel"))
ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
           OPENBLAS_NUM_THREADS="1")
ROUNDS, SECONDS = 3, 0.5

try:
    import torch
    import torch_points
    import torch_graph
    import torch_gcn
    import torch_meta
    import torch_retrieval
    import torch_recursion
    import torch_tensor
    import torch_sequence
    import torch_vector
except ImportError:
    print("bench_torch: PyTorch is not installed (python3-torch): skipped")
    sys.exit(0)
torch.set_num_threads(1)


# ---- the rows ----


def samples(folder, count, image, classes):
    """A file of random samples; x and y."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((count, int(np.prod(image)))), np.arange(count) % classes
    with netCDF4.Dataset(folder / "d.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.createDimension("sample", count)
        nc.createDimension("feature", x.shape[1])
        nc.createVariable("x", "f8", ("sample", "feature"))[:] = x
        nc["x"].image = np.array(image, dtype="i4")
        nc.createVariable("y", "i4", ("sample",))[:] = y
    return torch.tensor(x), torch.tensor(y)


def descent(optimizer, objective):
    """A step of the optimiser down objective()."""
    def step():
        optimizer.zero_grad()
        objective().backward()
        optimizer.step()
    return step


def step_of(model, optimizer, x, y):
    return descent(optimizer, lambda: torch.nn.functional.cross_entropy(model(x), y))


def vector(model, batch, image, shapes, depth):
    def row(folder):
        x, y = samples(folder, batch, image, 10)
        keys = {"model": model, "data": {"kind": "file", "path": str(folder / "d.nc")},
                "optimizer": {"kind": "adam", "lr": 1e-4, "epsilon_inside": False}}

        def make(dtype):
            w = {k: (torch.rand(s) * .1 - .05).to(dtype) for k, s in shapes.items()}
            kind = torch_vector.MLP if model["kind"] == "mlp" else torch_vector.Conv
            net = kind(w, depth, model.get("activation", "relu"))
            inputs = x.to(dtype) if model["kind"] == "mlp" else x.to(dtype).view(batch, *image)
            return step_of(net, torch.optim.Adam(net.parameters(), lr=1e-4), inputs, y)
        return keys, make
    return row


def recursion(tied, store):
    """A momentum network of 100 layers; PyTorch keeps all, as its autograd does."""
    depth, width, batch = 100, 64, 128

    def row(folder):
        x, y = samples(folder, batch, (1, width, 1), 10)
        # Of scale .1, so that random tied layers do not grow beyond the fixed point.
        model = {"kind": "resmlp", "depth": depth, "width": width, "tied": tied, "store": store,
                 "scale": .1}
        keys = {"model": model, "data": {"kind": "file", "path": str(folder / "d.nc")},
                "optimizer": {"kind": "gd", "lr": 1e-6}}
        shapes = {"readin": (width, width), "readout": (width, 10)}
        for k in range(1 if tied else depth):
            shapes[f"layer{k}_in"] = shapes[f"layer{k}_out"] = (width, width)

        def make(dtype):
            w = {}
            for name, (rows, cols) in shapes.items():
                w[f"{name}_weight"] = (torch.rand(rows, cols) * .1 - .05).to(dtype)
                w[f"{name}_bias"] = torch.zeros(1, cols, dtype=dtype)
            net = torch_recursion.ResMLP(w, depth, tied, scale=.1)
            return step_of(net, torch.optim.SGD(net.parameters(), lr=1e-6), x.to(dtype), y)
        return keys, make
    return row


def dense(*sizes):
    shapes = {}
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        shapes[f"layer{i}_weight"], shapes[f"layer{i}_bias"] = (a, b), (1, b)
    return shapes


def filters(depth, width, inputs):
    shapes = {"head_weight": (inputs, 10), "head_bias": (1, 10)}
    for i in range(depth):
        shapes[f"layer{i}_weight"] = (9 * (width if i else 1), width)
        shapes[f"layer{i}_bias"] = (1, width)
    return shapes


def graph_file(folder, nodes, degree, size):
    """A graph as bench_graph's, with features and classes as many as Cora's; edges, features, y."""
    rng = np.random.default_rng(0)
    edges = bench_graph.blocks(nodes, degree, size, rng)
    each, features, classes = 18, 1433, 7
    index = np.sort(np.argsort(rng.random((nodes, features)), axis=1)[:, :each], axis=1)
    y = np.arange(nodes) % classes
    split = np.where(np.arange(nodes) < 140, 0, 3)
    with netCDF4.Dataset(folder / "g.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, length in (("node", nodes), ("edges", len(edges)), ("ends", 2),
                             ("features", features), ("starts", nodes + 1), ("entries", index.size)):
            nc.createDimension(name, length)
        for name, dims, value in (("edge", ("edges", "ends"), edges), ("label", ("node",), y),
                                  ("split", ("node",), split), ("feature_index", ("entries",), index.ravel()),
                                  ("feature_start", ("starts",), np.arange(nodes + 1) * each)):
            nc.createVariable(name, "i4", dims)[:] = value
        nc.createVariable("feature_value", "f8", ("entries",))[:] = 1 / each
    at = torch.tensor(np.stack([np.repeat(np.arange(nodes), each), index.ravel()]))
    x = torch.sparse_coo_tensor(at, torch.full((index.size,), 1 / each, dtype=torch.float64),
                                (nodes, features)).coalesce()
    return edges, x, torch.tensor(y), torch.tensor(split == 0)


def graph(model, shapes):
    """A training epoch on a graph of Cora's size: all nodes, 140 of them labelled."""
    def row(folder):
        edges, x, y, part = graph_file(folder, 2708, 4, 400)
        keys = {"model": dict(kind="filter", dropout=.5, l2=5e-3, **model),
                "data": {"kind": "file", "path": str(folder / "g.nc")},
                "optimizer": {"kind": "adam", "lr": 1e-4, "epsilon_inside": False}}

        def make(dtype):
            w = {k: (torch.rand(s) * .1 - .05).to(dtype) for k, s in shapes.items()}
            net = torch_graph.Filter(w, torch_graph.operator(edges, len(y), dtype), model["rule"],
                                     model["depth"], model["rule"] == "ppnp", dropout=.5)
            optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
            inputs, first = x.to(dtype), net.w[next(iter(shapes))]
            return descent(optimizer, lambda: torch_graph.loss("softmax", net(inputs), y, part, 5e-3, first))
        return keys, make
    return row


def propagation(nodes, degree, size):
    """Z <- 0.9 S Z + 0.1 H, 64 columns."""
    def row(folder):
        edges = bench_graph.blocks(nodes, degree, size, np.random.default_rng(0))
        path = folder / "p.nc"
        bench_graph.write(path, nodes, edges)

        def make(dtype):
            s = torch_graph.operator(edges, nodes, dtype)
            h = torch.rand(nodes, 64, dtype=dtype)
            z = [h]

            def step():
                z[0] = .9 * (s @ z[0]) + .1 * h
            return step
        return lambda: bench_graph.ours(path), make
    return row


def variables(path):
    with netCDF4.Dataset(path) as nc:
        return {k: np.asarray(v[:]) for k, v in nc.variables.items()}


def motifs(folder):
    """100 graphs as data.kind motif draws them."""
    (folder / "m.yaml").write_text(yaml.safe_dump({"model": {"kind": "gcn"},
                                                   "data": {"kind": "motif", "samples": 100}}))
    subprocess.run([PROGRAM, "data", folder / "m.yaml", "-o", folder / "d.nc"], env=ENV, check=True)
    return variables(folder / "d.nc")


def benzene(folder):
    """The first 100 training molecules of data/benzene.nc, which is not shipped."""
    data = variables(BENZENE)
    kept = np.flatnonzero(data["split"] == 0)[:100]
    begin = np.append(data["graph_start"], len(data["node_feature"]))
    nodes = np.concatenate([np.arange(begin[g], begin[g + 1]) for g in kept])
    place = np.full(begin[-1], -1)
    place[nodes] = np.arange(len(nodes))
    edges = place[data["edge"][:, 0]] >= 0
    sizes = begin[kept + 1] - begin[kept]
    some = {"graph_start": np.cumsum(sizes) - sizes, "node_feature": data["node_feature"][nodes],
            "edge": place[data["edge"][edges]], "edge_feature": data["edge_feature"][edges],
            "label": data["label"][kept]}
    with netCDF4.Dataset(folder / "d.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, values in some.items():
            for k, n in enumerate(values.shape):
                nc.createDimension(f"{name}_{k}", n)
            nc.createVariable(name, "f8" if name.endswith("feature") else "i8",
                              [f"{name}_{k}" for k in range(values.ndim)])[:] = values
    return some


def classifier(source, regular):
    """Three layers gcn of width 32, whole batches of the 100 graphs."""
    def row(folder):
        data = source(folder)
        keys = {"model": {"kind": "gcn"}, "data": {"kind": "file", "path": str(folder / "d.nc")},
                "optimizer": {"kind": "adam", "lr": 1e-4, "epsilon_inside": False},
                "regularizer": regular}

        def make(dtype):
            shapes, rows = {"head_weight": (32, 1), "head_bias": (1, 1)}, data["node_feature"].shape[1]
            for i in range(3):
                shapes[f"layer{i}_weight"] = shapes[f"layer{i}_self_weight"] = (rows, 32)
                shapes[f"layer{i}_bias"], rows = (1, 32), 32
            net = torch_gcn.GCN({k: (torch.rand(s) * .4 - .2).to(dtype) for k, s in shapes.items()},
                                "gcn", 3)
            batch = torch_gcn.Batch(data, np.arange(100), dtype)
            optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
            return descent(optimizer, lambda: torch_gcn.objective(net, batch, "logistic", regular))
        return keys, make
    return row


def tensor(batch, n, channels):
    def row(folder):
        keys = dict(model=dict(kind="tensor", order=2, channels=channels),
                    data=dict(samples=batch, sizes=[n]), train=dict(batch=batch),
                    optimizer=dict(kind="adam", lr=1e-3, epsilon_inside=False))

        def make(dtype):
            x, y = torch.rand(batch, n, n, dtype=dtype), torch.rand(batch, dtype=dtype)
            model = torch_tensor.Tensor(channels, dtype)
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
            return descent(optimizer, lambda: ((model(x) - y)**2).mean())
        return keys, make
    return row


def tours(folder, count, n):
    """A file of points with some closed tour each; points and tours."""
    rng = np.random.default_rng(0)
    x = rng.random((count, n, 2))
    c = np.array([np.append(p, p[0]) for p in (rng.permutation(n) + 1 for _ in range(count))])
    rows = {"points": np.full(count, n), "x": x.reshape(-1, 2), "length": np.full(count, n + 1),
            "output": c.reshape(-1)}
    dims = {"points": ["sample"], "x": ["point", "coordinate"], "length": ["sample"],
            "output": ["symbol"]}
    with netCDF4.Dataset(folder / "d.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, values in rows.items():
            for d, size in zip(dims[name], values.shape):
                if d not in nc.dimensions:
                    nc.createDimension(d, size)
            nc.createVariable(name, "f8" if name == "x" else "i4", dims[name])[:] = values
        nc.task = "tsp"
    return torch.tensor(x), torch.tensor(c)


def pointer(batch, n, width):
    def row(folder):
        x, c = tours(folder, batch, n)
        keys = {"model": {"kind": "pointer", "width": width},
                "data": {"kind": "file", "path": str(folder / "d.nc")}, "train": {"batch": batch},
                "optimizer": {"kind": "adam", "lr": 1e-4, "epsilon_inside": False}}

        def make(dtype):
            w = {k: (torch.rand(s) * .16 - .08).to(dtype)
                 for k, s in torch_sequence.shapes(width).items()}
            net = torch_sequence.Pointer(w)
            optimizer = torch.optim.Adam(net.trained(), lr=1e-4)
            points = x.to(dtype)
            return descent(optimizer, lambda: -net.log_p(points, c).mean())
        return keys, make
    return row


def outer(model, meta, image, support, query, classes, tasks, shapes):
    """A step over tasks of random samples; model and meta: keys of the sweep."""
    rng, n = np.random.default_rng(0), support + query

    def row(folder):
        x = rng.standard_normal((tasks, n, int(np.prod(image))))
        y = np.arange(tasks * n).reshape(tasks, n) % classes if classes else \
            rng.standard_normal((tasks, n, 1))
        with netCDF4.Dataset(folder / "d.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
            for name, size in (("task", tasks), ("sample", n), ("feature", x.shape[2])):
                nc.createDimension(name, size)
            nc.createVariable("x", "f8", ("task", "sample", "feature"))[:] = x
            nc["x"].support = np.int32(support)
            if classes:
                nc["x"].image = np.array(image, dtype="i4")
                nc.createVariable("y", "i4", ("task", "sample"))[:] = y
                nc["y"].classes = np.int32(classes)
            else:
                nc.createDimension("target", 1)
                nc.createVariable("y", "f8", ("task", "sample", "target"))[:] = y
        keys = {"model": dict(model, kind="meta"), "meta": dict(meta, tasks=tasks),
                "data": {"kind": "file", "path": str(folder / "d.nc")}, "record": {"sample": 1},
                "optimizer": {"kind": "adam", "lr": 1e-4, "epsilon_inside": False}}
        how = {"method": meta["method"], "steps": meta["inner_steps"], "lr": meta["inner_lr"],
               "lam": 2. if meta["method"] == "imaml" else 0.}

        def make(dtype):
            w = {k: (torch.rand(s) * .2 - .1).to(dtype) for k, s in shapes.items()}
            net = torch_meta.conv(image) if classes else torch_meta.mlp()
            each = []
            for a, b in zip(torch.tensor(x).to(dtype), torch.tensor(y)):
                b = b if classes else b.to(dtype)
                each.append((a[:support], b[:support], a[support:], b[support:]))
            loop = torch_meta.Outer(net, w, lambda p: torch.optim.Adam(p, lr=1e-4), **how)
            return lambda: loop.step(each)
        return keys, make
    return row


def normed(depth, width, inputs, classes):
    shapes = dict(filters(depth, width, inputs), head_weight=(inputs, classes),
                  head_bias=(1, classes))
    for i in range(depth):
        shapes[f"layer{i}_gain"] = shapes[f"layer{i}_shift"] = (1, width)
    return shapes


def sinusoids(method, steps):
    return outer({"width": 40}, dict(method=method, inner_steps=steps, inner_lr=.01), (1,), 10, 10, 0,
                 25, dense(1, 40, 40, 1))


def fewshot(method, steps):
    return outer({}, dict(inner="conv", method=method, inner_steps=steps, inner_lr=.01), (28, 28, 1),
                 5, 25, 5, 4, normed(4, 64, 256, 5))


MLP_HEAD = {"hidden_weight": (1433, 64), "head_weight": (64, 7)}
BENZENE = ROOT / "data" / "benzene.nc"  # not shipped

ROWS = [
    ("mlp, 784-256-256-10, batch 128",
     vector(dict(kind="mlp", depth=3, width=256), 128, (28, 28, 1), dense(784, 256, 256, 10), 3)),
    ("mlp, 2-64-64-2 tanh, batch 32",
     vector(dict(kind="mlp", depth=3, width=64, activation="tanh"), 32, (1, 2, 1),
            dense(2, 64, 64, 10), 3)),
    ("propagation, Cora's size", propagation(2708, 4, 400)),
    ("propagation, 10^6 nodes", propagation(10**6, 20, 100)),
    ("gcn epoch, Cora's size", graph(dict(rule="gcn", depth=2, width=64),
                                     {"layer1_weight": (1433, 64), "layer2_weight": (64, 7)})),
    ("ppnp epoch, Cora's size", graph(dict(rule="ppnp", depth=10, head="mlp"), MLP_HEAD)),
    ("lf epoch, Cora's size", graph(dict(rule="lf", depth=10, head="mlp"), MLP_HEAD)),
    ("conv, 4 x 64, 28 x 28, batch 25",
     vector(dict(kind="conv", depth=4, width=64), 25, (28, 28, 1), filters(4, 64, 64), 4)),
    *torch_points.ROWS,
    ("gcn, 100 motifs", classifier(motifs, {})),
    ("gcn, 100 motifs, BRO", classifier(motifs, {"bro": .1})),
    ("gcn, 100 motifs, BRO and Gini", classifier(motifs, {"bro": .1, "gini": 1.})),
    ("meta, imaml 16 steps, 4 x 64, 4 tasks", fewshot("imaml", 16)),
    ("meta, maml 5 steps, 4 x 64, 4 tasks", fewshot("maml", 5)),
    ("meta, imaml 16 steps, 25 sinusoids", sinusoids("imaml", 16)),
    ("meta, maml 5 steps, 25 sinusoids", sinusoids("maml", 5)),
    ("adore, 32 of 5000 x 128", lambda folder: torch_retrieval.step_of_adore(folder, 5000)),
    ("adore, 32 of 100000 x 128", lambda folder: torch_retrieval.step_of_adore(folder, 100000)),
    ("momentum, 100 x 64, batch 128", recursion(False, "all")),
    ("momentum, 100 x 64, reversible", recursion(False, "reversible")),
    ("momentum, 100 x 64, tied", recursion(True, "all")),
    ("momentum, 100 x 64, tied, revers.", recursion(True, "reversible")),
    ("tensor, order 2, n = 10, S = 40, batch 14", tensor(14, 10, 40)),
    ("pointer, 20 points, width 256, batch 128", pointer(128, 20, 256)),
]
if BENZENE.exists():
    ROWS.append(("gcn, 100 molecules of benzene", classifier(benzene, {})))


# ---- the clock: of the processor, which other work on the machine does not stop ----


def used(folder, keys, steps):
    """Seconds of a run."""
    keys = dict(keys, steps=steps, record=dict(steps=[steps]))
    (folder / "s.yaml").write_text(yaml.safe_dump(keys))
    process = subprocess.Popen([PROGRAM, "run", folder / "s.yaml", "-o", folder / "o.nc",
                                "--overwrite", "--quiet"], env=ENV)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"a run failed with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def ours(folder, keys):
    """Milliseconds of a step: the slope between a short and a long run."""
    few, slopes = 2, []
    start = used(folder, keys, few)
    many = 20
    while used(folder, keys, many) - start < SECONDS:
        many *= 3
    for _ in range(ROUNDS):
        slopes.append((used(folder, keys, many) - used(folder, keys, few)) / (many - few))
    return 1e3 * statistics.median(slopes)


def theirs(step):
    for _ in range(3):
        step()
    times = []
    for _ in range(ROUNDS):
        start, count = time.process_time(), 0
        while time.process_time() - start < SECONDS:
            step()
            count += 1
        times.append((time.process_time() - start) / count)
    return 1e3 * statistics.median(times)


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    print(f"{'a training step, ms':42} {'here':>8} {'float64':>8} {'float32':>8}   here is faster by")
    for name, row in ROWS:
        if word not in name:
            continue
        with tempfile.TemporaryDirectory(prefix="plancherel-torch-") as folder:
            keys, make = row(Path(folder))
            mine = keys() if callable(keys) else ours(Path(folder), keys)
            double, single = theirs(make(torch.float64)), theirs(make(torch.float32))
        print(f"{name:42} {mine:8.3f} {double:8.3f} {single:8.3f}   {double / mine:.2f}, "
              f"{single / mine:.2f}", flush=True)


if __name__ == "__main__":
    main()
