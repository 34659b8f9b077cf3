"""Outputs of sweeps that never ran, made up here for the tests of analysis/."""

import netCDF4
import numpy as np

FILL = netCDF4.default_fillvals["f8"]
STATES = "pending running done diverged failed stopped"
PENDING, RUNNING, DONE, DIVERGED, FAILED, STOPPED = range(6)
GROUPS = {
    "S_4": [("4", 1), ("3,1", 3), ("2,2", 2), ("2,1,1", 3), ("1,1,1,1", 1)],
    "C_6": [("0", 1), ("1", 1), ("2", 1), ("3", 1)],
}
PAIRS = {("C_6", "1"), ("C_6", "2")}  # complex: multiplicity 2
RECORDS = 40


def put(nc, name, values, dims, long_name, units="1", fill=None):
    """A variable with its attributes; text goes into a character array."""
    values = np.asarray(values)
    if values.dtype.kind == "U":
        values = np.char.encode(values, "utf-8")
        values = values[:, None].view("S1")
        nc.createDimension(f"{name}_length", values.shape[1])
        var = nc.createVariable(name, "S1", (*dims, f"{name}_length"))
        var.set_auto_chartostring(False)
        var._Encoding = "utf-8"
    else:
        var = nc.createVariable(name, values.dtype, dims, fill_value=fill)
    var.long_name, var.units = long_name, units
    var[:] = values


def final_values(depth, seed):
    """What the made-up run of this depth and seed ends with."""
    return {
        "loss": 1e-3 * depth + 1e-4 * seed,
        "schatten": 2.0 + depth + 0.1 * seed,
        "schatten_thresholded": 2.0 + depth + 0.1 * seed - 1e-3,
        "normalized_margin": 0.1 * depth + 0.01 * seed,
        "optimality_gap": 0.01 * depth + 0.001 * seed,
        "kkt_residual": 0.02 * depth + 0.001 * seed,
    }


def write_sweep(path, depths=(2, 3, 5), seeds=range(4), groups=("S_4",), states=None, irreps=True,
                spectrum=True):
    """A sweep in the schema of the output file.  states: {run: state}, done where absent; runs end
    at different records, and run 1 at a step off the schedule."""
    rng = np.random.default_rng(1)
    runs = [(g, d, s) for g in groups for d in depths for s in seeds]
    n, states = len(runs), states or {}
    state = np.array([states.get(r, DONE) for r in range(n)], dtype="i1")
    schedule = np.unique(np.concatenate([[0], np.geomspace(1, 10000, RECORDS - 1)]).round())
    table = [(g, label, d) for g in groups for label, d in GROUPS[g]]
    last = {DONE: len(schedule), RUNNING: 20, STOPPED: 25, DIVERGED: 12, FAILED: 3, PENDING: 0}
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.title = "Depth and the Fourier solution"
        for name, size in [("run", n), ("record", RECORDS), ("irrep", len(table)),
                           ("sv", sum(d for _, _, d in table))]:
            nc.createDimension(name, size)
        put(nc, "group", [g for g, _, _ in runs], ["run"], "group")
        put(nc, "model_depth", np.array([d for _, d, _ in runs], "i4"), ["run"], "layers")
        put(nc, "optimizer_kind", ["gd"] * n, ["run"], "optimizer")
        put(nc, "optimizer_lr", np.full(n, 0.01), ["run"], "learning rate", fill=FILL)
        put(nc, "seed", np.array([s for _, _, s in runs], "i8"), ["run"], "seed")
        put(nc, "status", state, ["run"], "state of the run")
        nc["status"].flag_values = np.arange(6, dtype="i1")
        nc["status"].flag_meanings = STATES
        put(nc, "wall_time", np.linspace(1, 2, n), ["run"], "wall time", "s", fill=FILL)
        put(nc, "irrep_group", [g for g, _, _ in table], ["irrep"], "group of the irrep")
        put(nc, "irrep_label", [label for _, label, _ in table], ["irrep"], "label")
        put(nc, "irrep_dim", np.array([d for _, _, d in table], "i4"), ["irrep"], "dimension")
        put(nc, "irrep_multiplicity", np.array([1 + ((g, x) in PAIRS) for g, x, _ in table], "i4"),
            ["irrep"], "multiplicity")
        put(nc, "sv_irrep", np.repeat(np.arange(len(table)), [d for _, _, d in table]).astype("i4"),
            ["sv"], "irrep of the singular value")

        step = np.full((n, RECORDS), -1, "i8")
        series = {k: np.full((n, RECORDS), FILL) for k in final_values(2, 0)}
        share = np.full((n, RECORDS, len(table)), FILL)
        energy, rank = share.copy(), share.copy()
        sv = np.full((n, RECORDS, nc.dimensions["sv"].size), FILL)
        for r, (group, depth, seed) in enumerate(runs):
            end = last[int(state[r])]
            if end == 0:
                continue
            s = schedule[:end].copy()
            if r == 1:
                s[-1] -= 123
            step[r, :end] = s
            t = np.log1p(s) / np.log1p(s[-1])
            for name, value in final_values(depth, seed).items():
                start = 1.0 if name == "loss" else value + 3
                curve = start + (value - start) * t
                if name == "loss":
                    curve = start * (value / start) ** t
                series[name][r, :end] = curve
            if state[r] == DIVERGED:
                series["loss"][r, :end] *= np.exp(np.arange(end) * 5.0)
            mine = [i for i, (g, _, _) in enumerate(table) if g == group]
            weight = rng.uniform(0.5, 2, len(mine))
            rate = rng.uniform(0, 4, len(mine)) * depth / 2
            rate[seed % len(mine)] = 0
            q = weight * np.exp(-np.outer(4 * t**2, rate))
            share[np.ix_([r], range(end), mine)] = 3.7 * q
            energy[np.ix_([r], range(end), mine)] = q**2 / (q**2).sum(axis=1, keepdims=True)
            dims = np.array([table[i][2] for i in mine])
            rank[np.ix_([r], range(end), mine)] = dims
            mine_sv = np.flatnonzero(np.isin(nc["sv_irrep"][:], mine))
            decay = np.exp(-np.outer(3 * depth * t, np.arange(len(mine_sv)) / len(mine_sv)))
            sv[np.ix_([r], range(end), mine_sv)] = decay * rng.uniform(0.8, 1.2, len(mine_sv))
        trajectory = ["run", "record"]
        put(nc, "step", step, trajectory, "step", fill=-1)
        names = {"loss": "loss", "schatten": "Schatten value S_p of normalised beta, p = 2/depth",
                 "schatten_thresholded": "Schatten value S_p without rounding",
                 "normalized_margin": "normalised margin",
                 "optimality_gap": "optimality gap", "kkt_residual": "KKT residual"}
        for name, long_name in names.items():
            put(nc, name, series[name], trajectory, long_name, fill=FILL)
        if irreps:
            axes = [*trajectory, "irrep"]
            put(nc, "irrep_schatten", share, axes, "m d sum sigma^p of normalised beta, p = 2/depth", fill=FILL)
            put(nc, "irrep_energy", energy, axes, "energy of the irrep", fill=FILL)
            put(nc, "irrep_rank", rank, axes, "rank of the irrep", fill=FILL)
        if spectrum:
            put(nc, "singular_values", sv, [*trajectory, "sv"],
                "singular value of normalised beta", fill=FILL)
    return str(path)
