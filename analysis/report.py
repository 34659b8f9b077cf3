#!/usr/bin/env python3
"""One page of results: report.py OUT.nc.. -o report.html.

A single file that needs no network: how the runs ended, the family's pictures, a sortable table of the
swept combinations (medians and ranges over their seeds), every run with its own curves, keys and
provenance, and the sweep file to copy.

Pictures are those of the measures that the file names as its headline, of irreps or the weights'
spectra, and of the distance from the optimum, where they are recorded.  Runs that diverged, failed or do
not classify their training samples are counted and enter no median (--all: the latter do).  Curves
hold up to 60 of the records; where there are many runs, fewer.
"""

import argparse
import html
import json
from pathlib import Path

from modules import need

need("numpy", "xarray", "netCDF4")

import numpy as np  # noqa: E402

import curves  # noqa: E402
import plancherel_io as pio  # noqa: E402
import report_pictures as pictures  # noqa: E402
import report_tables as tables  # noqa: E402
import symbols  # noqa: E402

FOLDER = Path(__file__).resolve().parent / "report_page"
POINTS, LEAST_POINTS = 60, 10
VALUES = 300_000  # of all curves together: about 2 MB
SHOWN = 6  # measures of a run


def measures_of(ds):
    """Names of what each run's curves show."""
    names = dict.fromkeys([*pio.headline(ds), pio.default_y(ds)])
    return [*names][:SHOWN]


def curves_of_runs(ds, runs, names):
    """(schedules, {run: [schedule, curves]}): at some records of each run, first and last among them."""
    step, last = pio.steps(ds), pio.last_records(ds)
    points = int(np.clip(VALUES // max(len(runs) * len(names), 1), LEAST_POINTS, POINTS))
    values = {n: ds[n].values.astype(float) for n in names}
    schedules, known, of_run = [], {}, {}
    for run in runs:
        if last[run] < 0:
            of_run[run] = [0, [None] * len(names)]
            continue
        chosen = pictures.thin(np.flatnonzero(np.isfinite(step[run])), points)
        steps = tuple(int(s) for s in step[run, chosen])
        if steps not in known:
            known[steps] = len(schedules)
            schedules.append(list(steps))
        curves = [pictures.numbers(values[n][run, chosen]) for n in names]
        there = [c if any(v is not None for v in c) else None for c in curves]
        of_run[run] = [known[steps], there]
    return schedules, of_run


def data_of(ds, runs, panels):
    """What the script of the page draws."""
    names = measures_of(ds)
    sound, _ = pio.sound_runs(ds)
    schedules, of_run = curves_of_runs(ds, runs, names)
    measures = [{"name": n, "html": symbols.page(pio.axis_label(ds[n])),
                 "log": curves.wants_log(ds[n].values[sound])} for n in names]
    return {"panels": panels, "schedules": schedules, "measures": measures, "runs": of_run}


def fill(parts):
    """The page of the template, its style and script inside it.  Parts are not looked through again."""
    texts = {"style": (FOLDER / "style.css").read_text(), "script": (FOLDER / "page.js").read_text()}
    texts |= parts
    pieces = (FOLDER / "page.html").read_text().split("@")
    return "".join(texts[p] if k % 2 else p for k, p in enumerate(pieces))


def page_of(ds, sources, every):
    """The page of a data set; sources: (path, attributes) of its files."""
    title = sources[0][1].get("title") or "Results of a sweep"
    pages, panels = pictures.sections(ds, every)
    listed = tables.listed_runs(ds)
    shared = tables.shared_keys(ds)
    # What stands inside a script element may not end it.
    data = json.dumps(data_of(ds, listed, panels), separators=(",", ":"), allow_nan=False)
    return fill({
        "title": html.escape(title),
        "heading": symbols.page(title),
        "lead": tables.lead(ds, sources),
        "flags": tables.flags(ds),
        "seeds": "Lines are medians over seeds, bands reach from the 16th to the 84th percentile."
                 + ("" if every else " Runs that diverged, failed or do not classify are left out and "
                    "counted below each picture."),
        "pictures": pages,
        "combinations_note": tables.combinations_note(ds, every),
        "combinations": tables.combinations(ds, every),
        "runs_note": tables.runs_note(ds, listed),
        "choices": tables.choices(ds, listed),
        "runs": tables.runs(ds, listed, measures_of(ds)),
        "provenance": tables.provenance(sources),
        "shared_count": str(len(shared)),
        "shared": tables.shared_table(ds, shared),
        "sweeps": tables.sweeps(sources),
        "data": data.replace("<", "\\u003c"),
    })


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", nargs="+", help="output of plancherel run; several are read as one")
    parser.add_argument("-o", "--output", required=True, help="the page, .html")
    parser.add_argument("--all", action="store_true", help="medians over unclassifying runs, too")
    args = parser.parse_args(argv)
    sources = []
    for path in args.input:
        with pio.open_file(path) as one:
            sources.append((path, dict(one.attrs)))
    pio.apart(args.output, args.input)
    with pio.open_outputs(args.input) as ds:
        text = page_of(ds, sources, args.all)
    with pio.placing(args.output) as name:
        Path(name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    pio.main_guard(main)
