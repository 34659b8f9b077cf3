"""What pictures look like: style, colours, panels, axes, words, and the file.

A matplotlibrc of the user's goes before the style here.  Figures are made without pyplot, whose
backends want a screen or a notebook.
"""

import argparse
import functools
import textwrap

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import FixedLocator, NullLocator

import choose
import curves
import plancherel_io as pio
import symbols

# Okabe and Ito (2008), apart for every common colour vision, less the yellow, which is lost on white.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
DASHES = ["-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5))]
STYLE = {
    "font.size": 9,
    "axes.titlesize": "medium",
    "axes.labelsize": "medium",
    "figure.titlesize": "large",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "legend.frameon": True,  # lines stay behind the words
    "legend.edgecolor": "none",
    "legend.framealpha": 0.8,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # letters stay letters
    "svg.fonttype": "none",
}
SEQUENCE = 6  # so many steps of a sequence of colours can be told apart
FOOT = "x-small"


def inches(text):
    """A length of --width and --height."""
    value = float(text)
    if not 0.5 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text}: expected inches from 0.5 to 100")
    return value


# ---- style ----


@functools.cache
def of_the_user():
    """Settings that the user's matplotlibrc makes."""
    path = matplotlib.matplotlib_fname()
    return dict(matplotlib.rc_params_from_file(path, use_default_template=False))


def style():
    """A context in which the style holds, where the user's matplotlibrc says nothing."""
    own = of_the_user()
    return matplotlib.rc_context({k: v for k, v in STYLE.items() if k not in own})


def lines(values):
    """A (colour, dashes) for each value: a sequence of colours for a few ordered numbers, contrasts
    otherwise, and dashes where there are more values than contrasts."""
    own = of_the_user()
    ordered = 2 < len(values) <= SEQUENCE and not any(isinstance(v, str) for v in values)
    if "axes.prop_cycle" in own:
        palette = own["axes.prop_cycle"].by_key().get("color", PALETTE)
    elif ordered:
        return [(c, "-") for c in matplotlib.colormaps["viridis"](np.linspace(0, 0.82, len(values)))]
    else:
        palette = PALETTE
    many = range(len(values))
    return [(palette[i % len(palette)], DASHES[i // len(palette) % len(DASHES)]) for i in many]


# ---- words ----

def fitted(text, inches, size):
    """The text in lines that fit beside each other in so many inches, typeset."""
    points = FontProperties(size=size).get_size_in_points()
    return symbols.tex(textwrap.fill(text, max(int(inches * 72 / (0.55 * points)), 12)))


def wrapped(ax, text):
    """A title that is to stay above its panel, in lines (typeset already)."""
    columns = ax.get_gridspec().ncols
    return textwrap.fill(text, max(int(ax.figure.get_figwidth() / columns * 12), 16))


class Words:
    """What keys, values, variables and axes are called in a picture: as in the file, or as --labels
    says.  `NAME=TEXT` renames a key, a value, a variable or an axis (x, y); without a NAME, the
    lines in the order of the legend."""

    def __init__(self, labels):
        labels = labels or []
        if len(labels) == 1 and "=" not in labels[0]:
            labels = labels[0].split(",")
        self.known = dict(text.split("=", 1) for text in labels if "=" in text)
        self.in_order = [text for text in labels if "=" not in text]

    def find(self, *names):
        """What --labels says of the first of these names that it knows."""
        return next((self.known[n] for n in names if n in self.known), None)

    def key(self, key):
        dotted = key.replace("_", ".", 1)
        return self.find(key, dotted) or symbols.tex(pio.key_text(key))

    def value(self, key, value):
        return self.find(pio.number(value)) or pio.value_text(key, value)

    def entry(self, text):
        return self.find(text) or pio.group_text(text)

    def combination(self, keys, values):
        """ "depth 3, lr 0.01", words without their key."""
        texts = [(self.key(k), self.value(k, v), isinstance(v, str)) for k, v in zip(keys, values)]
        return ", ".join(t if word else f"{k} {t}" for k, t, word in texts)

    def axis(self, which, name, text, inches):
        """The label of an axis ("x", "y") that shows `name`, in the file's words `text`."""
        found = self.find(which, name)
        return fitted(text, inches, matplotlib.rcParams["axes.labelsize"]) if found is None else found

    def legend(self, texts):
        """The entries of a legend, renamed in order where --labels has no names."""
        return self.in_order[: len(texts)] + texts[len(self.in_order):]


# ---- figure and axes ----


def panels(count, args, size, sharey=False, columns=None):
    """A figure with `count` axes in rows of at most three; size is that of one panel, --width and
    --height that of the figure."""
    if count > choose.MAX_PANELS:
        raise pio.InputError(f"{count} panels are more than {choose.MAX_PANELS}: narrow with --where")
    if columns is None:
        columns = min(count, 3 if count != 4 else 2, max(int((wanted_size(args)[0] or 99) / 1.6), 1))
    rows = -(-count // columns)
    figure, axes = grid(rows, columns, args, (size[0] * columns, size[1] * rows), sharey)
    for ax in axes.flat[count:]:
        ax.remove()
    return figure, list(axes.flat[:count])


def grid(rows, columns, args, size, sharey=False):
    """A figure with rows x columns axes, of that size where nobody has asked for another."""
    width, height = wanted_size(args)
    figure = Figure((width or size[0], height or size[1]), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08)
    figure.solid_bands = args.output.endswith((".eps", ".ps"))
    return figure, figure.subplots(rows, columns, squeeze=False, sharey=sharey)


def wanted_size(args):
    """(width, height) as --width and --height or the user's matplotlibrc say; None: as fits."""
    width, height = getattr(args, "width", None), getattr(args, "height", None)
    if width is None and height is None and "figure.figsize" in of_the_user():
        return tuple(matplotlib.rcParams["figure.figsize"])
    return width, height


def step_text(step, _position):
    """0, 1 and 10 plain, then powers of ten."""
    return f"{step:.0f}" if step <= 10 else f"$10^{{{np.log10(step):.0f}}}$"


def step_axis(ax, largest, label="step", scale="auto"):
    """Logarithmic in the step, with room for step 0; plain for a few steps, or where asked."""
    ax.set_xlabel(label)
    ax.set_xlim(0, max(largest, 1))
    if scale == "linear" or (scale == "auto" and largest <= 20):
        return
    ax.set_xscale("symlog", linthresh=1, linscale=0.45)
    top = int(np.floor(np.log10(largest)))
    width = ax.figure.get_figwidth() / ax.get_gridspec().ncols
    stride = 1 + top // max(int(2 * width), 2)
    first = 0 if width > 2 else 1  # 0 and 1 are near each other
    ax.xaxis.set_major_locator(FixedLocator([0] + [10.0**k for k in range(first, top + 1, stride)]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(step_text)


def scale_y(axes, values, choice, limits=None):
    """Logarithmic where asked, or where positive values span two decades; and --ylim."""
    wide = curves.wants_log(values)
    for ax in axes:
        if choice == "log" or (choice == "auto" and wide):
            ax.set_yscale("log")
        if limits:
            ax.set_ylim(*limits)


def draw_bands(ax, x, samples, colour, dashes="-", marker=None):
    """Median line and 16-84 % band of samples[run, x]; nothing where less than half are there."""
    enough, median, low, high = curves.band(samples)
    if len(samples) > 1:
        # Not a see-through colour where there is none, in PostScript.
        solid = getattr(ax.figure, "solid_bands", False)
        light = {"color": 0.82 + 0.18 * np.array(to_rgb(colour))} if solid else {"color": colour, "alpha": 0.18}
        ax.fill_between(x[enough], low, high, linewidth=0, zorder=1, **light)
    return ax.plot(x[enough], median, color=colour, linestyle=dashes, marker=marker)[0]


# ---- around the axes ----


def reserve(figure, right=0.0, bottom=0.0):
    """Keep so many inches of the figure free of axes."""
    width, height = figure.get_size_inches()
    figure.get_layout_engine().set(rect=(0, bottom / height, 1 - right / width, 1 - bottom / height))


def inches_of(figure, artist):
    """Width and height of a text or a legend."""
    box = artist.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    return box.width / figure.dpi, box.height / figure.dpi


def place_legend(figure, axes, entries, title, free):
    """The legend inside a single panel, beside several, or below where that takes too much of their
    width.  free: whether the figure may grow.  Gives the inches taken on the right and below."""
    if not entries:
        return 0, 0
    handles, texts = zip(*entries)
    if len(axes) == 1 and len(entries) <= 8:
        legend = axes[0].legend(handles, texts, title=title, loc="best")
        if figure.solid_bands:
            legend.get_frame().set_alpha(1)
        return 0, 0
    beside = {"title": title, "frameon": False}
    legend = figure.legend(handles, texts, loc="center right", **beside)
    width, height = inches_of(figure, legend)
    if free or (width < 0.28 * figure.get_figwidth() and height < figure.get_figheight()):
        return width, 0
    legend.remove()
    columns = max(int(0.98 * figure.get_figwidth() / width), 1)
    columns = min(columns, len(texts))
    legend = figure.legend(handles, texts, loc="lower center", ncol=columns, **beside)
    return 0, inches_of(figure, legend)[1]


def finish(figure, args, title, note="", entries=(), legend_title=None):
    """Title, legend, footnote, and the file.  A figure whose size nobody has asked for grows by what
    stands around its panels."""
    width, height = wanted_size(args)
    if args.title is not None:
        figure.suptitle(args.title)
    elif title:
        size = matplotlib.rcParams["figure.titlesize"]
        figure.suptitle(fitted(title, figure.get_figwidth() * 0.95, size))
    texts = Words(getattr(args, "labels", None)).legend([t for _, t in entries])
    entries = [(handle, text) for (handle, _), text in zip(entries, texts)]
    right, below = place_legend(figure, figure.axes, entries, legend_title, width is None)
    if right and width is None:
        figure.set_figwidth(figure.get_figwidth() + right)
    words = fitted(note, figure.get_figwidth() * 0.97, FOOT)
    text = figure.text(0, 0, words, fontsize=FOOT, color="0.35", va="bottom", ha="left")
    foot = inches_of(figure, text)[1] + 0.06 if note else 0
    if height is None:
        figure.set_figheight(figure.get_figheight() + below + foot)
    text.set_position((0.04 / figure.get_figwidth(), 0.03 / figure.get_figheight()))
    if below:
        figure.legends[0].set_bbox_to_anchor((0.5, foot / figure.get_figheight()), figure.transFigure)
    reserve(figure, right, below + foot)
    try:
        with pio.placing(args.output) as name:
            figure.savefig(name)
    except ValueError as error:
        raise pio.InputError(f"{args.output}: {error}") from error
