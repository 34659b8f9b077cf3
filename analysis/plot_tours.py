"""Pictures of solved instances: points, what the network said (lines) and what is right (grey below),
from a file of `plancherel apply` or `plancherel data`."""

import netCDF4
import numpy as np

import draw
from pointer_io import ragged, read_nc
from plancherel_io import InputError

MOST = 12


def edges(task, output):
    """Pairs of symbols that the output joins."""
    if task != "delaunay":
        return list(zip(output, output[1:]))
    triangles = np.asarray(output[: len(output) // 3 * 3]).reshape(-1, 3)
    return [(t[i], t[(i + 1) % 3]) for t in triangles for i in range(3)]


def right_outputs(path):
    with netCDF4.Dataset(path) as ds:
        if "right_output" not in ds.variables:
            return None
        return ragged(ds, "right_output", "right_length")


def join(ax, x, pairs, **style):
    for i, k in pairs:
        ax.plot(*x[[i - 1, k - 1]].T, **style)


def same(task, a, b):
    return {frozenset(p) for p in edges(task, a)} == {frozenset(p) for p in edges(task, b)}


def plot(path, args):
    """The first instances, a panel each."""
    task, instances = read_nc(path)
    if task == "sort":
        raise InputError(f"{path}: numbers in order are no tours")
    right = right_outputs(path)
    shown = instances[:MOST]
    figure, axes = draw.panels(len(shown), args, (2.2, 2.3))
    for k, (ax, (x, output)) in enumerate(zip(axes, shown)):
        if right is not None:
            join(ax, x, edges(task, right[k]), color="0.8", linewidth=5, solid_capstyle="round")
        wrong = right is not None and not same(task, output, right[k])
        join(ax, x, edges(task, output), color="#D55E00" if wrong else "#0072B2", linewidth=1.4)
        ax.plot(*x.T, "o", color="black", markersize=3)
        ax.set(xticks=[], yticks=[], aspect="equal", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
        ax.set_title(f"{len(x)} points", fontsize=8)
        ax.spines[:].set_visible(False)
    note = ""
    if right is not None:
        count = sum(same(task, c, r) for (_, c), r in zip(instances, right))
        note = f"{task}: {count} of {len(instances)} as they should be; grey: right, orange: not"
    draw.finish(figure, args, "", note)
