"""Propagation on the graphs of bench_graph, here and in scipy.sparse: the same operator, 64 columns,
one core, one after the other.  bench_graph.py [--long]: the large graph too."""

import os
import re
import subprocess
import sys
import tempfile
import time

import netCDF4
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COLUMNS, ROUNDS = 64, 5


def blocks(nodes, degree, size, rng):
    """Edges mostly between neighbours in the order of nodes, one in a hundred anywhere."""
    m = nodes * degree // 2
    u = rng.integers(0, nodes, m)
    v = np.minimum(u // size * size + rng.integers(0, size, m), nodes - 1)
    far = rng.random(m) < 0.01
    v[far] = rng.integers(0, nodes, far.sum())
    pairs = np.sort(np.stack([u, v], axis=1)[u != v], axis=1)
    return np.unique(pairs, axis=0)


def write(path, nodes, pairs):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for dim, length in (("node", nodes), ("edges", len(pairs)), ("ends", 2)):
            nc.createDimension(dim, length)
        nc.createVariable("edge", "i4", ("edges", "ends"))[:] = pairs


def ours(path):
    """Milliseconds of a step by build/tests/bench_graph."""
    done = subprocess.run([os.path.join(ROOT, "build/tests/bench_graph"), path], check=True,
                          capture_output=True, text=True,
                          env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    return float(re.search(r"([\d.]+) ms a step", done.stdout)[1])


def scipys(sparse, pairs, nodes):
    """Milliseconds of Z <- 0.9 S Z + 0.1 H, as its user writes it."""
    ends = np.concatenate([pairs, pairs[:, ::-1], np.repeat(np.arange(nodes), 2).reshape(-1, 2)])
    a = sparse.csr_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (nodes, nodes))
    d = sparse.diags(1 / np.sqrt(np.asarray(a.sum(axis=1)).ravel()))
    s = (d @ a @ d).tocsr()
    s.sort_indices()
    h = np.random.default_rng(1).standard_normal((nodes, COLUMNS))
    z, times = h, []
    steps = 10 if nodes < 10**5 else 1
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(steps):
            z = 0.9 * (s @ z) + 0.1 * h
        times.append((time.process_time() - start) / steps)
    return 1e3 * float(np.median(times))


def main():
    try:
        from scipy import sparse
    except ImportError:
        print("graph  against scipy.sparse: skipped, scipy is not installed (python3-scipy)")
        return
    rng = np.random.default_rng(0)
    cases = [("cora's size", 2708, 4, 400)]
    if "--long" in sys.argv:
        cases.append(("10^6 nodes", 10**6, 20, 100))
    for name, nodes, degree, size in cases:
        pairs = blocks(nodes, degree, size, rng)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "graph.nc")
            write(path, nodes, pairs)
            a = ours(path)
        b = scipys(sparse, pairs, nodes)
        print(f"graph  {name}, {len(pairs)} edges, {COLUMNS} columns: {a:.3g} ms a step, "
              f"scipy.sparse {b:.3g} ms: ratio {b / a:.2f}")


if __name__ == "__main__":
    main()
