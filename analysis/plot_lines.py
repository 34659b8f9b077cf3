"""Kinds of pictures made of lines, medians over seeds with their bands: trajectory, final, profile,
spectrum."""

import numpy as np

import choose
import curves
import draw
import plancherel_io as pio
from lines import Lines, largest_entries

MAX_MARKERS = 60
SPECTRUM_FLOOR = 1e-17  # of the largest singular value: below lies rounding


def draw_lines(lines, sample, marker=None):
    """The figure of Lines; sample(runs, value) gives x and samples[run, x].  Gives figure, axes, their
    values, the largest x, note and legend."""
    ds, args = lines.ds, lines.args
    shown, few = largest_entries(lines, sample) if lines.axis else (lines.all_values(), "")
    look = dict(zip(map(lines.order, shown), draw.lines([s[1] if lines.axis else s for s in shown])))
    one = len(lines.groups) == 1
    figure, axes = draw.panels(len(lines.groups), args, (5, 3.6) if one else (3.4, 2.7), lines.shared)
    entries, everything, largest, counts, ends = {}, [], 0, [], []
    for ax, (values, members) in zip(axes, lines.groups):
        if lines.facets:
            ax.set_title(draw.wrapped(ax, lines.panel_title(values)))
        drawn = []
        for value, runs in lines.of_panel(members):
            if lines.order(value) not in look:
                continue
            x, samples = sample(runs, value)
            if not samples.shape[1]:  # these runs do not have it
                continue
            line = draw.draw_bands(ax, x, samples, *look[lines.order(value)], marker)
            entries[lines.order(value)] = (line, lines.text(value))
            drawn.append(samples.ravel())
            counts.append(len(samples))  # runs at one x
            ends.append(np.isnan(samples[:, -1]).any() and np.isfinite(samples[:, -1]).any())
            largest = max(largest, x.max())
        everything.append(np.concatenate(drawn) if drawn else np.empty(0))
    if not any(np.isfinite(v).any() for v in everything):
        raise pio.InputError(f"{pio.source(ds)}: nothing to draw: every value is missing")
    short = "they end where fewer than half go on" if marker is None and any(ends) else ""
    note = choose.note_of(choose.seeds_text(counts), short, few, lines.left, lines.lost())
    legend = [entries[k] for k in sorted(entries)] if lines.hue or lines.axis else []
    return figure, axes, everything, largest, note, legend


def finish(lines, figure, axes, var, note, legend, label=None):
    """Label of the y axis, legend and file of a figure of Lines."""
    short = figure.get_figheight() * 0.9
    text = lines.words.axis("y", var.name, label or pio.axis_label(var), short)
    if len(axes) == 1:
        axes[0].set_ylabel(text)
    else:
        figure.supylabel(text, fontsize="medium")
    title = lines.words.key(lines.hue) if lines.hue else lines.words.find(lines.axis) or lines.axis
    draw.finish(figure, lines.args, lines.ds.attrs.get("title", ""), note, legend, title)


def scale_panels(lines, axes, values, args):
    """Scales of the y axes: one for all, or each its own."""
    if lines.shared:
        draw.scale_y(axes, np.concatenate(values), args.yscale, args.ylim)
        return
    for ax, own in zip(axes, values):
        draw.scale_y([ax], own, args.yscale, args.ylim)


def at_exponent(ds, args):
    """--y at --exponent, and its label."""
    var = pio.require(ds, args.y, ("run", "record", "exponent"))
    exponents = ds["exponent"].values
    found = np.flatnonzero(np.isclose(exponents, args.exponent))
    if not len(found):
        have = ", ".join(f"{q:g}" for q in exponents)
        raise pio.InputError(f"{pio.source(ds)}: {args.y} is recorded at {have} (record.exponents)")
    of = "beta" if args.y == "schatten_at" else "beta less the identity"
    return var[:, :, found[0]], f"Schatten value S_{args.exponent:g} of normalised {of}"


def measure(ds, args):
    """(variable, label, further axis) that --y names."""
    if args.y in ("schatten_at", "increment_schatten_at"):
        return *at_exponent(ds, args), None
    name = args.y or pio.default_y(ds)
    able = ", ".join(pio.on_records(ds))
    var = pio.require(ds, name, hint=f"--y takes one of: {able}, or of those on a further axis")
    if var.dims[:2] != ("run", "record") or var.ndim > 3:
        pio.require(ds, name, ("run", "record"), f"--y takes one of: {able}")
    return var, pio.axis_label(var), var.dims[2] if var.ndim == 3 else None


def plot_trajectory(ds, args):
    """--y against the step, or against --x."""
    var, label, axis = measure(ds, args)
    step, y = pio.steps(ds), var.values.astype(float)
    if args.x:
        step = pio.require(ds, args.x, ("run", "record")).values.astype(float)
    lines = Lines(ds, args, var.name, draw.Words(args.labels), axis)

    def sample(runs, value):
        return curves.trajectory_samples(step[runs], y[runs, :, value[0]] if axis else y[runs])

    figure, axes, values, largest, note, legend = draw_lines(lines, sample)
    scale_panels(lines, axes, values, args)
    what = args.x or "step"
    for ax in axes:
        draw.step_axis(ax, largest, lines.words.axis("x", what, what.replace("_", " "), 9), args.xscale)
    finish(lines, figure, axes, var, note, legend, label)


def plot_spectrum(ds, args):
    """Final singular values in descending order."""
    hint = "set record.spectrum: true in the sweep file"
    var, last = pio.require(ds, "singular_values", ("run", "record", "sv"), hint), pio.last_records(ds)

    def sample(runs, _value):
        # Missing are those of other runs' matrices.
        rows = [var[run, last[run]].values for run in runs]
        rows = [np.sort(row[np.isfinite(row)])[::-1] for row in rows]
        samples = np.full((len(rows), max(map(len, rows))), np.nan)
        for row, values in zip(samples, rows):
            row[: len(values)] = np.maximum(values, SPECTRUM_FLOOR * values[:1])
        return np.arange(1, samples.shape[1] + 1), samples

    lines = Lines(ds, args, var.name, draw.Words(args.labels))
    few = ds.sizes["sv"] <= MAX_MARKERS
    figure, axes, values, _, note, legend = draw_lines(lines, sample, marker="o" if few else None)
    for ax in axes:
        draw.scale_y([ax], np.concatenate(values), "linear" if args.yscale == "linear" else "log", args.ylim)
        ax.set_xlabel(lines.words.axis("x", "sv", "singular value, largest first", 9))
        ax.xaxis.get_major_locator().set_params(integer=True)
    finish(lines, figure, axes, var, note, legend)


def plot_final(ds, args):
    """--y at the last record of every run against the key --x."""
    key = (args.x or "model_depth").replace(".", "_")
    place, last = pio.require(ds, key, ("run",)).values, pio.last_records(ds)
    if place.dtype.kind not in "biuf":
        raise pio.InputError(f"--x {key}: --kind final takes a key whose values are numbers")
    var = pio.require(ds, args.y or pio.default_y(ds), ("run", "record"))
    final = pio.last_values(ds, var.name, last)
    lines = Lines(ds, args, var.name, draw.Words(args.labels), along=key)

    def sample(runs, _value):
        x = np.unique(place[runs])
        columns = [final[[r for r in runs if place[r] == v]] for v in x]
        samples = np.full((max(map(len, columns)), len(x)), np.nan)
        for k, values in enumerate(columns):
            samples[: len(values), k] = values
        return x, samples

    figure, axes, values, _, note, legend = draw_lines(lines, sample, marker="o")
    scale_panels(lines, axes, values, args)
    least = place[place > 0].min() if (place > 0).any() else np.inf
    wide = place.min() >= 0 and place.max() >= 30 * least
    for ax in axes:
        if wide and place.min() == 0:  # a place for 0 beside the powers of ten
            ax.set_xscale("symlog", linthresh=least)
        else:
            ax.set_xscale("log" if wide else "linear")
        ax.set_xlabel(lines.words.find("x") or lines.words.key(key))
    finish(lines, figure, axes, var, note, legend)


def plot_profile(ds, args):
    """--y along its own axis at the last record."""
    able = [n for n, v in ds.variables.items() if v.dims[:2] == ("run", "record") and v.ndim == 3]
    name = args.y or (able[0] if able else "")
    if name not in able:
        raise pio.InputError(f"--y {name}: --kind profile takes one of: {', '.join(able)}")
    var, last = ds[name], pio.last_records(ds)
    axis = var.dims[2]
    numbers = ds[axis].values.astype(float) if axis in ds.variables else None
    texts = choose.names_along(ds, axis) if numbers is None else None
    named = texts is not None and not all(t.isdigit() for t in texts)
    lines = Lines(ds, args, name, draw.Words(args.labels))

    def sample(runs, _value):
        rows = np.array([var[run, last[run]].values for run in runs], dtype=float)
        there = np.isfinite(rows).any(axis=0)
        x = np.arange(len(there)) if numbers is None else numbers
        return x[there], rows[:, there]

    marker = "o" if named else None
    figure, axes, values, _, note, legend = draw_lines(lines, sample, marker)
    scale_panels(lines, axes, values, args)
    for ax in axes:
        ax.set_xlabel(lines.words.axis("x", axis, axis.replace("_", " "), 9))
        if named:
            ax.set_xticks(range(len(texts)), texts, rotation=60, fontsize="x-small")
    finish(lines, figure, axes, var, note, legend)
