"""Many small graphs with a class each, molecules among them, from the text of the graph-attribution
collection (google-research/graph-attribution) into the laboratory's format
(include/nets/graph/data.h):

  m <id> <atoms> <bonds> <label> <train|val|test> <alternatives k>
  a <code of each atom>
  b <u v code> of each bond
  w <a bit for each atom>, k times: 1, the atom belongs to that explanation
"""

import numpy as np

from graph_formats import integers, open_text, part
from graph_io import NONE
from plancherel_io import InputError, new_netcdf

ATOMS, BONDS = 14, 5  # codes of the collection


def one_hot(codes, width, what):
    if len(codes) and not 0 <= codes.min() <= codes.max() < width:
        raise InputError(f"{what}: codes are 0 to {width - 1}")
    return np.eye(width, dtype="i1")[codes]


def read_one(lines, where):
    """A molecule from its lines, of which the first is read: (atoms, bonds, label, part, truth)."""
    head, body = lines[0][1:], {kind: [w for k, *w in lines[1:] if k == kind] for kind in "abw"}
    if len(head) != 6 or len(body["a"]) != 1 or len(body["b"]) > 1:
        raise InputError(f"{where}: expected m with six words, a line a, at most one line b")
    atoms, bonds, label, alternatives = integers([head[1], head[2], head[3], head[5]], where)
    codes = integers(body["a"][0], where)
    triples = integers(body["b"][0] if body["b"] else [], where)
    bits = ["".join(w) for w in body["w"]]
    if len(codes) != atoms or len(triples) != 3 * bonds or len(bits) != alternatives:
        raise InputError(f"{where}: {head[1]} atoms, {head[2]} bonds and {head[5]} alternatives "
                         f"are not what its lines have")
    if any(len(b) != atoms or set(b) - {"0", "1"} for b in bits):
        raise InputError(f"{where}: a line w has a 0 or 1 for each atom")
    triples = triples.reshape(-1, 3)
    if len(triples) and not 0 <= triples[:, :2].min() <= triples[:, :2].max() < atoms:
        raise InputError(f"{where}: bonds join atoms 0 to {atoms - 1}")
    if part(head[4], where) == NONE:
        raise InputError(f"{where}: every molecule is in a part")
    truth = np.array([[int(c) for c in b] for b in bits], dtype="i1").reshape(-1, atoms).T
    return codes, triples, label, part(head[4], where), truth


def blocks(path):
    """Lines of each molecule as words, and the number of its first."""
    block, first = [], 0
    for number, line in enumerate(open_text(path), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "m" and block:
            yield first, block
            block = []
        if not block:
            first = number
            if words[0] != "m":
                raise InputError(f"line {number}: expected a line m")
        block.append(words)
    if block:
        yield first, block


def convert(path, output, history):
    """Read and write all; the counts, for people."""
    all_of = [read_one(block, f"line {first}") for first, block in blocks(path)]
    if not all_of:
        raise InputError("no molecules")
    sizes = np.array([len(m[0]) for m in all_of])
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    truth = np.zeros((sizes.sum(), max(m[4].shape[1] for m in all_of)), dtype="i1")
    for first, molecule in zip(start, all_of):
        explained = molecule[4]
        truth[first:first + len(explained), :explained.shape[1]] = explained
    bonds = np.concatenate([m[1] + [first, first, 0] for first, m in zip(start, all_of)])
    if not len(bonds):
        raise InputError("molecules without bonds")
    columns = {
        "graph_start": ("i8", ("graph",), start, "first node of each graph"),
        "node_feature": ("i1", ("node", "feature"),
                         one_hot(np.concatenate([m[0] for m in all_of]), ATOMS, "atoms"),
                         "type of each atom: C N O S F P Cl Br Na Ca I B H other"),
        "edge": ("i8", ("edge_number", "end"), bonds[:, :2], "nodes of each edge"),
        "edge_feature": ("i1", ("edge_number", "bond"), one_hot(bonds[:, 2], BONDS, "bonds"),
                         "type of each bond: single, double, triple, aromatic, other"),
        "label": ("i4", ("graph",), [m[2] for m in all_of], "class, from 0"),
        "split": ("i1", ("graph",), [m[3] for m in all_of],
                  "part: 0 training, 1 validation, 2 test"),
        "attribution": ("i1", ("node", "alternative"), truth,
                        "1: the node belongs to that explanation of the class"),
    }
    write(output, columns, history)
    labels = np.array(columns["label"][2])
    return {"graphs": len(all_of), "nodes": int(sizes.sum()), "edges": len(bonds),
            "graphs of class 1": int((labels == 1).sum())}


def write(path, columns, history):
    """Whole or not at all."""
    with new_netcdf(path) as nc:
        for name, (kind, dims, values, long_name) in columns.items():
            values = np.asarray(values)
            for dim, length in zip(dims, values.shape):
                if dim not in nc.dimensions:
                    nc.createDimension(dim, length)
            var = nc.createVariable(name, kind, dims, fill_value=False)
            var.setncatts({"long_name": long_name, "units": "1"})
            var[:] = values
        nc.Conventions, nc.history = "CF-1.10", history
