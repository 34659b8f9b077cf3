"""A graph and what is known of its nodes, on the way into the laboratory's own format
(include/graph/file.h): what the readers of analysis/graph_formats.py make and convert.py writes."""

import sys

import numpy as np

from plancherel_io import InputError, characters, new_netcdf

TRAIN, VALIDATION, TEST, NONE = range(4)
PARTS = {"train": TRAIN, "t": TRAIN, "val": VALIDATION, "valid": VALIDATION, "v": VALIDATION,
         "validation": VALIDATION, "test": TEST, "e": TEST, "none": NONE, "-": NONE, "": NONE}


class Sparse:
    """A sparse matrix by rows; also what a pickled scipy.sparse matrix becomes here."""

    def __init__(self, indptr, indices, data, shape):
        self.indptr, self.indices, self.data = indptr, indices, data
        self._shape = shape

    @property
    def shape(self):
        return tuple(int(n) for n in self._shape)

    @classmethod
    def of_entries(cls, row, column, value, shape):
        """From entries in any order, of which no two may share a place."""
        row, column, value = (np.asarray(a) for a in (row, column, value))
        order = np.lexsort((column, row))
        row, column, value = row[order], column[order], value[order]
        again = np.flatnonzero((np.diff(row) == 0) & (np.diff(column) == 0))
        if len(again):
            raise InputError(f"feature {column[again[0]]} of node {row[again[0]]} stands twice")
        start = np.searchsorted(row, np.arange(shape[0] + 1))
        return cls(start, column, value, shape)

    def rows(self):
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    def check(self, what):
        start, column = np.asarray(self.indptr), np.asarray(self.indices)
        if (start.shape != (self.shape[0] + 1,) or start[0] != 0 or (np.diff(start) < 0).any()
                or start[-1] != len(column) or len(column) != len(self.data)):
            raise InputError(f"{what}: row pointers do not fit")
        if len(column) and (column.min() < 0 or column.max() >= self.shape[1]):
            raise InputError(f"{what}: a column outside 0 .. {self.shape[1] - 1}")
        return self


class Graph:
    """What a file holds.  pairs: (m, 2); both_ways: an edge is expected in both directions."""

    def __init__(self, nodes, pairs, weight=None, both_ways=False):
        self.nodes, self.both_ways = int(nodes), both_ways
        self.pairs = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        self.weight = None if weight is None else np.asarray(weight, dtype=float)
        self.features = None  # Sparse, or (nodes, n)
        self.label = None  # -1: none
        self.splits = None  # (splits, nodes)
        self.names = None  # where they are not the numbers of the nodes


def tell(text):
    print(text, file=sys.stderr)


def simplify(graph, duplicates, loops):
    """Each edge once, smaller node first, and counts of what was met."""
    pairs = graph.pairs
    if len(pairs) and (pairs.min() < 0 or pairs.max() >= graph.nodes):
        k = np.flatnonzero((pairs < 0).any(axis=1) | (pairs >= graph.nodes).any(axis=1))[0]
        raise InputError(f"edge {k} joins nodes {pairs[k, 0]} and {pairs[k, 1]}; "
                         f"nodes go from 0 to {graph.nodes - 1}")
    weight = np.ones(len(pairs)) if graph.weight is None else graph.weight
    bad = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if len(bad):
        raise InputError(f"edge {bad[0]} has weight {weight[bad[0]]:g}; "
                         "weights are finite and not negative")
    directed = len(np.unique(pairs, axis=0)) if len(pairs) else 0
    edge, inverse = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    low, high = np.full(len(edge), np.inf), np.full(len(edge), -np.inf)
    np.minimum.at(low, inverse, weight)
    np.maximum.at(high, inverse, weight)
    if duplicates == "refuse" and (low < high).any():
        u, v = edge[np.flatnonzero(low < high)[0]]
        raise InputError(f"edge {u} {v} is listed with different weights; "
                         "see --duplicates largest, sum")
    merged = np.bincount(inverse, weight, len(edge)) if duplicates == "sum" else high
    loop = edge[:, 0] == edge[:, 1]
    counts = {"nodes": graph.nodes, "edges": int((~loop).sum()),
              "duplicates": len(pairs) - (directed if graph.both_ways else len(edge))}
    if graph.both_ways:
        counts["listed one way"] = int(2 * (~loop).sum() + loop.sum() - directed)
    counts["self-loops"] = int(loop.sum())
    if loops == "drop":
        edge, merged = edge[~loop], merged[~loop]
    touched = np.zeros(graph.nodes, dtype=bool)
    touched[edge[edge[:, 0] != edge[:, 1]].reshape(-1)] = True
    counts["isolated nodes"] = int((~touched).sum())
    graph.pairs, graph.weight = edge, None if (merged == 1).all() else merged
    return counts


def featureless(graph):
    if graph.features is None:
        return graph.nodes
    if isinstance(graph.features, Sparse):
        entries = graph.features.rows()[np.asarray(graph.features.data) != 0]
        return graph.nodes - len(np.unique(entries))
    return int((~graph.features.any(axis=1)).sum())


def check_nodes(graph):
    """Features, labels and parts fit the nodes."""
    f = graph.features
    if f is not None:
        if f.shape[0] != graph.nodes:
            raise InputError(f"features of {f.shape[0]} nodes, the graph has {graph.nodes}")
        values = np.asarray(f.data if isinstance(f, Sparse) else f, dtype=float)
        if not np.isfinite(values).all():
            raise InputError("a feature is not finite")
    if graph.label is not None and len(graph.label) != graph.nodes:
        raise InputError(f"labels of {len(graph.label)} nodes, the graph has {graph.nodes}")
    if graph.splits is not None:
        if graph.splits.shape[1] != graph.nodes:
            raise InputError(f"a split of {graph.splits.shape[1]} nodes, the graph has "
                             f"{graph.nodes}")
        if graph.label is not None:
            lost = np.flatnonzero((graph.splits != NONE).any(axis=0) & (graph.label < 0))
            if len(lost):
                raise InputError(f"node {lost[0]} has a part but no label")


def draw_split(label, per_class, validation, test, seed):
    """per_class nodes of each class to train, then validation and test nodes, at random."""
    if label is None:
        raise InputError("--split planetoid needs labels")
    split = np.full(len(label), NONE)
    order = np.random.default_rng(seed).permutation(len(label))
    order = order[label[order] >= 0]
    for c in np.unique(label[order]):
        own = order[label[order] == c]
        if len(own) < per_class:
            raise InputError(f"class {c} has {len(own)} nodes, {per_class} are to be trained on")
        split[own[:per_class]] = TRAIN
    rest = order[split[order] == NONE]
    if len(rest) < validation + test:
        raise InputError(f"{len(rest)} nodes are left for {validation} to validate, {test} to test")
    split[rest[:validation]] = VALIDATION
    split[rest[validation:validation + test]] = TEST
    return split[None]


def write(path, graph, history):
    """The graph in the laboratory's format; whole or not at all."""
    if not len(graph.pairs):
        raise InputError("a graph without edges")
    with new_netcdf(path) as nc:
        fill(nc, graph)
        nc.Conventions, nc.history = "CF-1.10", history


def fill(nc, graph):
    def put(name, kind, dims, values, long_name, **attributes):
        var = nc.createVariable(name, kind, dims, fill_value=False)
        var.setncatts({"long_name": long_name, "units": "1", **attributes})
        var[:] = values

    nc.createDimension("node", graph.nodes)
    nc.createDimension("edges", len(graph.pairs))
    nc.createDimension("ends", 2)
    put("edge", "i4", ("edges", "ends"), graph.pairs, "nodes that an edge joins")
    if graph.weight is not None:
        put("weight", "f8", ("edges",), graph.weight, "weight of an edge")
    if isinstance(graph.features, Sparse):
        nc.createDimension("features", graph.features.shape[1])
        nc.createDimension("starts", graph.nodes + 1)
        nc.createDimension("entries", len(graph.features.data))
        put("feature_start", "i8", ("starts",), graph.features.indptr,
            "first entry of a node's features")
        put("feature_index", "i4", ("entries",), graph.features.indices, "feature of an entry")
        put("feature_value", "f8", ("entries",), graph.features.data, "value of an entry")
    elif graph.features is not None:
        nc.createDimension("features", graph.features.shape[1])
        put("feature", "f8", ("node", "features"), graph.features, "features of nodes")
    if graph.names is not None:
        letters = characters(graph.names)
        nc.createDimension("node_letter", letters.shape[1])
        put("node_name", "S1", ("node", "node_letter"), letters, "name of a node in the file it is from",
            _Encoding="utf-8")
    if graph.label is not None:
        put("label", "i4", ("node",), graph.label, "class of a node, -1: none")
    if graph.splits is not None:
        several = len(graph.splits) > 1
        if several:
            nc.createDimension("fold", len(graph.splits))
        put("split", "i1", ("fold", "node") if several else ("node",),
            graph.splits if several else graph.splits[0], "part of a node",
            flag_values=np.arange(4, dtype="i1"), flag_meanings="train validation test none")
