"""The pictures of a report: what its script draws, and the words around them."""

import argparse
import html

import numpy as np

import choose
import curves
import lines as of_runs
import plancherel_io as pio
import symbols
from report_words import PageWords, plain

POINTS = 60
AS_IT_COMES = {"run": None, "where": [], "hue": None, "share_y": "auto"}
# Axes whose entries are parts of a network's spectrum, and the measure of each that says most.
IRREPS = ("irrep", "multiplicity", "encoder_block")
TELLING = ("irrep_schatten", "irrep_energy", "multiplicity_energy", "encoder_block_energy")


def thin(places, points):
    """At most so many of some places, evenly, first and last among them."""
    return places[np.unique(np.linspace(0, len(places) - 1, points).round().astype(int))]


def numbers(values):
    """Numbers with four digits for JSON, None where there is none."""
    return [float(f"{v:.4g}") if np.isfinite(v) else None for v in np.asarray(values).tolist()]


def line_of(name, colour, x, samples):
    """A median and its band, thinned; None where nothing is there."""
    enough, *bands = curves.band(samples)
    if not enough.any():
        return None
    keep = thin(np.arange(enough.sum()), POINTS)
    line = {"c": colour, "x": numbers(x[enough][keep]), "y": numbers(bands[0][keep])}
    if len(samples) > 1:
        line |= {"lo": numbers(bands[1][keep]), "hi": numbers(bands[2][keep])}
    return line | {"name": name}


class Picture:
    """One picture: its panels for the script, and the HTML around them."""

    def __init__(self, ds, every, name, label, sample, axis=None, log=None, **panel):
        self.label, self.name, self.panels, self.titles, self.counts = label, name, [], [], []
        args = argparse.Namespace(all=every, **AS_IT_COMES)
        self.lines = lines = of_runs.Lines(ds, args, name, PageWords(), axis)
        shown, few = of_runs.largest_entries(lines, sample) if axis else (lines.all_values(), "")
        colour = {lines.order(v): k for k, v in enumerate(shown)}
        for values, members in lines.groups[:choose.MAX_PANELS]:
            drawn = []
            for value, runs in lines.of_panel(members):
                if lines.order(value) in colour:
                    drawn.append(line_of(plain(lines.text(value)), colour[lines.order(value)], *sample(runs, value)))
                    self.counts.append(len(runs))
            drawn = [line for line in drawn if line]
            if drawn:
                self.panels.append({"lines": drawn, **panel})
                self.titles.append(lines.panel_title(values))
        there = {line["c"] for panel in self.panels for line in panel["lines"]}
        named = lines.hue or axis
        self.legend = [(k, lines.text(v)) for k, v in enumerate(shown) if named and k in there]
        self.scale(log)
        more = len(lines.groups) - choose.MAX_PANELS
        self.note = choose.note_of(
            few, f"{more} more combinations are not drawn (plot.py --where)" if more > 0 else "",
            choose.seeds_text(self.counts) if self.counts else "", lines.left, lines.lost())

    def scale(self, log):
        """Logarithmic axes where they are wanted, one range for panels that can be compared."""
        every = [numbers_in(panel) for panel in self.panels]
        together = np.concatenate(every) if every else np.empty(0)
        for panel, own in zip(self.panels, every):
            values = together if self.lines.shared else own
            panel["log"] = curves.wants_log(values) if log is None else log
            if self.lines.shared and len(every) > 1:
                values = values[values > 0] if panel["log"] else values
                panel["range"] = numbers([values.min(), values.max()]) if len(values) else [None]

    def html(self, first):
        """The picture on the page; its panels are numbered from `first`."""
        if not self.panels:
            return ""
        parts = [f'<div class="picture" style="--panels: {min(len(self.panels), 4)}">'
                 f"<h3>{self.label} <code>{self.name}</code></h3>"]
        if self.legend:
            key = self.lines.words.key(self.lines.hue) if self.lines.hue else html.escape(self.lines.axis)
            items = "".join(f'<li data-c="{k}">{text}</li>' for k, text in self.legend)
            parts.append(f'<ul class="legend"><li class="soft">{key}</li>{items}</ul>')
        parts.append('<div class="panels">')
        for k, title in enumerate(self.titles):
            words = html.escape(plain(f"{self.label}{', ' + title if title else ''}"))
            caption = f"<figcaption>{title}</figcaption>" if title else ""
            parts.append(f'<figure class="panel" data-panel="{first + k}" data-words="{words}">'
                         f"{caption}</figure>")
        parts.append(f'</div><p class="soft">{symbols.page(self.note)}</p></div>')
        return "\n".join(parts)


def numbers_in(panel):
    """All numbers of a panel's lines and bands."""
    found = [v for line in panel["lines"] for part in ("y", "lo", "hi") for v in line.get(part, [])]
    return np.array([v for v in found if v is not None])


# ---- which pictures ----


def trajectory(ds, every, name, axis=None, label=None):
    """A measure against the step; of certificates, which have a label, on a logarithmic axis."""
    step, y = pio.steps(ds), ds[name].values.astype(float)

    def sample(runs, value):
        return curves.trajectory_samples(step[runs], y[runs, :, value[0]] if axis else y[runs])

    text = label or pio.axis_label(ds[name])
    return Picture(ds, every, name, symbols.page(text), sample, axis, log=True if label else None)


def spectrum(ds, every, name):
    """Singular values at the end: largest first, or of a few matrices each its own line."""
    values, last, axis = ds[name].values, pio.last_records(ds), ds[name].dims[2]
    pointed, owner = choose.owner_of(ds, axis)
    apart = pointed not in (None, *IRREPS)

    def sample(runs, value):
        rows = [values[run, last[run]] for run in runs]
        rows = [row[owner == value[0]] if apart else row for row in rows]
        rows = [np.sort(row[np.isfinite(row)])[::-1] for row in rows]
        samples = np.full((len(rows), max(map(len, rows))), np.nan)
        for row, own in zip(samples, rows):
            row[: len(own)] = own
        return np.arange(1.0, samples.shape[1] + 1), samples

    label = symbols.page(pio.axis_label(ds[name])) + ", at the end"
    return Picture(ds, every, name, label, sample, pointed if apart else None, log=True, xkind="linear",
                   xlabel="largest first")


def of_spectrum(ds):
    """What tells of irreps, of other parts of a spectrum, or else of the weights: names on (run, record,
    axis)."""
    three = {n: v.dims[2] for n, v in ds.variables.items() if v.dims[:2] == ("run", "record") and v.ndim == 3}
    parts = [n for n in TELLING if n in three] or [n for n, axis in three.items() if axis in IRREPS]
    singular = [n for n in three if n.endswith("singular_values")]
    if not parts and not singular:
        parts = [n for n in ("weight_schatten", "weight_rank") if n in three]
    return parts[:1], singular[:1]


def sections(ds, every):
    """(HTML, panels for the script) of the family's pictures."""
    names = dict.fromkeys([pio.default_y(ds), *pio.headline(ds)])
    parts, singular = of_spectrum(ds)
    wanted = [(trajectory, n) for n in names]
    wanted += [(trajectory, n, ds[n].dims[2]) for n in parts]
    wanted += [(spectrum, n) for n in singular]
    wanted += [(trajectory, n, None, label) for n, label in choose.CERTIFICATES
               if n in ds.variables and n not in names and np.isfinite(ds[n]).any()]
    pages, panels = [], []
    try:
        for make, *args in wanted:
            picture = make(ds, every, *args)
            pages.append(picture.html(len(panels)))
            panels += picture.panels
    except pio.InputError as error:
        return f"<p>{html.escape(str(error))}</p>", []
    return "\n".join(pages), panels
