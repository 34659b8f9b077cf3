"""analysis/convert.py: small files of each format, made up here, against what they hold."""

import collections
import gzip
import os
import pickle
import subprocess
import sys
import types
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

ANALYSIS = Path(__file__).resolve().parent.parent / "analysis"
sys.path.insert(0, str(ANALYSIS))

import convert  # noqa: E402

FIELDS = ("edge", "weight", "feature", "feature_start", "feature_index", "feature_value", "label",
          "split")


def run(capsys, monkeypatch, *args, code=0):
    """convert.py in this process: what it told."""
    monkeypatch.setattr(sys, "argv", ["convert.py", *map(str, args)])
    capsys.readouterr()
    ended = 0
    try:
        convert.main_guard(convert.main)
    except SystemExit as end:
        ended = end.code
    out, told = capsys.readouterr()
    assert (ended, out) == (code, ""), told
    return told


@pytest.fixture
def convert_to(capsys, monkeypatch, tmp_path):
    """Runs convert.py; returns its variables as arrays, nodes and what it told."""
    def go(*args, code=0):
        out = tmp_path / "out.nc"
        told = run(capsys, monkeypatch, *args, "-o", out, "--overwrite", code=code)
        assert not out.with_name("out.nc.part").exists()
        if code:
            assert told.count("\n") == 1 and "Traceback" not in told, told
            return told
        with netCDF4.Dataset(out) as nc:
            nc.set_auto_mask(False)
            got = types.SimpleNamespace(**{n: nc[n][:] if n in nc.variables else None
                                           for n in FIELDS})
            got.nodes, got.told = nc.dimensions["node"].size, told
            got.sizes = {n: d.size for n, d in nc.dimensions.items()}
        with xr.open_dataset(out) as ds:
            assert all(v.attrs["long_name"] and v.attrs["units"] == "1"
                       for v in ds.variables.values())
        return got
    return go


def dense(got):
    """Sparse features of a file as a matrix."""
    x = np.zeros((got.nodes, got.sizes["features"]))
    for node in range(got.nodes):
        entries = slice(got.feature_start[node], got.feature_start[node + 1])
        x[node, got.feature_index[entries]] = got.feature_value[entries]
    return x


def by_rows(x):
    """indptr, indices and data of a matrix."""
    x = np.asarray(x, dtype=float)
    row, column = np.nonzero(x)
    return np.searchsorted(row, np.arange(len(x) + 1)).astype("i4"), column.astype("i4"), x[row,
                                                                                           column]


# ---- edge lists ----

NODES = """# small: node label split features; 6 features; indices of the ones
0 1 train 0 5
1 0 val 3:0.5
2 1 test
3 - - 1 2
4 0 -
"""


def test_edge_lists(convert_to, tmp_path):
    (tmp_path / "g.edges").write_text("# nodes 0..4\n0 1\n1 2 1\n2 1\n3,3\n\n% note\n0 2\n0 1\n")
    (tmp_path / "g.nodes.gz").write_bytes(gzip.compress(NODES.encode()))
    got = convert_to("edges", tmp_path / "g.edges", "--nodes", tmp_path / "g.nodes.gz")
    assert got.nodes == 5
    assert got.edge.tolist() == [[0, 1], [0, 2], [1, 2], [3, 3]]
    assert got.weight is None
    assert got.label.tolist() == [1, 0, 1, -1, 0]
    assert got.split.tolist() == [0, 1, 2, 3, 3]
    want = np.zeros((5, 6))
    want[0, [0, 5]] = want[3, [1, 2]] = 1
    want[1, 3] = 0.5
    assert (dense(got) == want).all()
    for count in ("5 nodes", "3 edges", "2 duplicates", "1 self-loops", "2 isolated nodes",
                  "2 nodes without features"):
        assert count in got.told
    assert "1 train, 1 validation, 1 test, 2 none" in got.told
    dropped = convert_to("edges", tmp_path / "g.edges", "--self-loops", "drop")
    assert dropped.edge.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert dropped.label is None and dropped.split is None and dropped.nodes == 5


def test_several_splits(convert_to, tmp_path):
    (tmp_path / "g.edges").write_text("0 1\n1 2\n")
    (tmp_path / "g.nodes").write_text("0 1 -\n1 0 -\n2 1 -\n")
    (tmp_path / "g.splits").write_text("# two\ntve\nvet\n")
    got = convert_to("edges", tmp_path / "g.edges", "--nodes", tmp_path / "g.nodes", "--splits",
                     tmp_path / "g.splits")
    assert got.split.tolist() == [[0, 1, 2], [1, 2, 0]]


def test_weights(convert_to, tmp_path):
    (tmp_path / "g").write_text("0 1 2.5\n2 1 0\n1 0 4\n")
    told = convert_to("edges", tmp_path / "g", code=2)
    assert "edge 0 1 is listed with different weights" in told
    for how, weight in (("largest", 4), ("sum", 6.5)):
        got = convert_to("edges", tmp_path / "g", "--duplicates", how)
        assert got.weight.tolist() == [weight, 0]


@pytest.mark.parametrize("text, message", [
    ("0 1\n1\n", 'g:2: expected "u v"'),
    ("0 1\na 1\n", 'g:2: "a" is no integer'),
    ("0 1 x\n", 'g:1: "x" is no weight'),
    ("0 1 -1\n", "edge 0 has weight -1"),
    ("0 1 nan\n", "edge 0 has weight nan"),
    ("0 -1\n", "edge 0 joins nodes 0 and -1"),
    ("# nodes 0..3\n0 1\n2 4\n", "edge 1 joins nodes 2 and 4; nodes go from 0 to 3"),
    ("", "without edges"),
])
def test_bad_edge_lists(convert_to, tmp_path, text, message):
    (tmp_path / "g").write_text(text)
    assert message in convert_to("edges", tmp_path / "g", code=2)


@pytest.mark.parametrize("text, message", [
    ("0 1 -\n0 1 -\n", "nodes:2: node 0 of 2: nodes go from 0, each once"),
    ("0 1 -\n1 1 train x\n", 'nodes:2: "x" is no integer'),
    ("0 1 -\n1 1 train 2:x\n", 'nodes:2: "2:x" is no feature'),
    ("0 1 -\n1 1 trained\n", 'nodes:2: "trained" is no part'),
    ("0 1 -\n1 - train\n", "node 1 has a part but no label"),
    ("0 1 - 3\n1 1 - 2 2\n", "feature 2 of node 1 stands twice"),
    ("# 2 features\n0 1 - 3\n1 1 -\n", "a feature outside 0 .. 1"),
    ("0 1 - 3:inf\n1 1 - 2\n", "a feature is not finite"),
])
def test_bad_node_tables(convert_to, tmp_path, text, message):
    (tmp_path / "g").write_text("0 1\n")
    (tmp_path / "nodes").write_text(text)
    assert message in convert_to("edges", tmp_path / "g", "--nodes", tmp_path / "nodes", code=2)


# ---- Planetoid ----


@pytest.fixture
def scipy_pickles(monkeypatch):
    """Classes that pickle under the names of scipy's, installed or not."""
    class csr_matrix:
        def __init__(self, x):
            self.indptr, self.indices, self.data = by_rows(x)
            self._shape, self.maxprint = np.shape(x), 50
    modules = {}
    for name in ("scipy", "scipy.sparse", "scipy.sparse.csr"):
        modules[name] = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, modules[name])
    csr_matrix.__module__, csr_matrix.__qualname__ = "scipy.sparse.csr", "csr_matrix"
    modules["scipy.sparse.csr"].csr_matrix = csr_matrix
    return csr_matrix


def planetoid_files(folder, matrix, protocol=2):
    """Seven nodes: 0, 1 to train, 2, 3 besides, tests 6 and 4; 5 is named nowhere."""
    x = np.eye(7, 3) + np.diag(np.arange(7))[:, :3]
    label = np.eye(2)[[0, 1, 1, 0, 1, 0, 0]]
    graph = collections.defaultdict(list, {0: [1, 2, 1], 1: [0, 0], 2: [0, 2], 4: [6], 6: [4, 3],
                                           3: [6], 5: []})
    parts = {"x": matrix(x[:2]), "allx": matrix(x[:4]), "tx": matrix(x[[6, 4]]), "y": label[:2],
             "ally": label[:4], "ty": label[[6, 4]], "graph": graph}
    for name, value in parts.items():
        with open(folder / f"ind.toy.{name}", "wb") as file:
            pickle.dump(value, file, protocol)
    (folder / "ind.toy.test.index").write_text("6\n4\n")
    return x


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_planetoid(convert_to, tmp_path, scipy_pickles, protocol):
    x = planetoid_files(tmp_path, scipy_pickles, protocol)
    got = convert_to("planetoid", tmp_path / "ind.toy")
    x[5] = 0
    assert (dense(got) == x).all()
    assert got.edge.tolist() == [[0, 1], [0, 2], [2, 2], [3, 6], [4, 6]]
    assert got.label.tolist() == [0, 1, 1, 0, 1, -1, 0]
    assert got.split.tolist() == [0, 0, 1, 1, 2, 3, 2]
    assert "1 nodes are missing in test.index" in got.told
    assert "2 duplicates, 0 listed one way, 1 self-loops, 1 isolated nodes" in got.told


class Shell:
    """What a hostile pickle does."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_hostile_pickles_are_not_run(convert_to, tmp_path, scipy_pickles):
    planetoid_files(tmp_path, scipy_pickles)
    with open(tmp_path / "ind.toy.graph", "wb") as file:
        pickle.dump({0: [Shell(tmp_path / "run")]}, file)
    told = convert_to("planetoid", tmp_path / "ind.toy", code=2)
    assert "ind.toy.graph: no pickle of arrays or a graph (it asks for " in told
    assert not (tmp_path / "run").exists()


def test_bad_planetoid(convert_to, tmp_path, scipy_pickles):
    planetoid_files(tmp_path, scipy_pickles)
    (tmp_path / "ind.toy.test.index").write_text("6\n3\n")
    assert "test nodes come after" in convert_to("planetoid", tmp_path / "ind.toy", code=2)
    (tmp_path / "ind.toy.tx").unlink()
    assert "ind.toy.tx: No such file" in convert_to("planetoid", tmp_path / "ind.toy", code=2)


# ---- npz ----

ADJACENCY = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
ATTRIBUTES = np.array([[0, .5], [1, 0], [0, 0], [2, 1]])


@pytest.mark.parametrize("dot", ["_", "."])
def test_npz(convert_to, tmp_path, dot):
    arrays = {"labels": np.array([0, 1, 2, 1])}
    for name, x in ((f"adj{'_matrix' if dot == '.' else ''}", ADJACENCY),
                    (f"attr{'_matrix' if dot == '.' else ''}", ATTRIBUTES)):
        for key, part in zip(("indptr", "indices", "data", "shape"), (*by_rows(x), x.shape)):
            arrays[f"{name}{dot}{key}"] = part
    np.savez(tmp_path / "g.npz", **arrays)
    got = convert_to("npz", tmp_path / "g.npz")
    assert got.edge.tolist() == [[0, 1], [1, 2], [3, 3]]
    assert (dense(got) == ATTRIBUTES).all()
    assert got.label.tolist() == [0, 1, 2, 1]
    assert "0 duplicates, 1 listed one way, 1 self-loops, 1 isolated nodes, 1 nodes without" in got.told
    arrays[f"{name}{dot}indices"] = arrays[f"{name}{dot}indices"] + 1
    np.savez(tmp_path / "g.npz", **arrays)
    assert "a column outside 0 .. 1" in convert_to("npz", tmp_path / "g.npz", code=2)


def test_npz_of_edges_and_masks(convert_to, tmp_path):
    train = np.array([[1, 0, 0, 0], [0, 1, 0, 0]], dtype=bool)
    arrays = {"edges": [[0, 1], [1, 0], [2, 3]], "node_labels": [0, 1, 0, 1],
              "node_features": ATTRIBUTES, "train_masks": train, "val_masks": train[:, ::-1]}
    np.savez(tmp_path / "g.npz", **arrays)
    got = convert_to("npz", tmp_path / "g.npz")
    assert got.edge.tolist() == [[0, 1], [2, 3]]
    assert (got.feature == ATTRIBUTES).all()
    assert got.split.tolist() == [[0, 3, 3, 1], [3, 0, 1, 3]]
    assert "1 duplicates" in got.told
    np.savez(tmp_path / "g.npz", **{**arrays, "val_masks": train})
    assert "node 0 is in two parts" in convert_to("npz", tmp_path / "g.npz", code=2)


def test_npz_with_objects_is_refused(convert_to, tmp_path):
    np.savez(tmp_path / "g.npz", edges=np.array([Shell(tmp_path / "run")], dtype=object))
    assert "not readable as npz" in convert_to("npz", tmp_path / "g.npz", code=2)
    assert not (tmp_path / "run").exists()


# ---- Matrix Market ----


def test_matrix_market(convert_to, tmp_path):
    (tmp_path / "g.mtx").write_text("%%MatrixMarket matrix coordinate real symmetric\n% note\n"
                                    "4 4 3\n2 1 0.5\n3 2 1\n4 4 2\n")
    (tmp_path / "f.mtx").write_text("%%MatrixMarket matrix coordinate pattern general\n"
                                    "4 3 2\n1 3\n2 1\n")
    (tmp_path / "l").write_text("a\nb\n-\na\n")
    got = convert_to("mtx", tmp_path / "g.mtx", "--features", tmp_path / "f.mtx", "--labels",
                     tmp_path / "l")
    assert got.edge.tolist() == [[0, 1], [1, 2], [3, 3]]
    assert got.weight.tolist() == [0.5, 1, 2]
    assert got.label.tolist() == [0, 1, -1, 0]
    assert dense(got).tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert "classes: 0 a, 1 b" in got.told


@pytest.mark.parametrize("text, message", [
    ("%%MatrixMarket matrix array real general\n2 2\n1\n2\n", "no Matrix Market file"),
    ("%%MatrixMarket matrix coordinate complex general\n1 1 0\n", "a complex general matrix"),
    ("%%MatrixMarket matrix coordinate real general\n2 2 2\n1 2 1\n", "do not fit"),
    ("%%MatrixMarket matrix coordinate real general\n2 3 1\n1 2 1\n", "2 x 3, no square"),
    ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 3 1\n", "joins nodes 0 and 2"),
    ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2\n", "without its 3 numbers"),
])
def test_bad_matrix_market(convert_to, tmp_path, text, message):
    (tmp_path / "g.mtx").write_text(text)
    assert message in convert_to("mtx", tmp_path / "g.mtx", code=2)


# ---- networkx ----


@pytest.mark.parametrize("kind", ["graphml", "gml", "gexf", "graphml.gz"])
def test_networkx(convert_to, tmp_path, kind):
    nx = pytest.importorskip("networkx")
    g = nx.Graph()
    for node, (club, age) in enumerate([("a", 1.5), ("b", 2.0), ("a", 0.0), ("b", 4.0)]):
        g.add_node(node, club=club, age=age, size=node)
    g.add_edge(0, 1, weight=2.0)
    g.add_edge(1, 3, weight=1.0)
    getattr(nx, f"write_{kind.partition('.')[0]}")(g, tmp_path / f"g.{kind}")
    got = convert_to("networkx", tmp_path / f"g.{kind}", "--label", "club", "--features",
                     "age,size")
    assert got.edge.tolist() == [[0, 1], [1, 3]]
    assert got.weight.tolist() == [2, 1]
    assert got.label.tolist() == [0, 1, 0, 1]
    assert got.feature.tolist() == [[1.5, 0], [2, 1], [0, 2], [4, 3]]
    assert "1 isolated nodes, 1 nodes without" not in got.told  # node 2 has size 2
    told = convert_to("networkx", tmp_path / f"g.{kind}", "--label", "team", code=2)
    assert 'no node has an attribute "team"' in told


def test_pajek_and_unknown_kinds(convert_to, tmp_path):
    pytest.importorskip("networkx")
    (tmp_path / "g.net").write_text('*Vertices 3\n1 "a"\n2 "b"\n3 "c"\n*Edges\n1 2 1\n2 3 1\n2 3 1\n')
    got = convert_to("networkx", tmp_path / "g.net")
    assert got.edge.tolist() == [[0, 1], [1, 2]] and "1 duplicates" in got.told
    assert "no reader for .xyz" in convert_to("networkx", tmp_path / "g.xyz", code=2)
    (tmp_path / "g.gml").write_text("graph [ node [")
    assert "not readable as networkx" in convert_to("networkx", tmp_path / "g.gml", code=2)


@pytest.mark.parametrize("name, text, edge, names", [
    ("g.edgelist", "3 0\n0 1\n1 2\n", [[0, 1], [0, 3], [1, 2]], None),
    ("g.adjlist", "2 0 1\n0\n1 3\n3\n", [[0, 2], [1, 2], [1, 3]], None),
    ("g.net", '*Vertices 3\n1 "2"\n2 "0"\n3 "1"\n*Edges\n1 2\n2 3\n', [[0, 1], [0, 2]], None),
    ("g.edgelist", "3 1\n1 2\n", [[0, 1], [1, 2]], ["3", "1", "2"]),
    ("g.edgelist", "bo zoë\nzoë 0\n", [[0, 1], [1, 2]], ["bo", "zoë", "0"]),
    ("g.edgelist", "00 1\n", [[0, 1]], ["00", "1"]),
])
def test_nodes_keep_their_numbers_or_names(convert_to, tmp_path, name, text, edge, names):
    pytest.importorskip("networkx")
    (tmp_path / name).write_text(text)
    got = convert_to("networkx", tmp_path / name)
    assert got.edge.tolist() == edge
    with xr.open_dataset(tmp_path / "out.nc") as ds:
        assert ("node_name" in ds) == ("names in node_name" in got.told) == (names is not None)
        if names:
            assert ds.node_name.values.tolist() == names


def test_attributes_follow_the_numbers(convert_to, tmp_path):
    nx = pytest.importorskip("networkx")
    g = nx.Graph([(2, 0), (0, 1)])
    nx.set_node_attributes(g, {k: {"size": k, "split": "t-e"[k]} for k in g})
    nx.write_graphml(g, tmp_path / "g.graphml")
    got = convert_to("networkx", tmp_path / "g.graphml", "--label", "size", "--features", "size")
    assert got.edge.tolist() == [[0, 1], [0, 2]]
    assert got.label.tolist() == [0, 1, 2] and got.feature[:, 0].tolist() == [0, 1, 2]
    assert got.split.tolist() == [0, 3, 2]


# ---- parts, and the program ----


def test_splits_as_planetoids(convert_to, tmp_path):
    (tmp_path / "g").write_text("".join(f"{k} {k + 1}\n" for k in range(99)))
    (tmp_path / "nodes").write_text("".join(f"{k} {k % 3 if k % 10 else '-'} -\n"
                                            for k in range(100)))
    args = ["edges", tmp_path / "g", "--nodes", tmp_path / "nodes", "--split", "planetoid",
            "--validation", 20, "--test", 30]
    first, again = convert_to(*args, "--per-class", 5), convert_to(*args, "--per-class", 5)
    other = convert_to(*args, "--per-class", 5, "--seed", 1)
    assert (first.split == again.split).all() and (first.split != other.split).any()
    assert np.bincount(first.split).tolist() == [15, 20, 30, 35]
    assert np.bincount(first.label[first.split == 0]).tolist() == [5, 5, 5]
    assert (first.label[first.split < 3] >= 0).all()
    assert "class 0 has 30 nodes, 31" in convert_to(*args, "--per-class", 31, code=2)
    assert "to validate, 30 to test" in convert_to(*args, "--per-class", 20, code=2)
    assert "needs labels" in convert_to("edges", tmp_path / "g", "--split", "planetoid", code=2)


def test_files_are_not_replaced_unasked(tmp_path):
    (tmp_path / "g").write_text("0 1\n")
    (tmp_path / "out.nc").write_text("mine")
    command = [sys.executable, ANALYSIS / "convert.py", "edges", tmp_path / "g", "-o",
               tmp_path / "out.nc"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "exists already" in done.stderr
    assert (tmp_path / "out.nc").read_text() == "mine"
    (tmp_path / "soft").symlink_to("g")
    for name in "g", "soft":
        done = subprocess.run([*command[:-1], tmp_path / name, "--overwrite"], capture_output=True, text=True)
        assert done.returncode == 2 and "would replace an input" in done.stderr
    assert (tmp_path / "g").read_text() == "0 1\n"
    done = subprocess.run([*command, "--overwrite"], capture_output=True, text=True)
    assert done.returncode == 0 and "2 nodes, 1 edges" in done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as nc:
        assert nc["edge"][:].tolist() == [[0, 1]]


# ---- Omniglot ----


@pytest.fixture
def drawings(tmp_path):
    """Three alphabets of two, one and two characters, each two drawings of 105 x 105 pixels; of
    every one a black bar at a place of its own."""
    import matplotlib.image
    place = 0
    for alphabet, characters in (("Greek", 2), ("Latin", 1), ("Runes", 2)):
        for c in range(characters):
            folder = tmp_path / "images" / alphabet / f"character{c + 1:02}"
            folder.mkdir(parents=True)
            for k in range(2):
                image = np.ones((105, 105))
                image[15 * place // 2:15 * place // 2 + 15] = 0
                matplotlib.image.imsave(folder / f"{place:04}_{k + 1:02}.png", image, cmap="gray",
                                        vmin=0, vmax=1)
                place += 1
    return tmp_path / "images"


def test_omniglot(capsys, monkeypatch, tmp_path, drawings):
    told = run(capsys, monkeypatch, "omniglot", drawings, "-o", tmp_path / "o", "--test", "Latin")
    assert "10 images of 5 characters; data.train_classes: 4" in told
    packed = gzip.open(tmp_path / "o-images-idx3-ubyte.gz").read()
    assert packed[:16] == bytes([0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 28, 0, 0, 0, 28])
    images = np.frombuffer(packed[16:], dtype="u1").reshape(10, 28, 28)
    packed = gzip.open(tmp_path / "o-labels-idx1-short.gz").read()
    assert packed[:8] == bytes([0, 0, 11, 1, 0, 0, 0, 10])
    assert np.frombuffer(packed[8:], dtype=">i2").tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    names = [line.split()[1:3] for line in open(tmp_path / "o-classes.txt") if line[0] != "#"]
    assert names[2] == ["Runes", "character01"] and names[4] == ["Latin", "character01"]
    # Ink is 255, its amount and its middle stay: bars of 15 rows of 105, the Latin ones last.
    for image, place in zip(images, [0, 1, 2, 3, 6, 7, 8, 9, 4, 5]):
        assert image.mean() / 255 == pytest.approx(15 / 105, abs=2e-3)
        middle = (image.sum(1) @ (np.arange(28) + .5)) / image.sum()
        assert middle == pytest.approx((15 * place // 2 + 7.5) * 28 / 105, abs=.03)
    assert "exists already" in run(capsys, monkeypatch, "omniglot", drawings, "-o", tmp_path / "o",
                                   code=2)
    assert "no alphabet Elvish" in run(capsys, monkeypatch, "omniglot", drawings, "-o",
                                       tmp_path / "p", "--test", "Elvish", code=2)
    (drawings / "Latin" / "character01" / "bad.png").write_bytes(b"not a picture")
    assert "bad.png" in run(capsys, monkeypatch, "omniglot", drawings, "-o", tmp_path / "p", code=2)
    assert "ALPHABET/CHARACTER" in run(capsys, monkeypatch, "omniglot", drawings / "Greek", "-o",
                                       tmp_path / "p", code=2)
