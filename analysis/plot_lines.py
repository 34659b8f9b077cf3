"""Kinds of pictures made of lines, medians over seeds with their bands: trajectory, final, profile,
spectrum."""

from fnmatch import fnmatchcase

import numpy as np

import choose
import curves
import draw
import plancherel_io as pio
from lines import Lines, largest_entries

MAX_MARKERS = 60
SPECTRUM_FLOOR = 1e-17  # of the largest singular value: below lies rounding


def draw_lines(lines, sample, marker=None):
    """The figure of Lines; sample(runs, value), of panels that are split also the part, gives x and
    samples[run, x].  Gives figure, axes, their values, the largest x, note and legend."""
    ds, args = lines.ds, lines.args
    shown, few = largest_entries(lines, sample) if lines.axis else (lines.all_values(), "")
    look = dict(zip(map(lines.order, shown), draw.lines([s[1] if lines.axis else s for s in shown])))
    one = len(lines.groups) == 1
    figure, axes = draw.panels(len(lines.groups), args, (5, 3.6) if one else (3.4, 2.7), lines.shared)
    entries, everything, largest, counts, ends = {}, [], 0, [], []
    for ax, (values, members, *part) in zip(axes, lines.groups):
        if lines.facets or part:
            ax.set_title(draw.wrapped(ax, lines.panel_title(values, *part)))
        drawn = []
        for value, runs in lines.of_panel(members):
            if lines.order(value) not in look:
                continue
            x, samples = sample(runs, value, *part)
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


def spectrum_of(ds, args):
    """The singular values that --y names, or those of the whole map, or else of the weights."""
    able = [n for n, v in ds.variables.items()
            if n.endswith("singular_values") and v.dims[:2] == ("run", "record") and v.ndim == 3]
    if args.y and able and args.y not in able:
        raise pio.InputError(f"--y {args.y}: --kind spectrum takes one of: {', '.join(able)}")
    known = [n for n in (args.y, "singular_values", "weight_singular_values") if n in able]
    name = known[0] if known else "singular_values"
    return pio.require(ds, name, hint="set record.spectrum: true in the sweep file")


class Spectra:
    """The final singular values of each run, by the matrices (weights) that they belong to; those of
    irreps are parts of one matrix."""

    def __init__(self, ds, var, runs):
        last, (dimension, owner) = pio.last_records(ds), choose.owner_of(ds, var.dims[2])
        self.ends = {run: var[run, last[run]].values for run in runs}
        self.place, self.longest = {}, var.shape[2]
        if dimension not in (None, "irrep"):
            # Networks of other shapes have weights of the same names.
            names = np.array(choose.names_along(ds, dimension))[owner]
            there = names[np.isfinite([*self.ends.values()]).any(axis=0)]
            self.place = {name: np.flatnonzero(names == name) for name in dict.fromkeys(there.tolist())}
            self.longest = np.bincount(owner).max()

    def of_run(self, run, name=None):
        """Largest first.  Missing are those of other runs' matrices."""
        own = self.ends[run] if name is None else self.ends[run][self.place[name]]
        return np.sort(own[np.isfinite(own)])[::-1]

    def have(self, run, name):
        return len(self.of_run(run, name)) > 0

    def wanted(self, patterns):
        """Names that match, or those of matrices: a vector, a bias, has one singular value."""
        if patterns:
            found = [n for n in self.place if any(fnmatchcase(n, p) for p in patterns)]
            if not found:
                raise pio.InputError(f"--weights {' '.join(patterns)}: there are {', '.join(self.place)}")
            return found
        return [n for n in self.place if any(len(self.of_run(r, n)) > 1 for r in self.ends)] or [*self.place]


def split_by_weight(lines, spectra, patterns):
    """A panel per weight, of as many as there is room for; gives what the footnote says of the rest."""
    names = spectra.wanted(patterns)
    count = max(choose.MAX_PANELS // len(lines.groups), 1)
    lines.split(names[:count], spectra.have)
    few = f"the first {count} of {len(names)} weights, others: --weights" if len(names) > count else ""
    return choose.note_of(few, "" if patterns or len(names) == len(spectra.place) else "without vectors")


def plot_spectrum(ds, args):
    """Final singular values in descending order, of each weight in a panel of its own."""
    var = spectrum_of(ds, args)
    lines = Lines(ds, args, var.name, draw.Words(args.labels))
    spectra = Spectra(ds, var, lines.runs)
    rest = split_by_weight(lines, spectra, args.weights) if spectra.place else ""

    def sample(runs, _value, name=None):
        rows = [spectra.of_run(run, name) for run in runs]
        samples = np.full((len(rows), max(map(len, rows))), np.nan)
        for row, values in zip(samples, rows):
            row[: len(values)] = np.maximum(values, SPECTRUM_FLOOR * values[:1])
        return np.arange(1, samples.shape[1] + 1), samples

    few = spectra.longest <= MAX_MARKERS
    figure, axes, values, _, note, legend = draw_lines(lines, sample, marker="o" if few else None)
    if spectra.place:
        scale_panels(lines, axes, values, args)
    for ax in axes:
        if not spectra.place:
            draw.scale_y([ax], np.concatenate(values), "linear" if args.yscale == "linear" else "log", args.ylim)
        ax.set_xlabel(lines.words.axis("x", var.dims[2], "singular value, largest first", 9))
        ax.xaxis.get_major_locator().set_params(integer=True)
    finish(lines, figure, axes, var, choose.note_of(note, rest), legend)


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
