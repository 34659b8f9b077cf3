"""Heat maps of irreps against the step: shares of the Schatten sum, or a variable per irrep itself."""

import numpy as np
from matplotlib.colors import LogNorm

import choose
import draw
import plancherel_io as pio

MAX_LABELS = 30
SHARE_FLOOR = 1e-4  # smaller shares of the Schatten sum look alike
MAX_VECTOR_CELLS = 40000  # larger maps are pixels in vector files, too


def edges(step):
    """Cell borders halfway between steps on the step axis, from 0 to the last step."""
    u = np.log1p(step)
    middle = np.expm1((u[1:] + u[:-1]) / 2)
    return np.concatenate([[max(step[0], 0)], middle, [max(step[-1], 1)]])


def draw_shares(ds, ax, run, share, whole, words, xscale):
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
        edgecolors="face",  # no seams between cells
        linewidth=0.1,
        rasterized=q.size > MAX_VECTOR_CELLS,
    )
    labels = pio.column(ds, "irrep_label")
    stride = -(-len(irreps) // MAX_LABELS)
    ax.set_yticks(range(0, len(irreps), stride))
    texts = [words.find(labels[i]) or labels[i] for i in irreps[::stride]]
    ax.set_yticklabels(texts, fontsize="small")
    ax.set_ylim(len(irreps) - 0.5, -0.5)
    draw.step_axis(ax, step[there].max(), words.axis("x", "step", "step", 9), xscale)
    return mesh


def plot_irreps(ds, args):
    """Shares of the Schatten sum, or --y itself, the first sound run of each combination (or
    --run)."""
    hint = "set record.irreps: true in the sweep file"
    name = args.y or "irrep_schatten"
    share = pio.require(ds, name, ("run", "record", "irrep"), hint)
    whole = name == "irrep_schatten"
    runs, _, left = choose.runs_of(ds, args)
    words = draw.Words(args.labels)
    keys = [k for k in pio.swept_keys(ds) if len(pio.combinations(ds, [k], runs)) > 1]
    groups = pio.combinations(ds, keys, runs)
    shown = [(values, members[0]) for values, members in groups]
    tallest = max(len(pio.irreps_of(ds, run)) for _, run in shown)
    height = 1.1 + 0.17 * min(max(tallest, 6), MAX_LABELS)
    figure, axes = draw.panels(len(shown), args, (3.4, height))
    names = pio.column(ds, "group") if "group" in ds.variables else None
    for ax, (values, run) in zip(axes, shown):
        mesh = draw_shares(ds, ax, run, share, whole, words, args.xscale)
        text = words.combination(keys, values)
        ax.set_title(draw.wrapped(ax, f"{text + ', ' if text else ''}run {run}"))
        if ax.get_subplotspec().is_first_col():
            named = names and "group" not in keys
            plain = f"irrep of {pio.group_text(names[run])}" if named else "irrep"
            ax.set_ylabel(words.find("y", "irrep") or plain)
    bar = figure.colorbar(mesh, ax=axes, extend="min", aspect=25, pad=0.02)
    bar.solids.set_rasterized(False)
    label = words.find(name) or draw.fitted("Schatten share" if whole else pio.axis_label(share), height, 9)
    bar.set_label(label)
    several = max(len(members) for _, members in groups) > 1
    note = choose.note_of("each panel is one run, of its first seed" if several else "", left)
    draw.finish(figure, args, ds.attrs.get("title", ""), note)
