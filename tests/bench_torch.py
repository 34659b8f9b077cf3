#!/usr/bin/env python3
"""Training steps here and in PyTorch (double and single precision), one core, one after the other in
one run.  bench_torch.py [WORD]: only rows whose name contains the word.

A family adds its rows: a file tests/torch_FAMILY.py with the networks as a PyTorch user would write
them, and in ROWS a name and a function of a folder that returns (sweep, step): the keys of a sweep
whose runs make that step, and step(dtype), a function without arguments that makes it in PyTorch."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
    import torch_recursion
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


def step_of(model, optimizer, x, y):
    def step():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return step


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
        model = {"kind": "resmlp", "depth": depth, "width": width, "tied": tied, "store": store}
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
            net = torch_recursion.ResMLP(w, depth, tied)
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


ROWS = [
    ("mlp, 784-256-256-10, batch 128",
     vector(dict(kind="mlp", depth=3, width=256), 128, (28, 28, 1), dense(784, 256, 256, 10), 3)),
    ("mlp, 2-64-64-2 tanh, batch 32",
     vector(dict(kind="mlp", depth=3, width=64, activation="tanh"), 32, (1, 2, 1),
            dense(2, 64, 64, 10), 3)),
    ("conv, 4 x 64, 28 x 28, batch 25",
     vector(dict(kind="conv", depth=4, width=64), 25, (28, 28, 1), filters(4, 64, 64), 4)),
    ("momentum, 100 x 64, batch 128", recursion(False, "all")),
    ("momentum, 100 x 64, reversible", recursion(False, "reversible")),
    ("momentum, 100 x 64, tied", recursion(True, "all")),
    ("momentum, 100 x 64, tied, revers.", recursion(True, "reversible")),
]


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
    print(f"{'a training step, ms':34} {'here':>8} {'float64':>8} {'float32':>8}   here is faster by")
    for name, row in ROWS:
        if word not in name:
            continue
        with tempfile.TemporaryDirectory(prefix="plancherel-torch-") as folder:
            keys, make = row(Path(folder))
            mine = ours(Path(folder), keys)
            double, single = theirs(make(torch.float64)), theirs(make(torch.float32))
        print(f"{name:34} {mine:8.3f} {double:8.3f} {single:8.3f}   {double / mine:.2f}, "
              f"{single / mine:.2f}", flush=True)


if __name__ == "__main__":
    main()
