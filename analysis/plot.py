#!/usr/bin/env python3
"""Plot the runs of a sweep from its output file.

Kinds:
  trajectory  --y against the step, one line per value of --hue: the median over the other runs
              (seeds) with the band from the 16th to the 84th percentile; a line ends where fewer
              than half of its runs go on
  gap         how far from the optimum, against the step: the optimality gap at depth 2 and the KKT
              residual at every depth (record.kkt), a panel each; dashed, where `plancherel optimum`
              has added it, the true distance of the normalised margin from the optimum
  irreps      each irrep's share of the Schatten sum against the step, one run a panel; or what --y
              names, itself, of the variables per irrep (block_error)
  spectrum    the final singular values in descending order, one line per value of --hue
  final       --y at the end of a run against the key --x, one line per value of --hue
  profile     --y, a variable on a further axis (depth, irrep, eigenvalue, ..), along that axis at
              the last record, one line per value of --hue
  attribution of a file that `plancherel apply` writes of model.kind gcn: some graphs, their nodes
              coloured by each attribution beside the truth
  tours       hulls, triangulations or tours that `plancherel apply` has found: its file is the input

A trajectory is drawn against the step, or against the variable --x (flow_time).

Keys that are swept besides --hue and the seeds get a panel each.  Diverged and failed runs are left
out, as are those that end without classifying their training samples (--all: drawn, too); the
figure says so.
"""

import argparse
import textwrap
from collections import Counter

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import FixedLocator, NullLocator

import attribution
import plancherel_io as pio
import plot_tours

# Okabe and Ito (2008): eight colours apart for every common colour vision.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "savefig.bbox": "tight",
}
MAX_PANELS = 12
MAX_IRREP_LABELS = 30
MAX_MARKERS = 60
SHARE_FLOOR = 1e-4  # smaller shares of the Schatten sum look alike
SPECTRUM_FLOOR = 1e-17  # of the largest singular value: below lies rounding


# ---- choosing runs ----


def parse_where(ds, conditions):
    """Runs for which every KEY=VALUE holds."""
    runs = list(range(ds.sizes["run"]))
    for condition in conditions:
        key, equals, value = condition.partition("=")
        if not equals:
            raise pio.InputError(f"--where {condition}: expected KEY=VALUE")
        key = key.replace(".", "_")
        pio.require(ds, key, ("run",))
        values = pio.column(ds, key)
        runs = [r for r in runs if matches(values[r], value)]
    if not runs:
        raise pio.InputError(f"no run has {', '.join(conditions)}")
    return runs


def matches(value, text):
    """Whether a run's value is the one written as `text`."""
    if isinstance(value, str):
        return value == text
    try:
        return value == float(text)
    except ValueError:
        return False


def chosen_runs(ds, args):
    """Runs of --run or --where, and a note on those that cannot be drawn."""
    if args.run is not None:
        if not 0 <= args.run < ds.sizes["run"]:
            raise pio.InputError(f"--run {args.run}: the file has runs 0..{ds.sizes['run'] - 1}")
        runs = [args.run]
    else:
        runs = parse_where(ds, args.where)
    if args.run is not None and pio.last_records(ds)[args.run] >= 0:
        return runs, ""  # asked for by number: shown however it ended
    sound, why = pio.sound_runs(ds, args.all)
    drawn = [r for r in runs if sound[r]]
    left = Counter(why[r] for r in runs if not sound[r])
    note = ", ".join(f"{n} {s}" for s, n in left.items())
    if not drawn:
        raise pio.InputError(f"no run to draw (left out: {note}; --all draws those, too)")
    return drawn, note and f"left out: {note}"


def split_keys(ds, args, runs):
    """(hue, facet keys): the swept keys that vary among runs, without the hue and what it implies
    (a key zipped with it)."""
    keys = [k for k in pio.swept_keys(ds) if len(pio.combinations(ds, [k], runs)) > 1]
    hue = args.hue and args.hue.replace(".", "_")
    if hue is None:
        hue = pio.default_hue(ds, keys)
    else:
        pio.require(ds, hue, ("run",))
    hues = len(pio.combinations(ds, [hue], runs)) if hue else 0
    return hue, [k for k in keys if len(pio.combinations(ds, [hue, k], runs)) > hues]


# ---- figure and axes ----


def panels(count, size, **kwargs):
    """A figure with `count` axes in rows of at most three; size is that of one panel."""
    if count > MAX_PANELS:
        raise pio.InputError(f"{count} panels are more than {MAX_PANELS}: narrow with --where")
    columns = min(count, 3 if count != 4 else 2)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(size[0] * columns, size[1] * rows),
        squeeze=False,
        constrained_layout={"w_pad": 0.08},
        **kwargs,
    )
    for ax in axes.flat[count:]:
        ax.remove()
    return figure, list(axes.flat[:count])


def colours(values):
    """A colour per value: a sequence for ordered numbers, else contrasts."""
    ordered = len(values) > 2 and not any(isinstance(v, str) for v in values)
    if ordered or len(values) > len(PALETTE):
        return list(plt.cm.viridis(np.linspace(0, 0.82, len(values))))
    return PALETTE[: len(values)]


def step_text(step, _position):
    """0, 1 and 10 plain, then powers of ten."""
    return f"{step:.0f}" if step <= 10 else f"$10^{{{np.log10(step):.0f}}}$"


def step_axis(ax, largest):
    """Logarithmic in the step, with room for step 0; plain for a few steps."""
    ax.set_xlabel("step")
    ax.set_xlim(0, max(largest, 1))
    if largest <= 20:
        return
    ax.set_xscale("symlog", linthresh=1, linscale=0.45)
    top = int(np.floor(np.log10(largest)))
    stride = 1 + top // 6
    ax.xaxis.set_major_locator(FixedLocator([0] + [10.0**k for k in range(0, top + 1, stride)]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(step_text)


def scale_y(axes, values, choice):
    """Logarithmic where asked, or where positive values span two decades."""
    values = values[np.isfinite(values)]
    wide = len(values) and values.min() > 0 and values.max() > 100 * values.min()
    if choice == "log" or (choice == "auto" and wide):
        for ax in axes:
            ax.set_yscale("log")


def legend(figure, ax, hue, entries):
    """Legend inside one panel, beside several."""
    if hue is None or not entries:
        return
    handles, texts = zip(*entries)
    if len(figure.axes) == 1:
        ax.legend(handles, texts, title=pio.key_text(hue), loc="best")
        return
    side = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
    figure.legend(handles, texts, title=pio.key_text(hue), **side)


def finish(figure, args, default_title, note):
    """Title, note, and the file."""
    title = default_title if args.title is None else args.title
    if title:
        figure.suptitle(title, fontsize=10)
    if note:
        figure.text(0.0, -0.005, note, fontsize=7.5, color="0.35", va="top", ha="left")
    try:
        figure.savefig(args.output)
    except (OSError, ValueError) as error:
        raise pio.InputError(f"{args.output}: {error}") from error


def draw_bands(ax, x, samples, colour, marker=None):
    """Median line and 16-84 % band of samples[run, x]; NaN where less than half are there."""
    enough = np.isfinite(samples).sum(axis=0) * 2 >= len(samples)
    x, samples = x[enough], samples[:, enough]
    median, low, high = np.nanpercentile(samples, [50, 16, 84], axis=0) if len(x) else [[]] * 3
    if len(samples) > 1:
        ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    return ax.plot(x, median, color=colour, linewidth=1.6, marker=marker, markersize=4)[0]


# ---- kinds ----


def trajectory_samples(step, y):
    """All steps of some runs, and y[run, step]: interpolated between a run's records (its last one
    can lie off the schedule), NaN after its end."""
    there = np.isfinite(step)
    grid = np.unique(step[there])
    samples = np.full((len(step), len(grid)), np.nan)
    for row, s, v, ok in zip(samples, step, y, there):
        row[:] = np.interp(np.log1p(grid), np.log1p(s[ok]), v[ok], left=np.nan, right=np.nan)
    return grid, samples


def plot_lines(ds, args, sample, marker=None, along=None):
    """Panels by facet keys, lines by hue; sample(runs) gives x and samples[run, x].  along: a key
    that runs along the x axis."""
    runs, note = chosen_runs(ds, args)
    hue, facets = split_keys(ds, args, runs)
    facets = [k for k in facets if k != along]
    groups = pio.combinations(ds, facets, runs)
    hues = [v for (v,), _ in pio.combinations(ds, [hue], runs)] if hue else [None]
    colour = {pio.order(v): c for v, c in zip(hues, colours(hues))}
    figure, axes = panels(len(groups), (5, 3.6) if len(groups) == 1 else (3.4, 2.7), sharey=True)
    entries, everything, largest = {}, [], 0
    for ax, (values, members) in zip(axes, groups):
        if facets:
            ax.set_title(pio.combination_text(facets, values))
        for hue_values, chosen in pio.combinations(ds, [hue] if hue else [], members):
            value = hue_values[0] if hue else None
            x, samples = sample(chosen)
            line = draw_bands(ax, x, samples, colour[pio.order(value)], marker)
            entries[pio.order(value)] = (line, pio.value_text(hue, value))
            everything.append(samples.ravel())
            largest = max(largest, x.max())
    everything = np.concatenate(everything)
    if not np.isfinite(everything).any():
        raise pio.InputError(f"{args.input}: nothing to draw: every value is missing")
    legend(figure, axes[0], hue, [entries[k] for k in sorted(entries)])
    return figure, axes, everything, largest, note


def at_exponent(ds, args):
    """--y at --exponent, and its label."""
    var = pio.require(ds, args.y, ("run", "record", "exponent"))
    exponents = ds["exponent"].values
    found = np.flatnonzero(np.isclose(exponents, args.exponent))
    if not len(found):
        have = ", ".join(f"{q:g}" for q in exponents)
        raise pio.InputError(f"{args.input}: {args.y} is recorded at {have} (record.exponents)")
    of = "beta" if args.y == "schatten_at" else "beta less the identity"
    return var[:, :, found[0]], f"Schatten value S_{args.exponent:g} of normalised {of}"


def plot_trajectory(ds, args):
    """--y against the step."""
    if args.y in ("schatten_at", "increment_schatten_at"):
        var, label = at_exponent(ds, args)
    else:
        hint = f"--y takes one of: {', '.join(pio.on_records(ds))}"
        var = pio.require(ds, args.y or pio.default_y(ds), ("run", "record"), hint)
        label = pio.axis_label(var)
    step, y = pio.steps(ds), var.values.astype(float)
    along = args.x and pio.require(ds, args.x, ("run", "record"))
    if args.x:
        step = along.values.astype(float)
    figure, axes, values, largest, note = plot_lines(
        ds, args, lambda runs: trajectory_samples(step[runs], y[runs])
    )
    scale_y(axes, values, args.yscale)
    for ax in axes:
        step_axis(ax, largest)
        if args.x:
            ax.set_xlabel(args.x.replace("_", " "))
    figure.supylabel(textwrap.fill(label, 40), fontsize=9)
    finish(figure, args, ds.attrs.get("title", ""), note)


def plot_gap(ds, args):
    """Optimality gap and KKT residual, one line per hue (depth), medians and bands over the rest."""
    runs, note = chosen_runs(ds, args)
    if args.hue is None and "model_depth" in ds.variables:
        args.hue = "model_depth"
    hue, _ = split_keys(ds, args, runs)
    step = pio.steps(ds)
    panels_of = [("optimality_gap", "optimality gap"), ("kkt_residual", "KKT residual")]
    shown = [(n, t) for n, t in panels_of if n in ds.variables and np.isfinite(ds[n][runs]).any()]
    if not shown:
        raise pio.InputError(f"{args.input}: neither optimality_gap (depth 2) nor kkt_residual")
    lines = pio.combinations(ds, [hue] if hue else [], runs)
    figure, axes = panels(len(shown), (3.8, 3.0))
    entries = {}
    for ax, (name, label) in zip(axes, shown):
        largest = 0
        for (values, members), colour in zip(lines, colours([v[0] for v, _ in lines if v] or [0])):
            value = values[0] if hue else None
            y = ds[name].values[members]
            if not np.isfinite(y).any():
                continue
            x, samples = trajectory_samples(step[members], y)
            line = draw_bands(ax, x, samples, colour)
            entries[pio.order(value)] = (line, pio.value_text(hue, value))
            largest = max(largest, x.max())
            if name == "optimality_gap" and "optimum" in ds.variables:
                best = ds.optimum.values[members][:, None]
                true = 1 - ds.normalized_margin.values[members] / best
                ax.plot(x, np.nanmedian(trajectory_samples(step[members], true)[1], axis=0),
                        color=colour, linestyle="--", linewidth=1.2)
        ax.set_yscale("linear" if args.yscale == "linear" else "log")
        ax.set_ylabel(label)
        step_axis(ax, largest)
    legend(figure, axes[-1], hue, [entries[k] for k in sorted(entries)])
    finish(figure, args, ds.attrs.get("title", ""), note)


def plot_spectrum(ds, args):
    """Final singular values in descending order."""
    hint = "set record.spectrum: true in the sweep file"
    var, last = pio.require(ds, "singular_values", ("run", "record", "sv"), hint), pio.last_records(ds)

    def sample(runs):
        # Missing are those of other runs' matrices.
        rows = [var[run, last[run]].values for run in runs]
        rows = [np.sort(row[np.isfinite(row)])[::-1] for row in rows]
        samples = np.full((len(rows), max(map(len, rows))), np.nan)
        for row, values in zip(samples, rows):
            row[: len(values)] = np.maximum(values, SPECTRUM_FLOOR * values[:1])
        return np.arange(1, samples.shape[1] + 1), samples

    few = ds.sizes["sv"] <= MAX_MARKERS
    figure, axes, _, _, note = plot_lines(ds, args, sample, marker="o" if few else None)
    for ax in axes:
        ax.set_yscale("linear" if args.yscale == "linear" else "log")
        ax.set_xlabel("singular value, largest first")
        ax.xaxis.get_major_locator().set_params(integer=True)
    figure.supylabel(textwrap.fill(pio.axis_label(var), 40), fontsize=9)
    finish(figure, args, ds.attrs.get("title", ""), note)


def plot_final(ds, args):
    """--y at the last record of every run against the key --x."""
    key = (args.x or "model_depth").replace(".", "_")
    place, last = pio.require(ds, key, ("run",)).values, pio.last_records(ds)
    var = pio.require(ds, args.y or pio.default_y(ds), ("run", "record"))
    final = np.array([var.values[r, k] if k >= 0 else np.nan for r, k in enumerate(last)])

    def sample(runs):
        x = np.unique(place[runs])
        columns = [final[[r for r in runs if place[r] == v]] for v in x]
        samples = np.full((max(map(len, columns)), len(x)), np.nan)
        for k, values in enumerate(columns):
            samples[: len(values), k] = values
        return x, samples

    figure, axes, values, _, note = plot_lines(ds, args, sample, marker="o", along=key)
    scale_y(axes, values, args.yscale)
    least = place[place > 0].min() if (place > 0).any() else np.inf
    wide = place.min() >= 0 and place.max() >= 30 * least
    for ax in axes:
        if wide and place.min() == 0:  # a place for 0 beside the powers of ten
            ax.set_xscale("symlog", linthresh=least)
        else:
            ax.set_xscale("log" if wide else "linear")
        ax.set_xlabel(pio.key_text(key))
    figure.supylabel(textwrap.fill(pio.axis_label(var), 40), fontsize=9)
    finish(figure, args, ds.attrs.get("title", ""), note)


def plot_profile(ds, args):
    """--y along its own axis at the last record."""
    able = [n for n, v in ds.variables.items() if v.dims[:2] == ("run", "record") and v.ndim == 3]
    name = args.y or (able[0] if able else "")
    if name not in able:
        raise pio.InputError(f"--y {name}: --kind profile takes one of: {', '.join(able)}")
    var, last = ds[name], pio.last_records(ds)
    axis = var.dims[2]
    names = pio.column(ds, "irrep_label") if axis == "irrep" else None
    numbers = ds[axis].values.astype(float) if axis in ds.variables else np.arange(var.shape[2])

    def sample(runs):
        rows = np.array([var[run, last[run]].values for run in runs], dtype=float)
        there = np.isfinite(rows).any(axis=0)
        x = np.arange(there.sum()) if names else numbers[there]
        return x, rows[:, there]

    figure, axes, values, _, note = plot_lines(ds, args, sample, marker="o" if names else None)
    scale_y(axes, values, args.yscale)
    for ax in axes:
        ax.set_xlabel(axis)
        if names:
            ax.set_xticks(range(len(names)), names, rotation=60, fontsize=7)
    figure.supylabel(textwrap.fill(pio.axis_label(var), 40), fontsize=9)
    finish(figure, args, ds.attrs.get("title", ""), note)


def edges(step):
    """Cell borders halfway between steps on the step axis, from 0 to the last step."""
    u = np.log1p(step)
    middle = np.expm1((u[1:] + u[:-1]) / 2)
    return np.concatenate([[max(step[0], 0)], middle, [max(step[-1], 1)]])


def draw_shares(ds, ax, run, share, whole):
    """The heat map of one run: irreps downwards as stored, steps to the right; whole: as shares of
    their sum."""
    step = pio.steps(ds)[run]
    there = np.isfinite(step)
    irreps = pio.irreps_of(ds, run)
    q = share[run].values[there][:, irreps]
    if whole:
        q = q / np.nansum(q, axis=1, keepdims=True)
    rows = np.arange(len(irreps) + 1) - 0.5
    ax.grid(False)
    mesh = ax.pcolormesh(
        edges(step[there]),
        rows,
        np.clip(q.T, SHARE_FLOOR, 1),
        norm=LogNorm(SHARE_FLOOR, 1),
        cmap="viridis",
        rasterized=True,
    )
    labels = pio.column(ds, "irrep_label")
    stride = -(-len(irreps) // MAX_IRREP_LABELS)
    ax.set_yticks(range(0, len(irreps), stride))
    ax.set_yticklabels([labels[i] for i in irreps[::stride]], fontsize=8)
    ax.set_ylim(len(irreps) - 0.5, -0.5)
    step_axis(ax, step[there].max())
    return mesh


def plot_irreps(ds, args):
    """Shares of the Schatten sum, or --y itself, the first sound run of each combination (or
    --run)."""
    hint = "set record.irreps: true in the sweep file"
    name = args.y or "irrep_schatten"
    share = pio.require(ds, name, ("run", "record", "irrep"), hint)
    whole = name == "irrep_schatten"
    runs, note = chosen_runs(ds, args)
    keys = [k for k in pio.swept_keys(ds) if len(pio.combinations(ds, [k], runs)) > 1]
    shown = [(values, members[0]) for values, members in pio.combinations(ds, keys, runs)]
    tallest = max(len(pio.irreps_of(ds, run)) for _, run in shown)
    height = 1.1 + 0.17 * min(max(tallest, 6), MAX_IRREP_LABELS)
    figure, axes = panels(len(shown), (3.4, height))
    groups = pio.column(ds, "group") if "group" in ds.variables else None
    for ax, (values, run) in zip(axes, shown):
        mesh = draw_shares(ds, ax, run, share, whole)
        text = pio.combination_text(keys, values)
        ax.set_title(textwrap.fill(f"{text + ', ' if text else ''}run {run}", 36))
        if ax.get_subplotspec().is_first_col():
            named = groups and "group" not in keys
            ax.set_ylabel(f"irrep of {pio.group_text(groups[run])}" if named else "irrep")
    bar = figure.colorbar(mesh, ax=axes, extend="min", aspect=25, pad=0.02)
    bar.set_label("Schatten share" if whole else textwrap.fill(pio.axis_label(share), 50))
    finish(figure, args, ds.attrs.get("title", ""), note)


def plot_attribution(args):
    with pio.open_file(args.input) as ds:
        attribution.plot(ds, args, finish)


def plot_solved(args):
    figure, note = plot_tours.figure_of(args.input, panels)
    finish(figure, args, "", note)


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


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", help="output file of plancherel run (of apply)")
    parser.add_argument("-o", "--output", required=True, help="figure: .png, .pdf or .svg")
    parser.add_argument("--kind", choices=[*KINDS, *OTHERS], default="trajectory")
    parser.add_argument("--y", help="variable of a trajectory (the file's default_y)")
    parser.add_argument("--x", help="variable that a trajectory is drawn against (the step); key of "
                                    "--kind final (model_depth)")
    parser.add_argument("--exponent", type=float, default=1, help="of --y schatten_at (1)")
    parser.add_argument("--hue", help="key told apart by colour (the file's default_hue)")
    parser.add_argument("--run", type=int, help="this run alone, however it ended")
    parser.add_argument(
        "--where", action="append", default=[], metavar="KEY=VALUE", help="only these runs; repeats"
    )
    parser.add_argument("--all", action="store_true", help="runs that do not classify, too")
    parser.add_argument("--yscale", choices=["auto", "linear", "log"], default="auto")
    parser.add_argument("--title", help="instead of the sweep's title; '' for none")
    args = parser.parse_args(argv)
    with plt.rc_context(STYLE):
        if args.kind in OTHERS:
            OTHERS[args.kind](args)
        else:
            with pio.open_output(args.input) as ds:
                KINDS[args.kind](ds, args)
        plt.close("all")


if __name__ == "__main__":
    pio.main_guard(main)
