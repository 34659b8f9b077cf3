#!/usr/bin/env python3
"""Tabulate a comparison of architectures, as Markdown: where the networks of each sweep end.

For each combination of the other swept keys: at the last record the median over the seeds, and in
brackets the range, of these numbers of beta / ||beta||, with p = 2 / depth:
  Fourier S_p   the Schatten quasi-norm, which the linear G-CNN keeps small
  cyclic l_p    the l_p quasi-norm of the transform over the cyclic group, which the linear CNN keeps
                small (where beta is recorded)
  l_2 margin    the smallest margin, which the linear fully connected network makes large
  real l_p      the l_p quasi-norm of the values over the group
Nonlinear networks: means over local linearisations.  Runs that do not classify every sample are counted
and enter no median.  Networks of one seed see the same samples; the last column says on how many seeds
the network that keeps a number small, or makes it large, is ahead of the others or level with them.
"""

import argparse

from modules import need

need("numpy", "xarray", "netCDF4", "matplotlib")

import numpy as np  # noqa: E402

import plancherel_io as pio  # noqa: E402
from figures import NAME, fitted, row_text  # noqa: E402

# Row, the network whose theory names it, and the sign under which less of it is ahead.
ROWS = [("Fourier S_p", "gcnn", 1), ("cyclic l_p", "cnn", 1), ("l_2 margin", "fc", -1),
        ("real l_p", None, 1), ("loss", None, 1)]


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
           "loss": value("loss")}
    if "beta" in ds.variables:
        ends = [ds["beta"][run, record].values for run, record in enumerate(last)]
        out["cyclic l_p"] = np.array([cyclic(*b) for b in zip(ends, ds["model_depth"].values)])
        out["l_2 margin"] = value("min_margin") / value("beta_norm")
    return out


def text_of(values):
    """Median and range."""
    low, median, high = (f"{x:.3g}" if x < 1000 else f"{x:.0f}"
                         for x in (np.min(values), np.median(values), np.max(values)))
    return median if low == high else f"{median} ({low} - {high})"


def ahead(ds, value, runs, name, sign):
    """On how many of the seeds that all networks have no other is ahead of network `name`."""
    seed = pio.column(ds, "seed")
    by_seed = {n: {seed[r]: sign * value[r] for r in members} for n, members in runs.items()}
    common = set.intersection(*map(set, by_seed.values()))
    won = sum(by_seed[name][s] <= (1 + 1e-6 * sign) * min(v[s] for v in by_seed.values())
              for s in common)
    return f"{NAME[name]} on {won} of {len(common)}"


def networks(ds, runs):
    """[(whether nonlinear, {architecture: runs})], what is there, in the order of the columns."""
    kinds = {kind: r for (kind,), r in pio.combinations(ds, ["model_kind"], runs)}
    families = [(relu, {n: kinds[n + "-relu" * relu] for n in NAME if n + "-relu" * relu in kinds})
                for relu in (False, True)]
    return [f for f in families if f[1]]


def table(ds):
    """Lines of the table of one sweep."""
    for key in ("model_kind", "seed"):
        pio.require(ds, key)
    title, end, fit = ds.attrs.get("title", ""), at_the_end(ds), set(fitted(ds)[0])
    keys = [k for k in pio.swept_keys(ds) if k != "model_kind"]
    cases = [(others, *family) for others, members in pio.combinations(ds, keys)
             for family in networks(ds, members)]
    for others, relu, every in cases:
        runs = {n: [r for r in members if r in fit] for n, members in every.items()}
        what = [row_text([k], [v]) for k, v in zip(keys, others)]
        what += ["ReLU"] * (relu and "ReLU" not in title)
        counts = [f"{len(runs[n])} of {len(every[n])} runs" if n in runs else "" for n in NAME]
        yield [": ".join([f"**{title}**", *filter(None, [", ".join(what)])]), *counts, ""]
        for row, named, sign in ROWS:
            if row in end and all(runs.values()):
                cells = [text_of(end[row][runs[n]]) if n in runs else "" for n in NAME]
                yield [row, *cells, ahead(ds, end[row], runs, named, sign) if named in runs else ""]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", nargs="+", help="output of plancherel run")
    sweeps = parser.parse_args().sweep
    lines = []
    for path in sweeps:
        with pio.open_output(path) as ds:
            lines += table(ds)
    print("| | G-CNN | CNN | fully connected | ahead |\n|---|---|---|---|---|")
    for line in lines:
        print("| " + " | ".join(line) + " |")


if __name__ == "__main__":
    pio.main_guard(main)
