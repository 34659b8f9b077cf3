#!/usr/bin/env python3
"""Make up the ballots of two towns that rank five fruits: PrefLib files north.soc and south.soc.

Every fruit is as popular as every other in both towns.  But in the north apples and bananas stand
at ranks close to each other, in the south far apart: what tells the towns apart is an effect of
second order, of unordered pairs, and of no other kind.
"""

import argparse
import itertools
import os

from modules import need

need("numpy")

import numpy as np  # noqa: E402

from plancherel_io import main_guard, make_folder, placing  # noqa: E402

FRUITS = ["Apple", "Banana", "Cherry", "Date", "Elderberry"]


def closeness():
    """g(j, k), larger for ranks nearer to each other; rows sum to 0, so that no rank is favoured."""
    n = len(FRUITS)
    rank = np.arange(n)
    g = -np.abs(rank[:, None] - rank).astype(float)
    rows = g.sum(axis=1)
    g += rows.sum() / ((n - 1) * (n - 2)) - (rows[:, None] + rows) / (n - 2)
    np.fill_diagonal(g, 0)
    return g / np.abs(g).max()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="where the two files go")
    parser.add_argument("--ballots", type=int, default=1000, help="in each town (%(default)s)")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    orders = np.array(list(itertools.permutations(range(len(FRUITS)))))
    ranks = np.argsort(orders, axis=1)
    make_folder(args.folder)
    for town, sign in (("north", 1), ("south", -1)):
        weight = 1 + 0.8 * sign * closeness()[ranks[:, 0], ranks[:, 1]]
        counts = rng.multinomial(args.ballots, weight / weight.sum())
        lines = [f"# FILE NAME: {town}.soc", "# TITLE: Made up by analysis/ballots.py",
                 "# DATA TYPE: soc", "# MODIFICATION TYPE: synthetic",
                 f"# NUMBER ALTERNATIVES: {len(FRUITS)}", f"# NUMBER VOTERS: {args.ballots}",
                 f"# NUMBER UNIQUE ORDERS: {(counts > 0).sum()}"]
        lines += [f"# ALTERNATIVE NAME {i + 1}: {name}" for i, name in enumerate(FRUITS)]
        lines += [f"{counts[o]}: {','.join(str(i + 1) for i in orders[o])}"
                  for o in np.argsort(-counts, kind="stable") if counts[o]]
        with placing(os.path.join(args.folder, f"{town}.soc")) as name, open(name, "w") as out:
            out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main_guard(main)
