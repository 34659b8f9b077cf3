#!/usr/bin/env python3
"""Summarise the runs of a sweep: one row per swept combination, medians over its seeds.

Diverged and failed runs, and those that end without classifying their training samples, are counted
and enter no median (--all: the latter do).  Columns, each the median (and the range)
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

from modules import need

need("numpy", "xarray", "netCDF4")

import numpy as np  # noqa: E402

import plancherel  # noqa: E402
import plancherel_io as pio  # noqa: E402

ENERGY_FLOOR = 1e-6
STATUS_ORDER = ["done", "stopped", "running", "pending", "diverged", "failed"]


def scalar_metric(name):
    """A metric that reads one variable.  Metrics give a number for each run."""
    return lambda ds, last: pio.last_values(ds, name, last)


def irrep_metric(of_irreps, *names):
    """A metric made of variables on (run, record, irrep), over the irreps that a run has:
    of_irreps(m d, values of each name), arrays [run][irrep]."""

    def metric(ds, last):
        out = np.full(len(last), np.nan)
        weight = ds["irrep_multiplicity"].values * ds["irrep_dim"].values
        keys = [k for k in ("group", "band_codepth") if k in ds.variables]
        for _, runs in pio.combinations(ds, keys, np.flatnonzero(last >= 0)):
            i = pio.irreps_of(ds, runs[0])
            at = np.array(runs)[:, None], last[runs][:, None], i[None, :]
            out[runs] = of_irreps(weight[i], *(ds[n].values[at] for n in names))
        return out

    return metric


def rank(weight, energy, ranks):
    """Rank of convolution by beta over the irreps that matter; NaN of a network without irreps."""
    matters = energy > ENERGY_FLOOR
    return np.where(matters.any(axis=1), np.where(matters, weight * ranks, 0).sum(axis=1), np.nan)


def effective_irreps(_weight, q):
    """exp(-sum q log q), q the irreps' shares of the Schatten sum."""
    positive = q > 0
    share = np.where(positive, q, 0)
    total = share.sum(axis=1, keepdims=True)
    share = np.where(positive, share / np.where(total > 0, total, 1), 1)
    return np.where(positive.any(axis=1), np.exp(-(share * np.log(share)).sum(axis=1)), np.nan)


def metrics_of(ds):
    """{column: what computes it} for what the file has."""
    metrics = {name: scalar_metric(name) for name in pio.headline(ds)}
    if {"irrep_rank", "irrep_energy"} <= set(ds.variables):
        metrics["rank"] = irrep_metric(rank, "irrep_energy", "irrep_rank")
    if "irrep_schatten" in ds.variables:
        metrics["effective_irreps"] = irrep_metric(effective_irreps, "irrep_schatten")
    return metrics


def spread(values):
    """(median, least, largest) of the finite values, or None if there are none."""
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    return float(np.median(values)), float(values.min()), float(values.max())


def summarise(ds, every=False):
    """(swept keys, rows); a row has values, runs, status and astray (counts) and metrics."""
    keys, state, last = pio.swept_keys(ds), np.array(pio.statuses(ds)), pio.last_records(ds)
    sound, why = pio.sound_runs(ds, every)
    here = {n: np.where(sound, f(ds, last), np.nan) for n, f in metrics_of(ds).items()}
    # Converged by the network's own rule, where it has one.
    flag = ds["converged"].values.astype(float) if "converged" in ds.variables else last * np.nan
    rows = []
    for values, runs in pio.combinations(ds, keys):
        row = {"values": values, "runs": len(runs), "status": Counter(state[runs].tolist())}
        row["astray"] = int((why[runs] == "not classifying").sum())
        told = flag[runs][sound[runs] & np.isin(flag[runs], (0, 1))]
        row["converged"] = f"{int(told.sum())}/{len(told)}" if len(told) else ""
        rows.append(row | {"metrics": {n: spread(v[runs]) for n, v in here.items()}})
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
    told = any(row["converged"] for row in rows)
    table = [[*keys, "runs", "status", *["converged"] * told, *names]]
    for row in rows:
        status = ", ".join(f"{row['status'][s]} {s}" for s in STATUS_ORDER if row["status"][s])
        status += f" ({row['astray']} not classifying)" if row["astray"] else ""
        values = [pio.number(v) for v in row["values"]]
        status = [status, row["converged"]] if told else [status]
        table.append([*values, str(row["runs"]), *status, *(cell(row["metrics"][m]) for m in names)])
    width = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, width)).rstrip() for line in table)


def write_csv(keys, rows, file):
    """One column per key, status and statistic; blank where there is no value."""
    out = csv.writer(file, lineterminator="\n")
    stats = [f"{m}_{s}" for m in rows[0]["metrics"] for s in ("median", "min", "max")]
    out.writerow([*keys, "runs", *STATUS_ORDER, "not_classifying", "converged", *stats])
    for row in rows:
        counts = [row["status"][s] for s in STATUS_ORDER] + [row["astray"], row["converged"]]
        numbers = [v for m in row["metrics"].values() for v in m or [""] * 3]
        out.writerow([*row["values"], row["runs"], *counts, *numbers])


def write_to(path, write):
    """Call write with the file at path, or with stdout for "-"."""
    if path == "-":
        write(sys.stdout)
        return
    with pio.placing(path) as name, open(name, "w", newline="", encoding="utf-8") as file:
        write(file)


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", nargs="+",
                        help="output of plancherel run; several are read as one")
    parser.add_argument("--csv", metavar="FILE", help="write CSV to FILE instead (-: stdout)")
    parser.add_argument("--tidy", choices=["runs", "records"],
                        help="CSV of single runs (last records), or of all their records, with keys")
    parser.add_argument("--all", action="store_true", help="medians over unclassifying runs, too")
    args = parser.parse_args(argv)
    with pio.open_outputs(args.output) as ds:
        pio.apart(args.csv or "-", args.output)
        if args.tidy:
            frame = plancherel.tidy(ds, args.tidy)
            write_to(args.csv or "-", lambda file: frame.to_csv(file, index=False, lineterminator="\n"))
            return
        keys, rows = summarise(ds, args.all)
    if args.csv is None:
        print(text_table(keys, rows))
    else:
        write_to(args.csv, lambda file: write_csv(keys, rows, file))


if __name__ == "__main__":
    pio.main_guard(main)
