"""How far from the optimum: the optimality gap at depth 2 and the KKT residual at every depth."""

import numpy as np

import choose
import curves
import draw
import plancherel_io as pio
from lines import Lines


def true_gap(ds, runs):
    """Distance of the normalised margin from the optimum, of `plancherel optimum`; or None."""
    if "optimum" not in ds.variables or "normalized_margin" not in ds.variables:
        return None
    gap = 1 - ds.normalized_margin.values[runs] / ds.optimum.values[runs][:, None]
    return gap if np.isfinite(gap).any() else None


def draw_panel(lines, ax, name, members, look):
    """One measure of some runs: {order of the hue: line}, how many runs each has, the largest step."""
    ds, step, drawn, counts, largest = lines.ds, pio.steps(lines.ds), {}, [], 0
    for value, runs in lines.of_panel(members):
        y = ds[name].values[runs]
        if not np.isfinite(y).any():
            continue
        colour, dashes = look[lines.order(value)]
        x, samples = curves.trajectory_samples(step[runs], y)
        drawn[lines.order(value)] = draw.draw_bands(ax, x, samples, colour, dashes), value
        counts.append(len(runs))
        largest = max(largest, x.max())
        true = true_gap(ds, runs) if name == "optimality_gap" else None
        if true is not None:
            enough, median, _, _ = curves.band(curves.trajectory_samples(step[runs], true)[1])
            ax.plot(x[enough], median, color=colour, linestyle=":", linewidth=1.2)
    return drawn, counts, largest


def plot_gap(ds, args):
    """A row of panels for each combination of the swept keys besides the hue, a column a measure."""
    if args.hue is None and "model_depth" in pio.swept_keys(ds):
        args.hue = "model_depth"
    shown = [m for m in choose.CERTIFICATES if m[0] in ds.variables and np.isfinite(ds[m[0]]).any()]
    if not shown:
        raise pio.InputError(f"{pio.source(ds)}: neither optimality_gap (depth 2) nor kkt_residual")
    lines = Lines(ds, args, shown[0][0], draw.Words(args.labels))
    cells = [(values, members, *m) for values, members in lines.groups for m in shown
             if np.isfinite(ds[m[0]].values[members]).any()]
    if not cells:
        raise pio.InputError(f"{pio.source(ds)}: nothing to draw: every value is missing")
    values = lines.all_values()
    look = dict(zip(map(lines.order, values), draw.lines(values)))
    whole = len(cells) == len(shown) * len(lines.groups)
    columns = len(shown) if whole and len(shown) > 1 else None
    figure, axes = draw.panels(len(cells), args, (3.8, 3.0) if columns else (3.4, 2.7), columns=columns)
    entries, counts, dotted = {}, [], False
    for ax, (of_facets, members, name, label) in zip(axes, cells):
        drawn, there, largest = draw_panel(lines, ax, name, members, look)
        counts += there
        dotted |= name == "optimality_gap" and true_gap(ds, members) is not None
        entries |= {k: (line, lines.text(v)) for k, (line, v) in drawn.items() if lines.hue}
        choice = "linear" if args.yscale == "linear" else "log"
        draw.scale_y([ax], ds[name].values[members], choice, args.ylim)
        ax.set_ylabel(lines.words.axis("y", name, label, 9))
        ax.set_title(draw.wrapped(ax, lines.panel_title(of_facets)))
        draw.step_axis(ax, largest, lines.words.axis("x", "step", "step", 9), args.xscale)
    dots = "dotted: true distance from the optimum" if dotted else ""
    note = choose.note_of(choose.seeds_text(counts), dots, lines.left, lines.lost())
    title = lines.words.key(lines.hue) if lines.hue else None
    legend = [entries[k] for k in sorted(entries)]
    draw.finish(figure, args, ds.attrs.get("title", ""), note, legend, title)
