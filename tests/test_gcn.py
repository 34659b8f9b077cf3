"""Classification of graphs and attribution, from outside: what the motifs are, what does not depend
on the order of nodes, what attributions add up to, and files that are refused."""

import subprocess
import sys

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run

MOTIFS = [(1, {0, 2}), (3, {4, 2})]
SMALL = dict(model=dict(kind="gcn", depth=2, width=5, activation="tanh"), steps=4,
             optimizer=dict(kind="adam", lr=.02), regularizer=dict(bro=.1, gini=.5),
             record=dict(final=True), train=dict(batch=4, shuffle=False))


def read(path):
    with netCDF4.Dataset(path) as nc:
        return {k: np.ma.filled(v[:], np.nan) if v.dtype.kind == "f" else np.asarray(v[:])
                for k, v in nc.variables.items()}


def sweep(folder, name, **keys):
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(keys))
    return folder / f"{name}.yaml"


def run(folder, name, ranks=1, **keys):
    pl_run.run(["run", sweep(folder, name, **keys), "-q", "-o", folder / f"{name}.nc"], ranks=ranks)
    return read(folder / f"{name}.nc")


def draw(folder, **data):
    pl_run.run(["data", sweep(folder, "draw", model=dict(kind="gcn"), data=dict(kind="motif", **data)),
                "-o", folder / "d.nc"])
    return read(folder / "d.nc")


def write(path, data):
    dims = {"graph_start": ("graph",), "node_feature": ("node", "feature"),
            "edge": ("edge_number", "end"), "edge_feature": ("edge_number", "bond"),
            "label": ("graph",), "split": ("graph",), "attribution": ("node", "alternative")}
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, values in data.items():
            values = np.asarray(values)
            on = dims[name] if values.ndim == len(dims[name]) else ("graph",)
            for dim, length in zip(on, values.shape):
                if dim not in nc.dimensions:
                    nc.createDimension(dim, length)
            nc.createVariable(name, "f8" if values.dtype.kind == "f" else "i8", on)[:] = values


def pieces(data):
    begin = np.append(data["graph_start"], len(data["node_feature"]))
    for g, (i, j) in enumerate(zip(begin, begin[1:])):
        inside = (data["edge"][:, 0] >= i) & (data["edge"][:, 0] < j)
        yield g, i, j, data["edge"][inside] - i


@pytest.mark.parametrize("difficulty, nodes, motifs", [("easy", 16, 1), ("hard", 32, 2)])
def test_labels_are_the_motifs(tmp_path, difficulty, nodes, motifs):
    """A count of all motifs, which shares nothing with the program."""
    data = draw(tmp_path, difficulty=difficulty, samples=150, test=50)
    assert list(np.bincount(data["split"])) == [150, 0, 50]
    assert 70 < data["label"].sum() < 130
    kinds = data["node_feature"].argmax(axis=1)
    assert np.array_equal(np.eye(5)[kinds], data["node_feature"])
    for g, i, j, edges in pieces(data):
        assert j - i == nodes and edges.min() == 0 and edges.max() == nodes - 1
        near = [set() for _ in range(nodes)]
        for u, v in edges:
            near[u].add(v), near[v].add(u)
        found = [[u for u in range(nodes) if kinds[i + u] == centre
                  and sides <= {kinds[i + v] for v in near[u]}] for centre, sides in MOTIFS[:motifs]]
        assert data["label"][g] == all(found)
        truth = set(np.flatnonzero(data["attribution"][i:j, 0]))
        if not data["label"][g]:
            assert not truth
            continue
        for (centre, sides), places in zip(MOTIFS, found):
            assert len(places) == 1 and places[0] in truth
            assert {kinds[i + v] for v in near[places[0]] & truth} >= sides
        assert len(truth) == 3 * motifs
        reached = {0}
        while len(grown := reached.union(*(near[u] for u in reached))) > len(reached):
            reached = grown
        assert len(reached) == nodes  # a tree with more edges


def test_relabelling_nodes_changes_nothing(tmp_path):
    data = draw(tmp_path, samples=9, test=6)
    rng = np.random.default_rng(1)
    data["edge_feature"] = rng.standard_normal((len(data["edge"]), 2))
    moved = {k: v.copy() for k, v in data.items()}
    place = np.arange(len(data["node_feature"]))
    for _, i, j, _ in pieces(data):
        place[i:j] = i + rng.permutation(j - i)
    for name in ["node_feature", "attribution"]:
        moved[name][place] = data[name]
    order = rng.permutation(len(data["edge"]))
    moved["edge"], moved["edge_feature"] = place[data["edge"]][order], data["edge_feature"][order]
    write(tmp_path / "a.nc", data)
    write(tmp_path / "b.nc", moved)
    for layer in ["gcn", "gin", "graphconv"]:
        keys = dict(SMALL, model=dict(SMALL["model"], layer=layer))
        out, weights = [], []
        for name in "ab":
            out.append(run(tmp_path, name + layer, **keys,
                           data=dict(kind="file", path=str(tmp_path / f"{name}.nc"))))
            weights.append(read(tmp_path / f"{name}{layer}.nc.final/run-000000.nc"))
            pl_run.run(["apply", tmp_path / f"{name}{layer}.nc.final/run-000000.nc",
                        tmp_path / f"{name}.nc", "-o", tmp_path / f"p{name}{layer}.nc"])
        for name, value in out[0].items():
            if name in ["loss", "bro", "gini", "embedding_entropy_rank"] or name.startswith("test_"):
                np.testing.assert_allclose(out[1][name], value, atol=1e-12, err_msg=name)
        for name, value in weights[0].items():
            np.testing.assert_allclose(weights[1][name], value, atol=1e-12, err_msg=name)
        p, q = (read(tmp_path / f"p{name}{layer}.nc") for name in "ab")
        np.testing.assert_allclose(q["f"], p["f"], atol=1e-12)
        for method in ["cam", "gradinput", "ig", "sensitivity"]:
            name = f"attribution_{method}"
            np.testing.assert_allclose(q[name][place], p[name], atol=1e-12)
            assert p[f"auroc_{method}"] == pytest.approx(q[f"auroc_{method}"], abs=1e-12)


def test_attributions_are_complete(tmp_path):
    """Integrated gradients add up to f(x) - f(0), activation maps to f(x) less the bias."""
    data = draw(tmp_path, samples=8, test=4)
    run(tmp_path, "r", **SMALL, data=dict(kind="file", path=str(tmp_path / "d.nc")),
        attribution=dict(points=400))
    final = tmp_path / "r.nc.final/run-000000.nc"
    write(tmp_path / "null.nc", dict(data, node_feature=0. * data["node_feature"]))
    for name in ["d", "null"]:
        pl_run.run(["apply", final, tmp_path / f"{name}.nc", "-o", tmp_path / f"p{name}.nc"])
    out, null = read(tmp_path / "pd.nc"), read(tmp_path / "pnull.nc")
    bias = read(final)["head_bias"][0, 0]
    for g, i, j, _ in pieces(data):
        assert out["attribution_ig"][i:j].sum() == pytest.approx(
            out["f"][g, 0] - null["f"][g, 0], abs=1e-6)
        assert out["attribution_cam"][i:j].sum() == pytest.approx(out["f"][g, 0] - bias, abs=1e-12)


def test_ranks_and_scores_agree(tmp_path):
    """A record on one rank and on three; it is what apply says of the same graphs."""
    keys = dict(SMALL, data=dict(kind="motif", samples=10, test=7), attribution=dict(points=5))
    one, three = run(tmp_path, "one", **keys), run(tmp_path, "three", ranks=3, mapping=dict(team=3),
                                                   **keys)
    for name in ["loss", "task_loss", "bro", "gini", "embedding_entropy_rank", "test_auroc",
                 *(f"test_auroc_{m}" for m in ["cam", "gradinput", "ig", "sensitivity"])]:
        np.testing.assert_allclose(three[name], one[name], rtol=1e-9, err_msg=name)
    loss = (one["task_loss"] + .05 * one["bro"]) / one["gini"]**.5
    np.testing.assert_allclose(one["loss"], loss, rtol=1e-12)


def test_bad_files_are_refused(tmp_path):
    good = draw(tmp_path, samples=5)
    first = good["edge"][0]
    bad = {
        "edge[1] joins": dict(edge=np.array([first, first])),
        "to itself": dict(edge=np.array([[3, 3]])),
        "nodes of two graphs": dict(edge=np.array([[0, 40]])),
        "nodes are 0 to": dict(edge=np.array([[0, 4000]])),
        "label[2] is -1": dict(label=[0, 1, -1, 0, 1]),
        "split[1] is 3": dict(split=[0, 3, 0, 0, 0]),
        "split 0": dict(split=[1, 1, 1, 2, 2]),
        "graph_start[1] is 0": dict(graph_start=[0, 0, 32, 48, 64]),
        "attribution[0, 0] is 2": dict(attribution=0 * good["attribution"] + 2),
        "softmax": dict(label=[0, 1, 2, 0, 1]),
        "attribution(graph = 5": dict(attribution=[0, 1, 2, 0, 1]),
    }
    for word, change in bad.items():
        write(tmp_path / "bad.nc", dict(good, **change))
        text = yaml.safe_dump(dict(SMALL, data=dict(kind="file", path=str(tmp_path / "bad.nc"))))
        done = pl_run.run(["run", "-", "-o", tmp_path / "o.nc"], stdin=text, code=2)
        assert word in done.stderr, (word, done.stderr)
        assert not (tmp_path / "o.nc").exists()


MOLECULES = """# a comment
m one 3 2 1 train 2
a 0 1 2
b 0 1 0 1 2 1
w 110
w 011
m two 2 1 0 test 1
a 0 0
b 0 1 3
w 00
"""


def convert(folder, text):
    (folder / "m.txt").write_text(text)
    return subprocess.run([sys.executable, pl_run.ROOT / "analysis/convert.py", "molecules",
                           folder / "m.txt", "-o", folder / "m.nc", "--overwrite"],
                          text=True, capture_output=True)


def test_molecules_are_converted(tmp_path):
    done = convert(tmp_path, MOLECULES)
    assert done.returncode == 0, done.stderr
    data = read(tmp_path / "m.nc")
    assert list(data["graph_start"]) == [0, 3]
    assert list(data["node_feature"].argmax(1)) == [0, 1, 2, 0, 0]
    assert data["node_feature"].shape == (5, 14)
    assert data["edge"].tolist() == [[0, 1], [1, 2], [3, 4]]
    assert list(data["edge_feature"].argmax(1)) == [0, 1, 3]
    assert list(data["label"]) == [1, 0] and list(data["split"]) == [0, 2]
    assert data["attribution"].tolist() == [[1, 0], [1, 1], [0, 1], [0, 0], [0, 0]]
    for old, new in [("a 0 1 2", "a 0 1 99"), ("w 110", "w 11"), ("b 0 1 3", "b 0 5 3"),
                     ("m two 2", "m two 3"), ("test", "exam")]:
        done = convert(tmp_path, MOLECULES.replace(old, new))
        assert done.returncode == 2 and "m.txt" in done.stderr, (old, done.stderr)


def test_the_picture(tmp_path):
    draw(tmp_path, samples=12)
    run(tmp_path, "r", **SMALL, data=dict(kind="file", path=str(tmp_path / "d.nc")),
        attribution=dict(points=3))
    pl_run.run(["apply", tmp_path / "r.nc.final/run-000000.nc", tmp_path / "d.nc", "-o",
                tmp_path / "p.nc"])
    for source, code in [("p.nc", 0), ("d.nc", 2)]:
        done = subprocess.run([sys.executable, pl_run.ROOT / "analysis/plot.py", tmp_path / source,
                               "--kind", "attribution", "-o", tmp_path / "p.png"],
                              text=True, capture_output=True)
        assert done.returncode == code, done.stderr
    assert (tmp_path / "p.png").stat().st_size > 10000
