#!/usr/bin/env python3
"""The figures of the comparison of architectures: Schatten value in Fourier space, norm over the
elements, and loss against the step, side by side, one line per network.

Lines are medians over the seeds, bands their 16th to 84th percentile.  Other keys that are swept
(kind of data, number of samples) get a row of panels each.
"""

import argparse

from modules import need

need("numpy", "xarray", "netCDF4", "matplotlib")

import numpy as np  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

import curves  # noqa: E402
import draw  # noqa: E402
import plancherel_io as pio  # noqa: E402

# Variable, heading of its column, axis label; p = 2 / depth.
PANELS = [
    ("schatten_thresholded", "in Fourier space", "$S_p(\\beta/||\\beta||)$"),
    ("schatten_real", "over the elements", "$\\ell_p(\\beta/||\\beta||)$"),
    ("loss", "training loss", "loss"),
]
# One colour for an architecture, with or without ReLU.
COLOUR = {"gcnn": draw.PALETTE[0], "cnn": draw.PALETTE[1], "fc": draw.PALETTE[2]}
NAME = {"gcnn": "G-CNN", "cnn": "CNN", "fc": "fully connected"}
# Rows by kind of data.
DATA = {"gaussian": "Gaussian samples", "irrep": "Fourier columns"}


def architecture(kind):
    return kind.split("-")[0]


def name_of(kind):
    base = NAME.get(architecture(kind), kind)
    return base + (", ReLU" if kind.endswith("relu") else "")


def fitted(ds):
    """Sound runs that classify every sample at their last record, and how many others have records."""
    state, last = pio.statuses(ds), pio.last_records(ds)
    begun, accuracy = np.flatnonzero(last >= 0), ds["accuracy"].values
    runs = [r for r in begun if state[r] not in pio.BROKEN and accuracy[r, last[r]] == 1]
    if not runs:
        raise pio.InputError(f"{ds.encoding['source']}: no run classifies every sample")
    return runs, len(begun) - len(runs)


def draw_row(ds, axes, runs):
    entries = {}
    for (kind,), members in pio.combinations(ds, ["model_kind"], runs):
        step = pio.steps(ds)[members]
        for ax, (name, _, _) in zip(axes, PANELS):
            grid, samples = curves.trajectory_samples(step, ds[name].values[members])
            colour = COLOUR.get(architecture(kind), "0.3")
            entries[kind] = draw.draw_bands(ax, grid, samples, colour)
    return entries


def title_of(ds, lost):
    """The sweep's title, its group if the title does not name it, and what is not drawn."""
    title, groups = ds.attrs.get("title", ""), set(pio.column(ds, "group"))
    group = groups.pop() if len(groups) == 1 else ""
    if group and group not in title:
        title += f", {group}"
    note = f"; {lost} of {ds.sizes['run']} runs do not fit and are left out" if lost else ""
    return pio.group_text(title) + note


def row_text(keys, values):
    """What tells a row of panels from the others: kinds of data in words, "samples 10" as "10 samples"."""
    texts = {"data_kind": lambda v: DATA.get(v, v), "data_samples": "{} samples".format}
    return "\n".join(texts[k](v) if k in texts else pio.combination_text([k], [v])
                     for k, v in zip(keys, values))


def figure(ds, output):
    for key in ("model_kind", "accuracy", *(name for name, _, _ in PANELS)):
        pio.require(ds, key)
    runs, lost = fitted(ds)
    keys = [k for k in pio.swept_keys(ds)
            if k != "model_kind" and len(pio.combinations(ds, [k], runs)) > 1]
    rows = pio.combinations(ds, keys, runs)
    fig = Figure((10.2, 2.8 * len(rows)), layout="constrained")
    fig.get_layout_engine().set(w_pad=0.08)
    axes = fig.subplots(len(rows), 3, squeeze=False, sharex=True)
    largest, entries = np.nanmax(pio.steps(ds)[runs]), {}
    for number, (values, members) in enumerate(rows):
        entries |= draw_row(ds, axes[number], members)
        for ax, (name, heading, label) in zip(axes[number], PANELS):
            if number == 0:
                ax.set_title(heading)
            ax.set_ylabel(label)
            draw.scale_y([ax], ds[name].values[members], "auto")
            if ax.get_yscale() == "linear":
                ax.set_ylim(bottom=0)  # so that near lines look near
            draw.step_axis(ax, largest)
            if number < len(rows) - 1:
                ax.set_xlabel("")
        axes[number, 0].annotate(row_text(keys, values), (-0.32, 0.5), xycoords="axes fraction",
                                 rotation=90, ha="center", va="center", weight="bold")
    order = list(COLOUR)
    kinds = sorted(entries, key=lambda k: order.index(architecture(k)) if architecture(k) in order else 9)
    axes[0, 2].legend([entries[k] for k in kinds], [name_of(k) for k in kinds], loc="lower left")
    fig.suptitle(title_of(ds, lost), fontsize=10)
    with pio.placing(output) as name:
        fig.savefig(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", help="output of plancherel run")
    parser.add_argument("-o", "--output", required=True, help="the picture")
    args = parser.parse_args()
    try:
        with draw.style():
            figure(pio.open_output(args.sweep), args.output)
    except ValueError as error:
        raise pio.InputError(f"{args.output}: {error}") from error


if __name__ == "__main__":
    pio.main_guard(main)
