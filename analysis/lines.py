"""The runs of a picture as panels and lines."""

import numpy as np

import choose
import plancherel_io as pio

MAX_ENTRIES = 12  # of a further axis, a line each


class Lines:
    """The runs of a picture as panels and lines: panels by keys, lines by --hue, or by the entries of
    the further axis of a measure (irreps)."""

    def __init__(self, ds, args, y, words, axis=None, along=None):
        self.ds, self.args, self.words = ds, args, words
        self.runs, self.asked, self.left = choose.runs_of(ds, args)
        self.hue, facets = choose.hue_and_facets(ds, args, self.runs, y)
        if axis:  # lines are its entries: every key that varies makes panels
            facets = [k for k in [self.hue, *facets] if k]
            self.hue = None
        self.facets = [k for k in facets if k != along]
        self.groups = pio.combinations(ds, self.facets, self.runs)
        self.axis, self.y = axis, y
        self.shared = choose.same_scale(args.share_y, ds, y, self.facets)

    def of_panel(self, members):
        """[(value or entry, its runs)] of a panel's runs."""
        if self.axis:
            return [(e, members) for e in choose.entries_of(self.ds, self.axis, members[0])]
        keys = [self.hue] if self.hue else []
        return [(v[0] if v else None, runs) for v, runs in pio.combinations(self.ds, keys, members)]

    def split(self, parts, have):
        """Makes a panel of each part (a weight) in place of one, of the runs that have it."""
        split = [(values, [r for r in members if have(r, part)], part)
                 for part in parts for values, members in self.groups]
        self.groups = [group for group in split if group[1]]

    def panel_title(self, values, *part):
        keys = [self.words.combination(self.facets, values)] if self.facets else []
        return ", ".join([*map(self.words.entry, part), *keys])

    def all_values(self):
        """The values or entries of the lines of all panels, in the order of the legend."""
        found = {}
        for _, members, *_ in self.groups:
            found |= {self.order(v): v for v, _ in self.of_panel(members)}
        return [found[k] for k in sorted(found)]

    def order(self, value):
        return (0, *value) if self.axis else pio.order(value)

    def text(self, value):
        """A line's entry in the legend, with how many of its runs are there where some are not."""
        if self.axis:
            return self.words.entry(value[1])
        if self.hue is None:
            return ""
        text = self.words.value(self.hue, value)
        there = len(self.with_value(value, self.runs))
        asked = len(self.with_value(value, self.asked))
        return text if there == asked else f"{text} ({there} of {asked})"

    def with_value(self, value, runs):
        distinct, code = pio.codes(self.ds, self.hue)
        return [r for r in runs if pio.order(distinct[code[r]]) == pio.order(value)]

    def lost(self):
        """What the picture would show, had it a sound run."""
        keys = [k for k in [*self.facets, self.hue] if k]
        have = {tuple(map(pio.order, v)) for v, _ in pio.combinations(self.ds, keys, self.runs)}
        gone = [v for v, _ in pio.combinations(self.ds, keys, self.asked)
                if tuple(map(pio.order, v)) not in have]
        texts = [", ".join(f"{pio.key_text(k)} {pio.number(x)}" for k, x in zip(keys, v)) for v in gone[:3]]
        texts += ["others"] * (len(gone) > 3)
        return "none left of " + ", ".join(f"({t})" for t in texts) if gone and keys else ""


def largest_entries(lines, sample):
    """The entries with the largest values at the end, where there are too many of them."""
    entries = lines.all_values()
    if len(entries) <= MAX_ENTRIES:
        return entries, ""
    size = dict.fromkeys(entries, -np.inf)
    for _, members in lines.groups:
        for entry, runs in lines.of_panel(members):
            ends = sample(runs, entry)[1][:, -1:]  # empty of what the panel does not have
            if np.isfinite(ends).any():
                size[entry] = max(size[entry], np.nanmedian(ends))
    kept = sorted(entries, key=lambda e: -size[e])[:MAX_ENTRIES]
    return sorted(kept), f"the {MAX_ENTRIES} largest of {len(entries)} at the end"
