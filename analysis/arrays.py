"""Samples from numpy's .npy and from CSV, for convert.py.

A CSV file may have a header.  There a column y (or label) holds the labels, a column split the parts
(0 training, 1 validation, 2 test, or their names); on a group, names of the other columns are the
labels of its elements, in any order.  Without a header, and without a file of labels, the last column
holds them.
"""

import csv

import numpy as np

import plancherel
from plancherel_io import InputError

LABELS = ("y", "label")
PARTS = {"train": 0, "training": 0, "validation": 1, "val": 1, "test": 2}


def is_number(word):
    try:
        float(word)
    except ValueError:
        return False
    return True


def numbers(path, rows, first):
    """Rows of words as an array; first: the line of the first row."""
    width = len(rows[0]) if rows else 0
    for k, row in enumerate(rows):
        if len(row) != width:
            raise InputError(f"{path}, line {first + k}: {len(row)} columns; expected {width}")
        for word in row:
            if not is_number(word):
                raise InputError(f"{path}, line {first + k}: \"{word}\" is no number")
    return np.array(rows, dtype=float)


def read_csv(path):
    """(names of the columns or None, array)."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        sample = file.read(1 << 16)
        file.seek(0)
        separator = max(",;\t", key=sample.partition("\n")[0].count)
        rows = [[word.strip() for word in row] for row in csv.reader(file, delimiter=separator) if row]
    if not rows:
        raise InputError(f"{path}: empty")
    names = None
    # Numbers name no columns, but elements of groups: a header then has y or split beside them.
    if not all(map(is_number, rows[0])):
        names = rows.pop(0)
        at = names.index("split") if "split" in names else None
        for row in rows:
            if at is not None and len(row) > at:
                row[at] = str(PARTS.get(row[at].lower(), row[at]))
    return names, numbers(path, rows, 1 if names is None else 2)


def read(path):
    """(names of the columns or None, array) of a .npy or CSV file."""
    if path.endswith(".npy"):
        array = np.load(path, allow_pickle=False)
        if array.dtype.kind not in "fiub":
            raise InputError(f"{path}: numbers expected, not {array.dtype}")
        return None, array.astype(float)
    return read_csv(path)


def take(names, array, wanted):
    """The column of one of these names, and what is left."""
    found = [k for k, name in enumerate(names) if name in wanted]
    if not found:
        return names, array, None
    rest = [k for k in range(len(names)) if k != found[0]]
    return [names[k] for k in rest], array[:, rest], array[:, found[0]]


def convert(args):
    """What was written, as a line."""
    names, x = read(args.file)
    y = split = None
    if args.labels:
        y = read(args.labels)[1]
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if names is not None:
        names, x, column = take(names, x, LABELS)
        y = column if y is None else y
        names, x, split = take(names, x, ("split",))
    if y is None and (names is None and x.ndim == 2 and x.shape[1] > 1):
        x, y = x[:, :-1], x[:, -1]
    if y is None:
        raise InputError(f"{args.file}: no labels; expected a column y, or a second file")
    try:
        plancherel.write_data(args.output, x, y, group=args.group, split=split, overwrite=True,
                              elements=names if args.group else None)
    except ValueError as error:
        raise InputError(f"{args.file}: {error}") from None
    return f"{args.output}: {len(x)} samples of {x.shape[1]} " + ("elements" if args.group else "features")
