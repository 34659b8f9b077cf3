#!/usr/bin/env python3
"""Summarise the runs of a sweep: one row per swept combination, medians over its seeds.

Diverged and failed runs are counted and enter no median.  Columns, each the median (and the range)
over seeds of the last record: the measures that the file's attribute `headline` names, and where it
has per-irrep variables (record.irreps)
  rank              sum of m d rank over the irreps that hold more than 1e-6 of ||beta||^2: the rank
                    of convolution by beta, singular values below 1e-3 of their irrep's largest apart
  effective_irreps  exp of the entropy of the irreps' Schatten shares: 1 if one irrep holds all
"""

import argparse
import csv
import sys
from collections import Counter

import numpy as np

import plancherel_io as pio

ENERGY_FLOOR = 1e-6
STATUS_ORDER = ["done", "stopped", "running", "pending", "diverged", "failed"]


def scalar_metric(name):
    """A metric that reads one variable."""
    return lambda ds, run, record: float(ds[name].values[run, record])


def rank(ds, run, record):
    """Rank of convolution by beta over the irreps that matter."""
    i = pio.irreps_of(ds, run)
    weight = ds["irrep_multiplicity"].values[i] * ds["irrep_dim"].values[i]
    matters = ds["irrep_energy"][run, record].values[i] > ENERGY_FLOOR
    if not matters.any():
        return np.nan  # a network without irreps
    return float(np.sum(weight * matters * ds["irrep_rank"][run, record].values[i]))


def effective_irreps(ds, run, record):
    """exp(-sum q log q), q the irreps' shares of the Schatten sum."""
    q = ds["irrep_schatten"][run, record].values[pio.irreps_of(ds, run)]
    q = q[q > 0] / np.sum(q[q > 0])
    return float(np.exp(-np.sum(q * np.log(q)))) if len(q) else np.nan


def metrics_of(ds):
    """{column: what computes it} for what the file has."""
    metrics = {name: scalar_metric(name) for name in pio.headline(ds)}
    if {"irrep_rank", "irrep_energy"} <= set(ds.variables):
        metrics["rank"] = rank
    if "irrep_schatten" in ds.variables:
        metrics["effective_irreps"] = effective_irreps
    return metrics


def spread(values):
    """(median, least, largest) of the finite values, or None if there are none."""
    values = [v for v in values if np.isfinite(v)]
    return (float(np.median(values)), min(values), max(values)) if values else None


def summarise(ds):
    """(swept keys, rows); a row has values, runs, status (a Counter) and metrics."""
    keys, state, last = pio.swept_keys(ds), pio.statuses(ds), pio.last_records(ds)
    metrics_here, rows = metrics_of(ds), []
    for values, runs in pio.combinations(ds, keys):
        sound = [r for r in runs if last[r] >= 0 and state[r] not in pio.BROKEN]
        metrics = {n: spread([f(ds, r, last[r]) for r in sound]) for n, f in metrics_here.items()}
        row = {"values": values, "runs": len(runs), "status": Counter(state[r] for r in runs)}
        rows.append(row | {"metrics": metrics})
    return keys, rows


def cell(stats):
    """Median and range as text."""
    if stats is None:
        return ""
    median, least, largest = (f"{v:.4g}" for v in stats)
    return median if least == largest else f"{median} [{least}, {largest}]"


def text_table(keys, rows):
    """Aligned text; metrics that no row has are left out."""
    names = [m for m in rows[0]["metrics"] if any(row["metrics"][m] for row in rows)]
    table = [[*keys, "runs", "status", *names]]
    for row in rows:
        status = ", ".join(f"{row['status'][s]} {s}" for s in STATUS_ORDER if row["status"][s])
        values = [pio.number(v) for v in row["values"]]
        table.append([*values, str(row["runs"]), status, *(cell(row["metrics"][m]) for m in names)])
    width = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, width)).rstrip() for line in table)


def write_csv(keys, rows, file):
    """One column per key, status and statistic; blank where there is no value."""
    out = csv.writer(file, lineterminator="\n")
    stats = [f"{m}_{s}" for m in rows[0]["metrics"] for s in ("median", "min", "max")]
    out.writerow([*keys, "runs", *STATUS_ORDER, *stats])
    for row in rows:
        counts = [row["status"][s] for s in STATUS_ORDER]
        numbers = [v for m in row["metrics"].values() for v in m or [""] * 3]
        out.writerow([*row["values"], row["runs"], *counts, *numbers])


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", help="output file of plancherel run")
    parser.add_argument("--csv", metavar="FILE", help="write CSV to FILE instead (-: stdout)")
    args = parser.parse_args(argv)
    with pio.open_output(args.output) as ds:
        keys, rows = summarise(ds)
    if args.csv is None:
        print(text_table(keys, rows))
    elif args.csv == "-":
        write_csv(keys, rows, sys.stdout)
    else:
        try:
            with open(args.csv, "w", newline="", encoding="utf-8") as file:
                write_csv(keys, rows, file)
        except OSError as error:
            raise pio.InputError(f"{args.csv}: {error.strerror}") from error


if __name__ == "__main__":
    pio.main_guard(main)
