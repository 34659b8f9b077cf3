"""The tables of a report: how runs ended, combinations, runs, keys, where the files come from."""

import html
from collections import Counter

import numpy as np

import plancherel_io as pio
import summary
from report_words import PageWords, cell, number_cell, table, value_cell

WORDS = PageWords()
MOST_RUNS = 4000
# Flag, what it counts, how bad it is, and in words.
FLAGS = {
    "diverged": "bad",
    "failed": "bad",
    "not separated": "warn",
    "not converged": "warn",
    "unfinished": "warn",
}
HELP = {
    "diverged": "the objective ended as no finite number",
    "failed": "the run could not be trained",
    "not separated": "at its last record the run does not classify every training sample",
    "not converged": "by its network's own rule, training has not come to its end",
    "unfinished": "pending, running or stopped",
}


def flags_of(ds):
    """The flags of each run, most serious first."""
    state, last = pio.statuses(ds), pio.last_records(ds)
    astray = pio.unclassified(ds, last)
    settled = ds["converged"].values.astype(float) if "converged" in ds.variables else last * np.nan
    found = []
    for s, lost, done, k in zip(state, astray, settled, last):
        flags = [s] if s in ("diverged", "failed") else []
        if not flags and k >= 0:
            flags += ["not separated"] * bool(lost) + ["not converged"] * bool(done == 0)
        found.append(flags + ["unfinished"] * (s in ("pending", "running", "stopped")))
    return found


def slug(flag):
    """A flag as one word."""
    return flag.replace(" ", "-")


def flags(ds):
    """How many runs have which flag, of how many."""
    count = Counter(f for own in flags_of(ds) for f in own)
    total, sound = ds.sizes["run"], sum(not own for own in flags_of(ds))
    items = [f'<li class="good">{sound} of {total} runs without a flag</li>']
    items += [f'<li class="{kind}" title="{HELP[f]}">{count[f]} {f}</li>'
              for f, kind in FLAGS.items() if count[f]]
    return "\n".join(items)


def lead(ds, sources):
    """What the sweep is about, in a sentence or two."""
    attrs = sources[0][1]
    keys = ", ".join(f"{WORDS.key(k)} ({len(pio.combinations(ds, [k]))})" for k in pio.swept_keys(ds))
    seeds = len(pio.combinations(ds, ["seed"])) if "seed" in ds.variables else 0
    about = html.escape(attrs.get("summary", ""))
    about = about[:1].upper() + about[1:] + ". " * bool(about)
    over, of_seeds = f" over {keys}" if keys else "", f", {seeds} seeds" if seeds > 1 else ""
    return f"{about}{ds.sizes['run']} runs{over}{of_seeds}."


# ---- combinations ----


def combinations_note(ds, every):
    """What the numbers of the table are."""
    text = ("Median and, in brackets, least and largest over the runs of a combination, at their last record. "
            "Click a heading to sort, a number of runs to see them.")
    return text + ("" if every else " Runs that diverged, failed or are not separated enter no median.")


def spread_cell(stats):
    """Median and range."""
    if stats is None:
        return cell("", number=True)
    median, least, largest = stats
    text = f"{median:.4g}"
    if least != largest:
        text += f" <small>[{least:.4g}, {largest:.4g}]</small>"
    return number_cell(median, text)


def combinations(ds, every):
    """A row for each combination of the swept keys."""
    keys, rows = summary.summarise(ds, every)
    own = flags_of(ds)
    present = [f for f in FLAGS if any(f in flags for flags in own)]
    measures = [m for m in rows[0]["metrics"] if any(row["metrics"][m] for row in rows)]
    heads = [(WORDS.key(k), not any(isinstance(v[i], str) for v in (r["values"] for r in rows)))
             for i, k in enumerate(keys)]
    heads += [("runs", True), *((f, True) for f in present), *((html.escape(m), True) for m in measures)]
    lines = []
    for number, (row, (_, members)) in enumerate(zip(rows, pio.combinations(ds, keys))):
        count = Counter(f for r in members for f in own[r])
        button = (f'<button type="button" class="pick" data-combination="{number}" '
                  f'aria-label="Show the {row["runs"]} runs of this combination">{row["runs"]}</button>')
        cells = [value_cell(v) for v in row["values"]] + [cell(button, row["runs"], number=True)]
        cells += [cell(f'<span class="{FLAGS[f]}">{count[f]}</span>' if count[f] else "0", count[f], number=True)
                  for f in present]
        cells += [spread_cell(row["metrics"][m]) for m in measures]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return table(heads, lines)


# ---- runs ----


def listed_runs(ds):
    """The runs that the page lists."""
    return list(range(min(ds.sizes["run"], MOST_RUNS)))


def runs_note(ds, listed):
    text = "A run's number opens its curves. Numbers are those of its last record."
    if len(listed) < ds.sizes["run"]:
        text += f" The first {len(listed)} of {ds.sizes['run']} runs are listed."
    return text


def choices(ds, listed):
    """Options of what the table of runs shows."""
    own = flags_of(ds)
    count = Counter(f for r in listed for f in own[r])
    flagged = sum(bool(own[r]) for r in listed)
    options = [("all", "all runs"), ("flagged", f"runs with a flag ({flagged})")]
    options += [(slug(f), f"{f} ({count[f]})") for f in FLAGS if count[f]]
    return "\n".join(f'<option value="{value}">{text}</option>' for value, text in options)


def runs(ds, listed, measures):
    """A row for each run: what it is, how it ended, its last values."""
    keys = pio.swept_keys(ds)
    of = {r: k for k, (_, members) in enumerate(pio.combinations(ds, keys)) for r in members}
    keys += [k for k in ("seed", "data_seed") if k in ds.variables and len(pio.combinations(ds, [k])) > 1]
    columns, last = {k: pio.column(ds, k) for k in keys}, pio.last_records(ds)
    ends = {m: pio.last_values(ds, m, last) for m in measures}
    state, own = pio.statuses(ds), flags_of(ds)
    numbers = [(n, ds[n].values.astype(float)) for n in ("steps_done", "wall_time") if n in ds.variables]
    units = {"wall_time": "wall time, s", "steps_done": "steps"}
    heads = [("run", True)]
    heads += [(WORDS.key(k), not any(isinstance(v, str) for v in columns[k])) for k in keys]
    heads += [("state", False), ("flags", False), *((html.escape(m), True) for m in measures),
              *((units[n], True) for n, _ in numbers)]
    lines = []
    for run in listed:
        button = (f'<button type="button" class="run" data-run="{run}" aria-expanded="false" '
                  f'aria-label="Curves of run {run}">{run}</button>')
        marks = ", ".join(f'<span class="{FLAGS[f]}">{f}</span>' for f in own[run])
        cells = [cell(button, run, number=True), *(value_cell(columns[k][run]) for k in keys)]
        cells += [cell(state[run], state[run]), cell(marks, ", ".join(own[run]))]
        cells += [number_cell(ends[m][run]) for m in measures] + [number_cell(v[run]) for _, v in numbers]
        names = " ".join(slug(f) for f in own[run])
        lines.append(f'<tr data-combination="{of[run]}" data-flags="{names}">{"".join(cells)}</tr>')
    return table(heads, lines)


# ---- keys, provenance, sweep files ----


def shared_keys(ds):
    """Keys of one value in all runs that read them."""
    swept = set(pio.swept_keys(ds)) | pio.REPLICAS
    return [n for n, v in ds.variables.items()
            if v.dims == ("run",) and n not in pio.OUTCOMES and n not in swept]


def shared_table(ds, keys):
    rows = []
    for key in keys:
        value = next((v for v in pio.codes(ds, key)[0] if v == v and v != ""), "")
        meaning = ds[key].attrs.get("long_name", "")
        rows.append("<tr>" + value_cell(key) + value_cell(value) + value_cell(meaning) + "</tr>")
    return table([("key", False), ("value", False), ("meaning", False)], rows)


PROVENANCE = {"source": "program", "history": "command", "host": "host", "ranks": "MPI ranks",
              "openblas_kernel": "OpenBLAS kernel", "inputs": "files read", "references": "please cite"}


def provenance(sources):
    """Where each file comes from."""
    parts = []
    for path, attrs in sources:
        rows = [("file", path)]
        rows += [(name, attrs[a]) for a, name in PROVENANCE.items() if str(attrs.get(a, "")) != ""]
        lines = "".join(f"<dt>{n}</dt><dd>{html.escape(str(v))}</dd>" for n, v in rows)
        parts.append(f"<dl>{lines}</dl>")
    return "\n".join(parts)


def sweeps(sources):
    """The sweep file of each output, to copy."""
    parts = []
    for k, (path, attrs) in enumerate(sources):
        several = f"<h3>{html.escape(path)}</h3>" if len(sources) > 1 else ""
        text = html.escape(attrs.get("sweep", ""))
        parts.append(f'{several}<p><button type="button" class="copy" data-of="sweep-{k}">Copy</button></p>'
                     f'<pre id="sweep-{k}" tabindex="0">{text}</pre>')
        if attrs.get("sweep_set"):
            parts.append(f"<p>Set on the command line: <code>{html.escape(attrs['sweep_set'])}</code></p>")
    return "\n".join(parts)
