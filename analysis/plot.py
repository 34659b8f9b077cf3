#!/usr/bin/env python3
"""Plot the runs of a sweep from its output file.

Kinds:
  trajectory  --y against the step, one line per value of --hue: the median over the other runs
              (seeds) with the band from the 16th to the 84th percentile; a line ends where fewer
              than half of its runs go on.  A --y on a further axis (irrep_schatten): a line per
              entry of the axis, a panel per combination of keys
  gap         how far from the optimum, against the step: the optimality gap at depth 2 and the KKT
              residual at every depth (record.kkt), a column each; dotted, where `plancherel optimum`
              has added it, the true distance of the normalised margin from the optimum
  irreps      each irrep's share of the Schatten sum against the step, one run a panel; or what --y
              names, itself, of the variables per irrep (block_error)
  spectrum    the final singular values in descending order, one line per value of --hue; those of
              weights a panel per weight matrix (--weights: which)
  final       --y at the end of a run against the key --x, one line per value of --hue
  profile     --y, a variable on a further axis (depth, irrep, eigenvalue, ..), along that axis at
              the last record, one line per value of --hue
  attribution of a file that `plancherel apply` writes of model.kind gcn: some graphs, their nodes
              coloured by each attribution beside the truth
  tours       hulls, triangulations or tours that `plancherel apply` has found: its file is the input

A trajectory is drawn against the step, or against the variable --x (flow_time).

Keys that are swept besides --hue and the seeds get a panel each.  Panels share their y axis where
their values can be compared: not S_p at different depths, whose p = 2 / depth differ; the depth then
gets panels, unless --hue asks for it.  Diverged and failed runs are left out, as are those that end
without classifying their training samples (--all: drawn, too); the footnote counts them, the legend
says of which lines.

A matplotlibrc goes before the style here.  .pdf, .svg and .eps are vectors.
"""

import argparse
import re

from modules import need

need("numpy", "xarray", "netCDF4", "matplotlib")

import draw  # noqa: E402
import plancherel_io as pio  # noqa: E402
from plot_gap import plot_gap  # noqa: E402
from plot_irreps import plot_irreps  # noqa: E402
from plot_lines import plot_final, plot_profile, plot_spectrum, plot_trajectory  # noqa: E402


def only(args):
    """The one input of a kind that takes no more."""
    if len(args.input) > 1:
        raise pio.InputError(f"--kind {args.kind} takes one file")
    return args.input[0]


def plot_attribution(args):
    need("networkx")
    import attribution

    with pio.open_file(only(args)) as ds:
        attribution.plot(ds, args)


def plot_solved(args):
    import plot_tours

    plot_tours.plot(only(args), args)


KINDS = {
    "trajectory": plot_trajectory,
    "gap": plot_gap,
    "irreps": plot_irreps,
    "spectrum": plot_spectrum,
    "final": plot_final,
    "profile": plot_profile,
}
# Of files that `plancherel apply` writes, not of runs.
OTHERS = {"attribution": plot_attribution, "tours": plot_solved}


def limits(words):
    """(low, high) of --ylim, None where it leaves a side open."""
    sides = re.split(r"[,: ]", " ".join(words))
    try:
        low, high = (float(s) if s else None for s in sides)
    except ValueError as error:
        raise pio.InputError(f"--ylim {' '.join(words)}: expected LOW HIGH, two numbers") from error
    if low is not None and high is not None and not low < high:
        raise pio.InputError(f"--ylim {low:g} {high:g}: the first is to be the smaller")
    return low, high


def parser_of():
    """The options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", nargs="+",
                        help="output of plancherel run; several are read as one (one of apply)")
    parser.add_argument("-o", "--output", required=True, help="figure: .pdf, .svg, .eps or .png")
    parser.add_argument("--kind", choices=[*KINDS, *OTHERS], default="trajectory")
    parser.add_argument("--y", help="variable of a trajectory (the file's default_y)")
    parser.add_argument("--x", help="variable that a trajectory is drawn against (the step); key of "
                                    "--kind final (model_depth)")
    parser.add_argument("--exponent", type=float, default=1, help="of --y schatten_at (1)")
    parser.add_argument("--hue", help="key told apart by colour (the file's default_hue)")
    parser.add_argument("--weights", nargs="+", metavar="NAME",
                        help="weights that --kind spectrum draws: 'layer*_weight' (matrices)")
    parser.add_argument("--run", type=int, help="this run alone, however it ended")
    parser.add_argument(
        "--where", action="append", default=[], metavar="KEY=VALUE", help="only these runs; repeats"
    )
    parser.add_argument("--all", action="store_true", help="runs that do not classify, too")
    parser.add_argument("--yscale", choices=["auto", "linear", "log"], default="auto")
    parser.add_argument("--xscale", choices=["auto", "linear", "log"], default="auto", help="of steps")
    parser.add_argument("--ylim", nargs="+", metavar="N",
                        help="ends of the y axis, LOW HIGH; '0,' leaves the upper one open")
    parser.add_argument("--share-y", nargs="?", choices=["auto", "yes", "no"], const="yes",
                        default="auto", help="one y axis for all panels (auto: where comparable)")
    parser.add_argument("--width", type=draw.inches, help="of the figure in inches, all included")
    parser.add_argument("--height", type=draw.inches, help="likewise")
    parser.add_argument("--labels", nargs="+", metavar="NAME=TEXT",
                        help="what keys, values, variables and axes are called: gcnn=G-CNN "
                             "model_kind=network y='$S_1$'; without NAME= the lines, in their order")
    parser.add_argument("--title", help="instead of the sweep's title; '' for none")
    return parser


def main(argv=None):
    """Command line."""
    args = parser_of().parse_args(argv)
    args.ylim = args.ylim and limits(args.ylim)
    with draw.style():
        if args.kind in OTHERS:
            OTHERS[args.kind](args)
        else:
            with pio.open_outputs(args.input) as ds:
                KINDS[args.kind](ds, args)


if __name__ == "__main__":
    pio.main_guard(main)
