#!/usr/bin/env python3
"""Tabulate a comparison of architectures, as Markdown: what the networks of each sweep end at.

For each combination of the other swept keys: medians over the seeds, and in brackets their range, at
the last record of normalised beta (for nonlinear networks: of the mean over local linearisations), with
p = 2 / depth, of
  Fourier S_p   the Schatten quasi-norm, which the linear G-CNN keeps small
  cyclic l_p    the l_p quasi-norm of the transform over the cyclic group, which the linear CNN keeps
                small (where beta is recorded)
  real l_p      the l_p quasi-norm of the values over the group
  l_2 margin    the smallest margin, which the linear fully connected network keeps large
Runs that do not classify every sample are counted and enter no median.  Networks of one seed see the
same samples, so they are compared seed by seed: the last column says on how many seeds the network named
by the theory, or for the values over the group any other than the G-CNN, is ahead of both others.
"""

import argparse

import numpy as np

import plancherel_io as pio
from figures import NAME, architecture, fitted

# Row, the network that theory names for it, and the sign under which less of it is ahead.
ROWS = [("Fourier S_p", "gcnn", 1), ("cyclic l_p", "cnn", 1), ("real l_p", None, 1),
        ("l_2 margin", "fc", -1), ("loss", None, 1)]


def cyclic(beta, depth):
    """The l_p quasi-norm of the transform over C_n of beta / ||beta||: S_p on the cyclic group."""
    modulus = np.abs(np.fft.fft(beta / np.linalg.norm(beta)))
    return (modulus ** (2 / depth)).sum() ** (depth / 2)


def at_the_end(ds):
    """{row: value of each run at its last record}."""
    last = pio.last_records(ds)

    def value(name):
        return pio.require(ds, name, ("run", "record")).values[np.arange(len(last)), last]

    out = {"Fourier S_p": value("schatten_thresholded"), "real l_p": value("schatten_real"),
           "l_2 margin": value("min_margin") / value("beta_norm"), "loss": value("loss")}
    if "beta" in ds.variables:
        ends = [ds["beta"][run, record].values for run, record in enumerate(last)]
        out["cyclic l_p"] = np.array([cyclic(*b) for b in zip(ends, ds["model_depth"].values)])
    return out


def text_of(values):
    """Median and range."""
    low, median, high = (f"{f(values):.3g}" for f in (np.min, np.median, np.max))
    return median if low == high else f"{median} ({low} - {high})"


def ahead(values, seeds, kind, sign):
    """On how many of the seeds that all networks have is `kind` ahead of the others."""
    by_seed = {k: dict(zip(seeds[k], sign * v)) for k, v in values.items()}
    common = set.intersection(*(set(s) for s in by_seed.values()))
    won = sum(by_seed[kind][s] == min(v[s] for v in by_seed.values()) for s in common)
    return f"{NAME[architecture(kind)]} on {won} of {len(common)}"


def table(ds):
    """Lines of the table of one sweep."""
    for key in ("model_kind", "seed"):
        pio.require(ds, key)
    all_runs, end, seed = fitted(ds)[0], at_the_end(ds), pio.column(ds, "seed")
    keys = [k for k in pio.swept_keys(ds) if k != "model_kind"]
    for others, members in pio.combinations(ds, keys):
        kinds = {k: r for (k,), r in pio.combinations(ds, ["model_kind"], members)}
        kinds = {k: kinds[k] for k in sorted(kinds, key=lambda k: list(NAME).index(architecture(k)))}
        fit = {k: [r for r in runs if r in all_runs] for k, runs in kinds.items()}
        what = pio.combination_text(keys, others)
        counts = [f"{len(fit[k])} of {len(runs)} runs" for k, runs in kinds.items()]
        yield [f"**{ds.attrs.get('title', '')}**" + (what and f", {what}"), *counts, ""]
        for row, named, sign in ROWS:
            if row not in end or not all(fit.values()):
                continue
            values = {k: end[row][runs] for k, runs in fit.items()}
            seeds = {k: [seed[r] for r in runs] for k, runs in fit.items()}
            best = [k for k in kinds if k == named or (named == "gcnn" and architecture(k) == named)]
            last = ahead(values, seeds, best[0], sign) if best else ""
            yield [row, *map(text_of, values.values()), last]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", nargs="+", help="output of plancherel run")
    print("| | G-CNN | CNN | fully connected | ahead |\n|---|---|---|---|---|")
    for path in parser.parse_args().sweep:
        with pio.open_output(path) as ds:
            for line in table(ds):
                print("| " + " | ".join(line) + " |")


if __name__ == "__main__":
    pio.main_guard(main)
