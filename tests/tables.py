#!/usr/bin/env python3
"""The tables of README.md and of the families' pages, made from what the program says of itself.

    python3 tests/tables.py [--write]

A table stands between a line <!-- WHAT: NAMES --> and a line <!-- end -->; NAMES are networks:

    common     keys of every run (no names)
    optimisers keys of optimizer.kind (no names)
    networks   the networks in a line each
    keys       what the networks read, beside those
    data       kinds of data that they take
    data keys  .. and what those read
    variables  what the networks record

Without --write: exit code 1 and a list if a page is out of date.
"""

import functools
import re
import sys

import pl_run

PAGES = [pl_run.ROOT / "README.md", *sorted(pl_run.ROOT.glob("src/nets/*/*.md"))]
TABLE = re.compile(r"(<!-- ([a-z ]+): ?([a-z0-9 -]*?) -->\n).*?(<!-- end -->)", re.S)


# ---- what the program says ----


def cells(lines):
    """Rows of a table in columns, put together again where a cell goes over several lines."""
    starts = [lines[0].index(word) for word in lines[0].split()]
    rows = []
    for line in lines[1:]:
        if line and line[0] != " ":
            rows.append([""] * len(starts))
        for c, (a, b) in enumerate(zip(starts, [*starts[1:], None])):
            if line[a:b].strip():
                rows[-1][c] = f"{rows[-1][c]} {line[a:b].strip()}".strip()
    return [tuple(row) for row in rows]


@functools.cache
def sections(network):
    """{("", "") or ("data.kind", "idx") ..: (help, rows)} of the keys of a network."""
    lines = pl_run.run(["run", "--keys", network]).stdout.splitlines()
    out, head, kind, text = {}, lines[0], ("", ""), ""
    body = [head]
    for i, line in enumerate([*lines[1:], ""]):
        if body is not None and line:
            body.append(line)
        elif line:
            kind, name, text = re.fullmatch(r"(\S+) (\S+): (.*)", line).groups()
            kind, body = (kind, name), [head]
        else:
            out[kind] = (text, cells(body))
            body = None
    return out


@functools.cache
def networks():
    """Every network of the zoo."""
    rows = cells(pl_run.run(["run", "--keys"]).stdout.splitlines())
    accepts = next(row[1] for row in rows if row[0] == "model.kind")
    return accepts.removeprefix("one of ").split(", ")


@functools.cache
def variables(network):
    return cells(pl_run.run(["run", "--variables", network]).stdout.splitlines())


# ---- tables ----


def power(match):
    n = int(match[0])
    return "2^53" if n == 2**53 else f"10^{len(match[0]) - 1}" if set(match[0][1:]) == {"0"} else match[0]


def plain(text):
    """As text of a page: nothing in it is markup."""
    return re.sub(r"([|*\\])", r"\\\1", text.replace("<", "&lt;"))


def shared(rows_of):
    """[(row, owners)] of {owner: rows}, equal rows once, those of one name side by side; owners ""
    where all have the row."""
    owners, place = {}, {}
    for owner, rows in rows_of.items():
        for row in rows:
            owners.setdefault(row, []).append(owner)
            place.setdefault(row[0], len(place))
    return [(row, "" if len(who) == len(rows_of) else ", ".join(who))
            for row, who in sorted(owners.items(), key=lambda item: place[item[0][0]])]


def markdown(head, rows):
    """Columns that are empty in every row are left out."""
    kept = [c for c in range(len(head)) if any(row[c] for row in rows)]
    lines = [[head[c] for c in kept], ["---"] * len(kept), *[[row[c] for c in kept] for row in rows]]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def defaults(text):
    """Of a key, each as code: "4; 7 for data.kind molecules"."""
    parts = [re.fullmatch(r"(.*?)( for data\.kind .*)?", part) for part in text.split("; ")]
    return "; ".join(f"`{part[1]}`{part[2] or ''}" for part in parts)


def key_table(rows_of, whose):
    rows = []
    for (key, accepts, default, meaning), owners in shared(rows_of):
        default = {"-": "", "(required)": "required"}.get(default, defaults(default))
        accepts = re.sub(r"\d{7,}", power, accepts)
        rows.append([f"`{key}`", plain(accepts), default, plain(owners), plain(meaning)])
    return markdown(["key", "accepts", "default", whose, "meaning"], rows)


def of_kind(names, kind):
    """{owner: (help, rows)} of the owners of a kind in all these networks."""
    out = {}
    for name in names:
        for (what, owner), section in sections(name).items():
            if what == kind:
                out.setdefault(owner, section)
    return out


def variable_table(names):
    rows = []
    for (name, axes, units, meaning), owners in shared({n: variables(n) for n in names}):
        axes = axes.removeprefix("run, record").removeprefix(", ")
        rows.append([f"`{name}`", axes, "" if units == "1" else plain(units), plain(owners),
                     plain(meaning)])
    return markdown(["variable", "and on", "units", "of", "meaning"], rows)


def table(what, names):
    """The table that a page asks for."""
    if what == "common":
        return key_table({"": sections(networks()[0])["", ""][1]}, "of")
    if what == "optimisers":
        kinds = of_kind(networks()[:1], "optimizer.kind")
        return key_table({name: rows for name, (_, rows) in kinds.items()}, "of")
    if what in ("networks", "data"):
        kinds = of_kind(names, "model.kind" if what == "networks" else "data.kind")
        head = "`model.kind`" if what == "networks" else "`data.kind`"
        return markdown([head, "is"], [[f"`{n}`", plain(text)] for n, (text, _) in kinds.items()])
    if what in ("keys", "data keys"):
        kinds = of_kind(names, "model.kind" if what == "keys" else "data.kind")
        return key_table({name: rows for name, (_, rows) in kinds.items()}, "of")
    if what == "variables":
        return variable_table(names)
    raise ValueError(f"no table {what}")


def updated(text):
    """A page with its tables as the program has them now."""
    return TABLE.sub(lambda m: f"{m[1]}\n{table(m[2], m[3].split())}\n{m[4]}", text)


def asked(text, what):
    """The networks of all tables of that kind in a page."""
    return [name for m in TABLE.finditer(text) if m[2] == what for name in m[3].split()]


def main():
    stale = []
    for page in PAGES:
        text = page.read_text()
        new = updated(text)
        if new != text and "--write" in sys.argv:
            page.write_text(new)
        elif new != text:
            stale.append(page)
    for page in stale:
        print(f"{page.relative_to(pl_run.ROOT)}: tables out of date: python3 tests/tables.py --write")
    sys.exit(bool(stale))


if __name__ == "__main__":
    main()
