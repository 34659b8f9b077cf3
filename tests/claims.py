#!/usr/bin/env python3
"""Print what the optimisers of jobs/optimizers.yaml did on S_4 and S_5: claims.py [OUT.nc]

OUT.nc is the output of that sweep; without it the sweep is run first (minutes).  Medians and ranges
over the seeds.  Then, on S_4, AdaGrad with one accumulator per (layer, irrep), which seeks the
largest margin / (sum_rho d c_rho S(B_rho))^(L/2), S the sum of sigma^(2/L) and
c_rho = prod_l h_{rho,l}^(-1/L) its final conditioner: how often its beta beats gradient descent's
there.  And AdaGrad with one accumulator, which moves in gradient descent's direction.
"""

import sys
import tempfile
from pathlib import Path

import netCDF4
import numpy as np
import yaml

import pl_run
import reference
from test_reference import sweep, write_data
from test_theory import sample_gradients

sys.path.insert(0, str(pl_run.ROOT / "analysis"))
import plancherel_io as pio  # noqa: E402

JOB = pl_run.ROOT / "jobs" / "optimizers.yaml"
SEEDS, SAMPLES = 8, 6
# Steps after which every seed's conditioner is frozen and margins are still small enough that
# rounding does not blur the weights of the loss.
SETTLED = {2: 26000, 3: 9000}


def spread(x):
    return f"{np.median(x):.3f} ({np.min(x):.3f}-{np.max(x):.3f})"


def table(ds):
    """l2 margin over that of gradient descent from the same seed, and tightness."""
    last = ds.isel(record=-1)
    for (group, depth), runs in pio.combinations(ds, ["group", "model_depth"]):
        kinds = {k: r for (k,), r in pio.combinations(ds, ["optimizer_kind"], runs)}
        print(f"{group}, depth {depth}, {len(kinds['gd'])} seeds: l2 margin over gd's, tightness")
        base = last.l2_margin.values[kinds["gd"]]
        for kind, chosen in kinds.items():
            ratio, tight = last.l2_margin.values[chosen] / base, last.tightness.values[chosen]
            print(f"  {kind:9} {spread(ratio)}   {spread(tight)}")


def conditioner(g, net, move):
    """h[layer, irrep], up to a factor, of a late step: move = -lr h gradient / ||h gradient||."""
    m = net.margins()
    descent = (np.exp(m.min() - m) @ sample_gradients(net)).reshape(net.w.shape)
    h, rest = [], move.copy()
    for l in range(net.depth):
        for q in g.isotypic():
            step, slope = move[l] @ q, descent[l] @ q
            h.append(step @ slope / (slope @ slope))
            rest[l] -= h[-1] * q @ slope
    assert min(h) > 0 and np.linalg.norm(rest) < 1e-4 * np.linalg.norm(move), "not such a step"
    return np.reshape(h, (net.depth, -1))


def ratio(g, net, c):
    """margin / (sum_rho d c_rho S(B_rho))^(L/2)."""
    beta = net.beta()
    whole, p = g.matrix(beta), 2 / net.depth
    sums = [(np.linalg.svd(q.T @ whole @ q, compute_uv=False) ** p).sum() for q in g.isotypic()]
    return net.margins().min() / (c @ sums) ** (1 / p)


def coarse(folder, depth):
    """Coarser AdaGrads against gradient descent from the same seeds."""
    g, data = reference.group("S_4"), []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(SAMPLES, g.order))
        data.append((x / np.linalg.norm(x, axis=1, keepdims=True), rng.choice([-1, 1], SAMPLES)))
        write_data(folder / f"x{seed}.nc", g, *data[-1])
    job, at = yaml.safe_load(JOB.read_text()), SETTLED[depth]
    lr = dict(zip(job["optimizer"]["kind"], job["optimizer"]["lr"]))
    cases = [("gd", "coordinate", job["steps"]), ("adagrad", "scalar", job["steps"]),
             ("adagrad", "irrep", job["steps"]), ("adagrad", "irrep", at),
             ("adagrad", "irrep", at + 1)]
    kind, grain, steps = map(list, zip(*cases))
    keys = {"optimizer": {**job["optimizer"], "kind": kind, "lr": [lr[k] for k in kind],
                          "granularity": grain},
            "zip": [["optimizer.kind", "optimizer.lr", "optimizer.granularity", "steps"],
                    ["seed", "data.path"]]}
    ds = sweep(folder, **keys, group="S_4", model__depth=depth, steps=steps, data__kind="file",
               data__path=[str(folder / f"x{s}.nc") for s in range(SEEDS)],
               seed=list(range(SEEDS)), record__points=2, record__final=True, record__beta=True)
    names = ["seed", "optimizer_kind", "optimizer_granularity", "steps"]
    index = {key: r for r, key in enumerate(zip(*[pio.column(ds, n) for n in names]))}
    late = np.log(float(job["optimizer"]["freeze_loss"]))
    wins, cosine = [], []
    for seed, (x, y) in enumerate(data):
        runs = [index[seed, k, a, n] for k, a, n in cases]
        gd, scalar, irrep, settled, after = [
            reference.Network(g, filters(folder, r), x, y) for r in runs]
        assert ds.log_loss.values[runs[3], -1] < late, "not settled"
        h = conditioner(g, settled, after.w - settled.w)
        c = np.prod(h ** (-1 / depth), axis=0)
        wins.append(ratio(g, irrep, c) / ratio(g, gd, c))
        a, b = gd.beta(), scalar.beta()
        cosine.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    wins = np.array(wins)
    print(f"S_4, depth {depth}: irrep-granular adagrad wins its ratio on {(wins > 1).sum()} of "
          f"{SEEDS} seeds, by {spread(wins)}; scalar: cosine with gd {spread(cosine)}")


def filters(folder, run):
    with netCDF4.Dataset(folder / "sweep.nc.final" / f"run-{run:06d}.nc") as nc:
        return nc["w"][:].data


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = sys.argv[1] if len(sys.argv) > 1 else f"{folder}/optimizers.nc"
        if len(sys.argv) == 1:
            pl_run.run(["run", JOB, "-o", path, "-q"], timeout=3600)
        with pio.open_output(path) as ds:
            table(ds)
        for depth in SETTLED:
            coarse(Path(folder), depth)


if __name__ == "__main__":
    main()
