"""Readers of foreign graph formats: each takes the options of convert.py and returns a Graph."""

import collections
import gzip
import io
import pickle
import re

import numpy as np

from graph_io import NONE, PARTS, TEST, TRAIN, VALIDATION, Graph, Sparse, tell
from modules import need
from plancherel_io import InputError

def open_text(path):
    """A text file, packed or not."""
    with open(path, "rb") as file:
        raw = file.read()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    return io.StringIO(raw.decode("utf-8"))


def integers(words, what):
    """Words as integers."""
    try:
        return np.array([int(w) for w in words], dtype=np.int64)
    except ValueError:
        bad = next(w for w in words if not re.fullmatch(r"[+-]?\d+", w))
        raise InputError(f"{what}: \"{bad}\" is no integer") from None


def classes(names):
    """Labels as numbers: integers as they are, other names in alphabetical order; "-": none."""
    names = [str(n).strip() for n in names]
    known = sorted({n for n in names if n not in ("-", "", "nan", "None")})
    if all(re.fullmatch(r"\d+", n) for n in known):
        number = {n: int(n) for n in known}
    else:
        number = {n: k for k, n in enumerate(known)}
        tell("classes: " + ", ".join(f"{k} {n}" for k, n in enumerate(known)))
    return np.array([number.get(n, -1) for n in names])


def part(word, what):
    if str(word).lower() not in PARTS:
        raise InputError(f"{what}: \"{word}\" is no part; train, val, test or -")
    return PARTS[str(word).lower()]


# ---- Planetoid ----


class Unpickler(pickle.Unpickler):
    """Only arrays, sparse matrices (as Sparse, without scipy) and dictionaries of lists: a pickle
    may call whatever it names."""

    ALLOWED = {
        ("collections", "defaultdict"): collections.defaultdict,
        ("__builtin__", "list"): list, ("builtins", "list"): list,
        ("__builtin__", "bytes"): bytes, ("builtins", "bytes"): bytes,
        ("__builtin__", "object"): object, ("builtins", "object"): object,
        ("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module, name):
        if (module, name) in self.ALLOWED:
            return self.ALLOWED[module, name]
        if module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            if name in ("_reconstruct", "scalar"):
                return super().find_class("numpy.core.multiarray", name)
        if re.fullmatch(r"scipy\.sparse(\._?csr)?", module) and name == "csr_matrix":
            return Sparse
        if (module, name) in (("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor")):
            return super().find_class("copyreg", name)
        if (module, name) == ("_codecs", "encode"):  # bytes in pickles of Python 3, protocol 2
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def unpickle(path):
    with open(path, "rb") as file:
        try:
            return Unpickler(file, encoding="latin1").load()
        except Exception as error:  # a hostile or broken pickle can raise anything
            raise InputError(f"{path}: no pickle of arrays or a graph ({error})") from None


def planetoid(args):
    """Nodes: allx first, then the test nodes in the places of test.index.  Places between those
    that are named nowhere (Citeseer's isolated nodes) are nodes without features or label."""
    read = {key: unpickle(f"{args.file}.{key}")
            for key in ("x", "tx", "allx", "y", "ty", "ally", "graph")}
    index = integers(open_text(f"{args.file}.test.index").read().split(), "test.index")
    for key in ("x", "tx", "allx"):
        if not isinstance(read[key], Sparse):
            raise InputError(f"{args.file}.{key}: no sparse matrix")
        read[key].check(f"{args.file}.{key}")
    if not isinstance(read["graph"], dict):
        raise InputError(f"{args.file}.graph: no dictionary of neighbours")
    first, width = read["allx"].shape
    if len(index) != read["tx"].shape[0] or len(read["ty"]) != len(index):
        raise InputError(f"{len(index)} test indices, {read['tx'].shape[0]} rows of tx")
    if len(index) and (index.min() < first or len(set(index)) < len(index)):
        raise InputError("test.index: test nodes come after those of allx, each once")
    nodes = max([first - 1, *index.tolist(), *read["graph"]]) + 1
    missing = nodes - first - len(index)
    if missing:
        tell(f"{missing} nodes are missing in test.index: no features, no label, no part")
    pairs = [(u, v) for u, all_v in read["graph"].items() for v in all_v]
    graph = Graph(nodes, pairs, both_ways=True)
    graph.features = Sparse.of_entries(
        np.concatenate([read["allx"].rows(), index[read["tx"].rows()]]),
        np.concatenate([read["allx"].indices, read["tx"].indices]),
        np.concatenate([read["allx"].data, read["tx"].data]).astype(float), (nodes, width))
    one_hot = np.zeros((nodes, np.shape(read["ally"])[1]))
    one_hot[:first], one_hot[index] = read["ally"], read["ty"]
    graph.label = np.where(one_hot.any(axis=1), one_hot.argmax(axis=1), -1)
    train = len(read["y"])
    graph.splits = np.full((1, nodes), NONE)
    graph.splits[0, :train] = TRAIN
    graph.splits[0, train:min(train + 500, first)] = VALIDATION
    graph.splits[0, index] = TEST
    graph.splits[0, graph.label < 0] = NONE
    return graph


# ---- npz ----


def sparse_of(npz, names, path):
    """The matrix stored as NAME_data, NAME_indices, .. or NAME.data, .., or None."""
    for name in names:
        for dot in ("_", "."):
            if f"{name}{dot}indptr" in npz:
                parts = [f"{name}{dot}{p}" for p in ("indptr", "indices", "data", "shape")]
                for p in parts:
                    if p not in npz:
                        raise InputError(f"{path}: no array {p}")
                return Sparse(*(npz[p] for p in parts)).check(f"{path}: {name}")
    return None


def masks(npz, nodes):
    """(splits, nodes) from train_mask(s), val_mask(s), test_mask(s), or None."""
    splits = None
    for part_, names in ((TRAIN, "train"), (VALIDATION, "val"), (TEST, "test")):
        name = next((n for n in (f"{names}_mask", f"{names}_masks") if n in npz), None)
        if name is None:
            continue
        mask = np.atleast_2d(npz[name]).astype(bool)
        if mask.shape[1] != nodes and mask.shape[0] == nodes:
            mask = mask.T
        if splits is None:
            splits = np.full(mask.shape, NONE)
        if mask.shape != splits.shape or mask.shape[1] != nodes:
            raise InputError(f"{name} has shape {npz[name].shape} for {nodes} nodes")
        if (splits[mask] != NONE).any():
            twice = np.argwhere(mask & (splits != NONE))[0]
            raise InputError(f"{name}: node {twice[1]} is in two parts")
        splits[mask] = part_
    return splits


def npz(args):
    with np.load(args.file, allow_pickle=False) as file:
        def array(name):
            return file[name] if name in file else None

        adjacency = sparse_of(file, ("adj", "adj_matrix"), args.file)
        features = sparse_of(file, ("attr", "attr_matrix"), args.file)
        if adjacency is not None:
            if adjacency.shape[0] != adjacency.shape[1]:
                raise InputError(f"the adjacency matrix is {adjacency.shape}, no square")
            pairs = np.stack([adjacency.rows(), adjacency.indices], axis=1)
            graph = Graph(adjacency.shape[0], pairs, adjacency.data, both_ways=True)
        elif array("edges") is not None:
            label, dense = array("node_labels"), array("node_features")
            nodes = next((len(a) for a in (label, dense) if a is not None),
                         array("edges").max() + 1)
            graph = Graph(nodes, array("edges"))
        else:
            raise InputError("neither adj_indptr, .. nor edges; it holds "
                             + ", ".join(sorted(file.files)))
        dense = next((array(n) for n in ("attr_matrix", "attr", "node_features", "features")
                      if array(n) is not None), None)
        graph.features = features if dense is None else np.asarray(dense, dtype=float)
        label = next((array(n) for n in ("labels", "node_labels", "label") if n in file), None)
        if label is not None and label.ndim == 2:
            label = np.where(label.any(axis=1), label.argmax(axis=1), -1)
        graph.label = None if label is None else label.astype(np.int64)
        graph.splits = masks(file, graph.nodes)
    return graph


# ---- text ----


def table(path, comments="#%"):
    """[(line number, words)], and the comments."""
    rows, heads = [], []
    for number, line in enumerate(open_text(path), 1):
        line = line.strip()
        if line[:1] and line[0] in comments:
            heads.append(line)
        elif line:
            rows.append((number, line.replace(",", " ").split()))
    return rows, "\n".join(heads)


def read_nodes(path):
    """labels, parts and features of a table "node label part features"."""
    rows, head = table(path)
    found = re.search(r"(\d+) features", head)
    row, column, value = [], [], []
    label, parts = ["-"] * len(rows), [NONE] * len(rows)
    seen = set()
    for number, words in rows:
        what = f"{path}:{number}"
        if len(words) < 3:
            raise InputError(f"{what}: expected \"node label part features\"")
        node = int(integers(words[:1], what)[0])
        if not 0 <= node < len(rows) or node in seen:
            raise InputError(f"{what}: node {node} of {len(rows)}: nodes go from 0, each once")
        seen.add(node)
        label[node], parts[node] = words[1], part(words[2], what)
        for word in words[3:]:
            index, _, number_ = word.partition(":")
            row.append(node)
            column.append(int(integers([index], what)[0]))
            try:
                value.append(float(number_) if number_ else 1.0)
            except ValueError:
                raise InputError(f"{what}: \"{word}\" is no feature") from None
    width = int(found[1]) if found else max(column, default=-1) + 1
    if column and not 0 <= min(column) <= max(column) < width:
        raise InputError(f"{path}: a feature outside 0 .. {width - 1}")
    features = Sparse.of_entries(row, column, value, (len(rows), width)) if column else None
    splits = None if all(p == NONE for p in parts) else np.array([parts])
    return len(rows), classes(label), splits, features


def edges(args):
    rows, head = table(args.file)
    pairs, weight = [], []
    for number, words in rows:
        what = f"{args.file}:{number}"
        if len(words) not in (2, 3):
            raise InputError(f"{what}: expected \"u v\" or \"u v weight\"")
        pairs.append(integers(words[:2], what))
        try:
            weight.append(float(words[2]) if len(words) == 3 else 1.0)
        except ValueError:
            raise InputError(f"{what}: \"{words[2]}\" is no weight") from None
    found = re.search(r"nodes 0\.\.(\d+)", head)
    nodes = int(found[1]) + 1 if found else max((int(max(p)) for p in pairs), default=-1) + 1
    label = splits = features = None
    if args.nodes:
        nodes, label, splits, features = read_nodes(args.nodes)
    graph = Graph(nodes, pairs, weight)
    graph.label, graph.features, graph.splits = label, features, splits
    if label is not None and (label < 0).all():
        graph.label = None
    if args.splits:
        lines, _ = table(args.splits)
        graph.splits = np.array([letters(f"{args.splits}:{n}", words, nodes) for n, words in lines])
    return graph


def letters(what, words, nodes):
    line = "".join(words)
    if len(line) != nodes:
        raise InputError(f"{what}: {len(line)} letters for {nodes} nodes")
    return [part(letter, what) for letter in line]


# ---- Matrix Market ----


def matrix_market(path):
    """(row, column, value, shape, symmetric)."""
    file = open_text(path)
    words = file.readline().lower().split()
    if words[:3] != ["%%matrixmarket", "matrix", "coordinate"] or len(words) != 5:
        raise InputError(f"{path}: no Matrix Market file of coordinates")
    field, symmetry = words[3:]
    if field not in ("real", "integer", "pattern") or symmetry not in ("general", "symmetric"):
        raise InputError(f"{path}: a {field} {symmetry} matrix; expected real, integer or pattern, "
                         "general or symmetric")
    lines = [line.split() for line in file if line.strip() and not line.startswith("%")]
    shape = integers(lines[0], path) if lines else []
    if len(shape) != 3 or len(lines) != shape[2] + 1:
        raise InputError(f"{path}: {len(lines) - 1} entries do not fit the line of sizes")
    width = 2 if field == "pattern" else 3
    if any(len(line) != width for line in lines[1:]):
        raise InputError(f"{path}: an entry without its {width} numbers")
    numbers = np.array(lines[1:], dtype=float).reshape(-1, width)
    value = np.ones(len(numbers)) if field == "pattern" else numbers[:, 2]
    row, column = (numbers[:, k].astype(np.int64) - 1 for k in (0, 1))
    return row, column, value, (int(shape[0]), int(shape[1])), symmetry == "symmetric"


def mtx(args):
    row, column, value, shape, symmetric = matrix_market(args.file)
    if shape[0] != shape[1]:
        raise InputError(f"the matrix is {shape[0]} x {shape[1]}, no square")
    graph = Graph(shape[0], np.stack([row, column], axis=1), value, both_ways=not symmetric)
    if args.features:
        row, column, value, shape, _ = matrix_market(args.features)
        features = Sparse.of_entries(row, column, value, shape)
        graph.features = features.check(args.features)
    if args.labels:
        graph.label = classes(open_text(args.labels).read().split())
    return graph


# ---- networkx ----


def numbered(g):
    """The nodes of a networkx graph in the order of their numbers, and their names, None where these
    are the numbers."""
    names = [str(node) for node in g]
    if set(names) == {str(k) for k in range(len(g))}:
        return sorted(g, key=int), None
    return list(g), names


def networkx(args):
    need("networkx")
    import networkx as nx

    readers = {"graphml": nx.read_graphml, "gexf": nx.read_gexf, "net": nx.read_pajek,
               "gml": lambda path: nx.read_gml(path, label="id"), "paj": nx.read_pajek,
               "g6": nx.read_graph6, "graph6": nx.read_graph6, "s6": nx.read_sparse6,
               "edgelist": nx.read_edgelist, "adjlist": nx.read_adjlist,
               "pajek": nx.read_pajek, "sparse6": nx.read_sparse6}
    kind = re.sub(r"\.(gz|bz2)$", "", args.file).rpartition(".")[2]
    if kind not in readers:
        raise InputError(f"no reader for .{kind}; there are {', '.join(sorted(readers))}")
    g = readers[kind](args.file)
    nodes, names = numbered(g)
    place = {node: k for k, node in enumerate(nodes)}
    pairs = [(place[u], place[v]) for u, v in g.edges()]
    weight = [data.get(args.weight, 1) for _, _, data in g.edges(data=True)]
    graph = Graph(len(g), pairs, [float(w) for w in weight], both_ways=g.is_directed())
    graph.names = names

    def attribute(name, wanted):
        values = [g.nodes[node].get(name) for node in nodes]
        if all(v is None for v in values):
            if wanted:
                raise InputError(f"no node has an attribute \"{name}\"")
            return None
        return values

    label = attribute(args.label or "label", args.label is not None)
    # Labels of which nearly each node has its own are names.
    if label is not None and (args.label or len(set(label)) <= len(label) / 2):
        graph.label = classes("-" if v is None else v for v in label)
    parts = attribute(args.part or "split", args.part is not None)
    if parts is not None:
        graph.splits = np.array([[part("-" if v is None else v, "a node") for v in parts]])
    if args.features:
        columns = [attribute(name, True) for name in args.features.split(",")]
        graph.features = np.array([[float(v or 0) for v in c] for c in columns]).T
    return graph
