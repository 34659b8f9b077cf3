"""The sweeps of tests/gate.py: small, and every key in them is read by some run of its sweep."""

import itertools
import json
import shutil
import struct
from dataclasses import dataclass, field

import netCDF4
import numpy as np

import pl_run


@dataclass
class Sweep:
    """how: run; resume, stopped several times on its way; shard, in two parts that are merged;
    optimum, the convex problem alone."""

    keys: dict
    how: str = "run"
    spread: dict = field(default_factory=dict)  # further or other keys on several ranks
    code: int = 0  # exit code

    def text(self, ranks):
        keys = {**self.keys, "mapping.team": ranks, **(self.spread if ranks > 1 else {})}
        return "".join(f"{name}: {json.dumps(value)}\n" for name, value in keys.items())


# ---- input files ----

# Samples in every data file: the default of data.samples, which the old program used instead of
# the number in the file for cache blocks and mapping.
SAMPLES = 10
BAND = {"group": "S_8", "band.codepth": 2}
BAND_SIZE = 1 + 7**2 + 20**2 + 21**2


def write(path, **variables):
    """name=(dimensions, values)"""
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, (dims, values) in variables.items():
            values = np.asarray(values)
            for dim, size in zip(dims, values.shape):
                if dim not in nc.dimensions:
                    nc.createDimension(dim, size)
            kind = "i4" if values.dtype.kind == "i" else "f8"
            nc.createVariable(name, kind, dims)[:] = values


def write_functions(folder, rng):
    """Samples and initial filters on groups of order 6 and 24, and in a band."""
    y = np.where(np.arange(SAMPLES) % 3 == 0, 1, -1)
    for order in (6, 24):
        write(folder / f"x{order}.nc", y=(["sample"], y),
              x=(["sample", "element"], rng.normal(size=(SAMPLES, order))))
        write(folder / f"w{order}.nc",
              w=(["layer", "element"], rng.normal(size=(3, order)) / np.sqrt(order)))
    write(folder / "full6.nc", w=(["layer", "row", "element"], rng.normal(size=(2, 6, 6)) / 3),
          readout=(["element"], rng.normal(size=6)))
    write(folder / "x_band.nc", y=(["sample"], y),
          x_fourier=(["sample", "component"], rng.normal(size=(SAMPLES, BAND_SIZE))))
    write(folder / "w_band.nc",
          w_fourier=(["layer", "component"], 0.2 * rng.normal(size=(3, BAND_SIZE))))


def write_table(path):
    """Of S_3, the identity not first."""
    elements = list(itertools.permutations(range(3)))
    elements = elements[2:] + elements[:2]
    number = {p: k for k, p in enumerate(elements)}
    write(path, table=(["g", "h"], [[number[tuple(a[b[i]] for i in range(3))] for b in elements]
                                    for a in elements]))


def write_images(folder, rng):
    images = rng.integers(0, 256, size=(24, 6, 6), dtype=np.uint8)
    (folder / "images").write_bytes(struct.pack(">4i", 0x803, *images.shape) + images.tobytes())
    (folder / "labels").write_bytes(struct.pack(">2i", 0x801, 24) + bytes([7, 2, 2, 7, 5, 0] * 4))


def write_inputs(folder):
    rng = np.random.default_rng(11)
    write_functions(folder, rng)
    write_table(folder / "table.nc")
    write_images(folder, rng)
    for town in ("north", "south"):
        shutil.copy(pl_run.ROOT / f"jobs/rankings/{town}.soc", folder)


# ---- sweeps ----

SHORT = {"steps": 40, "record.points": 6}
ALL = {"record.spectrum": True, "record.kkt": True, "record.exponents": [0.5, 1, 1.5],
       "record.final": True}
GROWTH = {"optimizer.growth.factor": 1.05, "optimizer.growth.every": 7}
GRIDS = {"mapping.grid_ranks": 2, "mapping.grid_min_dim": 4, "mapping.block": 2}
# x -> x + 1, x -> 2 x modulo 11: nearly all the work is that of one irrep, of dimension 10.
AFFINE = "perm:(1,2,3,4,5,6,7,8,9,10,11),(1,2,4,8,5,10,9,7,3,6)"
BALLOTS = {"data.kind": "rankings", "data.positive": "north.soc", "data.negative": "south.soc"}
OPTIMISERS = ["gd", "ngd", "momentum", "adagrad", "rmsprop", "adam", "muon"]
ADAPTIVE = ["adagrad", "rmsprop", "adam"]
ELEMENTS = ["cnn", "fc", "gcnn-relu", "cnn-relu", "fc-relu"]

SWEEPS = {
    # The linear G-CNN: losses, data, what is recorded
    "plain": Sweep({"group": "S_4"} | SHORT),
    "losses": Sweep({"title": "Losses", "group": ["S_4", "S_3"], "model.depth": [2, 3, 4],
                     "loss": ["exponential", "logistic"], "optimizer.lr": 0.1, "seed": "0..1"}
                    | SHORT | GROWTH | ALL),
    "beta": Sweep({"group": "S_4", "model.depth": [2, 3], "record.beta": True,
                   "record.irreps": False, "record.steps": [0, 1, 7, 40], "steps": 40,
                   "optimizer.lr": [0.1, 0.5], "data.samples": 5}),
    "drawn": Sweep({"group": "S_4", "model.init.kind": ["uniform", "gaussian"],
                    "model.init.scale": 0.8, "model.init.readout_scale": 0.3, "data.seed": 5,
                    "data.scale": ["unit", 0.3], "record.schedule": "linear", "seed": "0..2"}
                   | SHORT),
    "stopped": Sweep({"group": "S_3", "optimizer.lr": [0.1, 0.5], "stop.loss": 0.5,
                      "steps": 400, "record.points": 20}),
    "diverged": Sweep({"group": "S_3", "optimizer.lr": [0.1, 1e200], "loss": "logistic"} | SHORT,
                      code=1),
    # Kinds of data
    "sparse": Sweep({"group": ["S_4", "D_5"], "data.kind": "sparse", "data.nonzeros": 2,
                     "data.samples": 4} | SHORT),
    "irrep": Sweep({"group": "S_4", "data.kind": "irrep", "data.irreps": [["3,1"], ["2,2", "3,1"]],
                    "data.samples": 4, "model.kind": ["gcnn", "cnn"]} | SHORT),
    "file": Sweep({"group": ["S_3", "C_6"], "data.kind": "file", "data.path": "x6.nc",
                   "model.init.kind": "file", "model.init.path": "w6.nc",
                   "model.kind": ["gcnn", "cnn", "gcnn-relu"]} | SHORT | {"record.final": True}),
    "file-s4": Sweep({"group": "S_4", "data.kind": "file", "data.path": "x24.nc",
                      "data.scale": ["unit", 0.4], "model.init.kind": "file",
                      "model.init.path": "w24.nc"} | SHORT | ALL, spread=GRIDS
                     | {"mapping.grid_min_dim": 3}),
    "file-full": Sweep({"group": "S_3", "data.kind": "file", "data.path": "x6.nc",
                        "model.init.kind": "file", "model.init.path": "full6.nc",
                        "model.kind": ["fc", "fc-relu"]} | SHORT | {"record.final": True}),
    "teacher": Sweep({"group": "S_4", "data.kind": "teacher", "data.irreps": ["3,1", "2,2"],
                      "data.rank": [1, 2], "data.margin": 0.2, "data.test": 30,
                      "model.kind": ["gcnn", "cnn", "gcnn-relu"]} | SHORT),
    "idx": Sweep({"group": ["C_3 x C_3", "p4_2", "p4m_3", "C_2 x C_2 x D_4"], "data.kind": "idx",
                  "data.path": "images", "data.labels": "labels", "data.digits": [7, 2],
                  "data.samples": 6, "model.kind": ["gcnn", "gcnn-relu"]} | SHORT),
    "rankings": Sweep({"group": "S_5", "data.ballots": 20, "data.sampling": ["bootstrap", "blocks"],
                       "data.center": [True, False], "optimizer.lr": 0.1} | BALLOTS | SHORT),
    # Groups with irreps of every type, exact and numerical
    "groups": Sweep({"group": ["Q_8", "C_5 x C_3", "SL_2(3)", "perm:(1,2,3,4,5),(2,3,5,4)",
                               "cayley:table.nc", "Q_8 x C_3", "A_4", "D_5", "p4_2", "C_30",
                               "B_3", "(C_3 x C_3) : Q_8", "Dic_3"],
                     "model.depth": [2, 3], "optimizer.lr": 0.1} | SHORT | ALL),
    # Optimisers
    "gd-ngd": Sweep({"group": "S_4", "optimizer.kind": ["gd", "ngd"], "optimizer.lr": [0.05, 0.2],
                     "zip": [["optimizer.kind", "optimizer.lr"]], "model.depth": [2, 3]}
                    | SHORT | GROWTH),
    "optimisers": Sweep({"group": ["S_4", "S_3"], "model.depth": [2, 3], "data.samples": 6,
                         "zip": [["optimizer.kind", "optimizer.lr"]],
                         "optimizer.kind": OPTIMISERS,
                         "optimizer.lr": [0.1, 0.05, 0.05, 0.05, 0.005, 0.005, 0.02],
                         "optimizer.momentum": 0.8, "optimizer.beta1": 0.8, "optimizer.beta2": 0.99,
                         "optimizer.epsilon": 1e-3, "optimizer.freeze_loss": [0, 0.9],
                         "record.final": True} | SHORT | GROWTH),
    "momentum-muon": Sweep({"group": "S_4", "optimizer.kind": ["momentum", "muon"],
                            "optimizer.momentum": [0.9, 0], "optimizer.lr": 0.02} | SHORT),
    "adaptive": Sweep({"group": ["S_4", "Q_8 x C_3"], "optimizer.kind": ADAPTIVE,
                       "optimizer.domain": ["group", "fourier"],
                       "optimizer.granularity": ["coordinate", "irrep", "scalar"],
                       "optimizer.epsilon": 1e-3, "optimizer.epsilon_inside": [True, False],
                       "optimizer.lr": 0.02} | SHORT),
    "adam": Sweep({"group": "S_4", "optimizer.kind": "adam", "optimizer.beta1": [0, 0.9],
                   "optimizer.beta2": 0.9, "optimizer.freeze_loss": 0.9, "optimizer.lr": 0.02}
                  | SHORT),
    # Grids of ranks: one of two with a rank outside, and in proportion to the work
    "grids": Sweep({"group": "S_5", "model.depth": [2, 3], "zip": [["optimizer.kind",
                                                                   "optimizer.lr"]],
                    "optimizer.kind": ["gd", "ngd", "muon"], "optimizer.lr": [0.1, 0.1, 0.02],
                    "record.beta": True, "data.samples": 4, "steps": 12, "record.points": 4}
                   | ALL, spread=GRIDS),
    "grids-adaptive": Sweep({"group": "S_5", "optimizer.kind": ["adam", "adagrad"],
                             "optimizer.domain": ["group", "fourier"], "optimizer.lr": 0.01,
                             "data.kind": "sparse", "steps": 12, "record.points": 4}, spread=GRIDS),
    "grids-share": Sweep({"group": AFFINE, "model.depth": 3, "data.samples": 3, "steps": 300,
                          "record.points": 3, "loss": "logistic"},
                         spread={"mapping.grid_min_dim": 9}),
    # Networks over the elements
    "linear": Sweep({"group": "D_4", "model.kind": ["cnn", "fc"], "model.depth": [2, 3],
                     "loss": ["exponential", "logistic"], "record.beta": True,
                     "record.exponents": [0.5, 1], "record.final": True,
                     "record.spectrum": True} | SHORT | GROWTH),
    "relu": Sweep({"group": ["S_3", "Q_8"], "model.kind": ["gcnn-relu", "cnn-relu", "fc-relu"],
                   "model.depth": [2, 3], "model.pooling": ["none", "mean"],
                   "record.final": True, "record.spectrum": True, "optimizer.lr": 0.05} | SHORT),
    "pooled": Sweep({"group": "S_3", "model.kind": ELEMENTS, "model.pooling": "mean",
                     "loss": "logistic", "record.beta": True} | SHORT),
    "elements": Sweep({"group": "S_3", "model.kind": ELEMENTS, "optimizer.kind": OPTIMISERS,
                       "optimizer.lr": 0.01, "optimizer.epsilon": 1e-3,
                       "optimizer.freeze_loss": 0.9, "data.samples": 4} | SHORT),
    "mixed": Sweep({"group": "D_4", "model.kind": ["gcnn", "cnn", "fc"], "model.depth": [2, 3],
                    "model.init.kind": "uniform", "model.init.readout_scale": 0.6,
                    "data.samples": 4, "record.irreps": False, "record.beta": True,
                    "record.final": True, "seed": "0..1"} | SHORT | GROWTH),
    "mixed-all": Sweep({"group": ["S_4", "C_8"], "model.kind": ["gcnn", *ELEMENTS],
                        "record.kkt": True, "record.spectrum": True} | SHORT),
    # Bands
    "band": Sweep({"model.depth": [2, 3], "data.kind": ["gaussian", "sparse"], "data.nonzeros": 2,
                   "data.samples": 4, "band.inner_product": ["band", "group"],
                   "optimizer.kind": "ngd", "optimizer.lr": 0.1, "steps": 10, "record.points": 4}
                  | BAND | ALL, spread=GRIDS | {"mapping.grid_min_dim": 7}),
    "band-adam": Sweep({"optimizer.kind": "adam", "optimizer.domain": "fourier",
                        "steps": 10, "record.points": 4} | BAND),
    "band-file": Sweep({"data.kind": "file", "data.path": "x_band.nc", "model.init.kind": "file",
                        "model.init.path": "w_band.nc", "data.scale": "unit", "steps": 10,
                        "record.points": 4, "record.final": True} | BAND),
    "band-data": Sweep({"group": "S_5", "band.codepth": [1, 2], "data.ballots": 10, "steps": 10,
                        "record.points": 4} | BALLOTS),
    # Stopped and resumed, in parts, the convex problem
    "resumed": Sweep({"group": ["S_4", "S_3"], "zip": [["optimizer.kind", "optimizer.lr"]],
                      "optimizer.kind": ["momentum", "adam", "muon", "adagrad"],
                      "optimizer.lr": [0.01, 1e-3, 1e-3, 1e-3], "optimizer.momentum": 0.8,
                      "optimizer.freeze_loss": 1e-3, "steps": 8000, "record.points": 30,
                      "record.final": True, "checkpoint.every": 0}, how="resume",
                     spread={"steps": 1500}),
    "resumed-nets": Sweep({"group": "S_4", "model.kind": ["cnn", "gcnn-relu", "fc-relu"],
                           "optimizer.kind": ["gd", "adam"], "optimizer.lr": 1e-3, "steps": 10000,
                           "record.points": 30}, how="resume", spread={"steps": 1500}),
    "resumed-grids": Sweep({"group": "S_5", "optimizer.kind": ["gd", "momentum"], "steps": 60000,
                            "record.points": 30, "optimizer.lr": 1e-3}, how="resume",
                           spread=GRIDS | {"steps": 600}),
    "sharded": Sweep({"group": ["S_4", "S_3"], "model.kind": ["gcnn", "cnn"],
                      "model.depth": [2, 3], "optimizer.lr": 0.05} | SHORT, how="shard"),
    "optimum": Sweep({"group": ["S_4", "S_3"], "model.depth": 2, "data.samples": 4,
                      "seed": "0..1"}, how="optimum"),
}
