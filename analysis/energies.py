#!/usr/bin/env python3
"""Draw the energies that `plancherel fourier` found: each irrep's share of the squared norm of f and,
of rankings, the ratio to what ballots drawn uniformly would have.

The input is what `fourier -o OUT.nc` or `--csv FILE.csv` wrote.  A matplotlibrc goes before the style
here; .pdf, .svg and .eps are vectors.
"""

import argparse
import csv

from modules import need

need("numpy", "xarray", "netCDF4", "matplotlib")

import numpy as np  # noqa: E402

import draw  # noqa: E402
import plancherel_io as pio  # noqa: E402

MOST = 24


def read_csv(path):
    """(labels, {column: values}) of a file of --csv."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise pio.unreadable(path, error) from error
    if not rows or not {"label", "share"} <= set(rows[0]):
        raise pio.InputError(f"{path}: no columns label and share; expected what fourier --csv writes")
    try:
        return [row["label"] for row in rows], {
            n: np.array([float(row[n] or "nan") for row in rows])
            for n in ("share", "ratio") if n in rows[0]}
    except (TypeError, ValueError) as error:
        raise pio.InputError(f"{path}: {error}") from error


def read(path):
    """Likewise of either file."""
    if path.endswith(".csv"):
        return read_csv(path)
    with pio.open_file(path) as ds:
        pio.require(ds, "irrep_share", ("irrep",), "expected irrep_energy and irrep_share of fourier -o")
        return pio.column(ds, "irrep_label"), {
            n: ds[f"irrep_{n}"].values for n in ("share", "ratio") if f"irrep_{n}" in ds.variables}


def bars(ax, labels, values, title):
    place = np.arange(len(labels))
    ax.barh(place, values, color=draw.PALETTE[0], height=0.7, zorder=2)
    ax.set_yticks(place, labels)
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.set_xlabel(title)


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", help="OUT.nc or FILE.csv of plancherel fourier")
    parser.add_argument("-o", "--output", required=True, metavar="FIGURE")
    parser.add_argument("--title")
    parser.add_argument("--width", type=draw.inches, help="of the figure in inches, all included")
    parser.add_argument("--height", type=draw.inches, help="likewise")
    args = parser.parse_args(argv)
    labels, columns = read(args.input)
    # In the file's order (dominance), but the largest where not all fit a page.
    shown = np.sort(np.argsort(-columns["share"], kind="stable")[:MOST])
    note = "share of the squared norm of f"
    if len(shown) < len(labels):
        note += f"; the {len(shown)} irreps of {len(labels)} with the largest, " \
                f"{columns['share'][shown].sum():.4g} of it"
    with draw.style():
        figure, axes = draw.panels(len(columns), args, (2.8, 0.9 + 0.2 * len(shown)), columns=len(columns))
        for ax, (name, values) in zip(axes, columns.items()):
            words = {"share": "share", "ratio": "energy / mean of uniform ballots"}[name]
            bars(ax, [labels[k] for k in shown], values[shown], words)
            if name == "ratio":
                ax.axvline(1, color="0.3", linewidth=0.8)
        draw.finish(figure, args, "", note)


if __name__ == "__main__":
    pio.main_guard(main)
