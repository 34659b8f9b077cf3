"""Instances of hulls, triangulations, tours and orders: the text format in which they are published
(a line "x1 y1 x2 y2 .. output i1 i2 ..") and the laboratory's own (src/nets/sequence/README.md)."""

import netCDF4
import numpy as np

from graph_formats import open_text
from plancherel_io import InputError, new_netcdf, placing, unreadable

TASKS = {"hull": 2, "delaunay": 2, "tsp": 2, "sort": 1}  # numbers of a point
PARTS = ["train", "validation", "test"]


def read_line(words, coordinates, where):
    """Points and output of one line."""
    if "output" not in words:
        raise InputError(f'{where}: no word "output" between points and output')
    at = words.index("output")
    try:
        x = np.array([float(w) for w in words[:at]])
        output = np.array([int(w) for w in words[at + 1:]], dtype=int)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None
    if len(x) == 0 or len(x) % coordinates or not np.isfinite(x).all():
        raise InputError(f"{where}: expected {'pairs of ' if coordinates == 2 else ''}finite numbers")
    n = len(x) // coordinates
    for i in output:
        if not 1 <= i <= n:
            raise InputError(f"{where}: output {i}, expected a point, from 1 to {n}")
    return x.reshape(n, coordinates), output


def read_text(path, task):
    lines = [(k, line.split()) for k, line in enumerate(open_text(path), 1)]
    instances = [read_line(words, TASKS[task], f"{path}:{k}") for k, words in lines if words]
    if not instances:
        raise InputError(f"{path}: no instances")
    return instances


def ragged(ds, values, lengths):
    return np.split(np.asarray(ds[values][:]), np.cumsum(np.asarray(ds[lengths][:]))[:-1])


def read_nc(path):
    """(task, instances) of a file of `plancherel data` or `plancherel apply`."""
    try:
        with netCDF4.Dataset(path) as ds:
            return ds.task, list(zip(ragged(ds, "x", "points"), ragged(ds, "output", "length")))
    except (OSError, AttributeError, IndexError, KeyError) as error:
        raise unreadable(path, error, "no file of instances") from None


def write_text(path, instances):
    with placing(path) as name, open(name, "w", encoding="ascii") as file:
        for x, output in instances:
            numbers = " ".join(repr(float(v)) for v in np.ravel(x))
            file.write(f"{numbers} output {' '.join(str(int(i)) for i in output)}\n")


def write_nc(path, task, instances, part, history):
    with new_netcdf(path) as ds:
        x = np.concatenate([x for x, _ in instances])
        output = np.concatenate([c for _, c in instances])
        for name, n in (("sample", len(instances)), ("point", len(x)), ("coordinate", x.shape[1]),
                        ("symbol", len(output))):
            ds.createDimension(name, n)
        rows = {
            "points": ("i4", ("sample",), "points of the sample", [len(x) for x, _ in instances]),
            "x": ("f8", ("point", "coordinate"), "points, those of a sample in a row", x),
            "length": ("i4", ("sample",), "symbols of the output", [len(c) for _, c in instances]),
            "output": ("i4", ("symbol",), "output: points, from 1", output),
            "split": ("i1", ("sample",), "part: 0 training, 1 validation, 2 test",
                      np.full(len(instances), PARTS.index(part))),
        }
        for name, (kind, dims, text, values) in rows.items():
            var = ds.createVariable(name, kind, dims)
            var.long_name, var.units = text, "1"
            var[:] = values
        ds.task, ds.history = task, history
