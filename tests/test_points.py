"""Networks on points: their symmetry, the data, files, what is learned and what is refused."""

import itertools
import subprocess
import sys

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run

SYSTEMS = {"kind": "nbody", "samples": 6, "validation": 2, "test": 5, "input": 2, "output": 5}
SMALL = {"depth": 3, "width": 8}


def read(path):
    with netCDF4.Dataset(path) as nc:
        return {name: np.asarray(v[:]) for name, v in nc.variables.items()}


def data(folder, name="d", **keys):
    (folder / "s.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["data", folder / "s.yaml", "-o", folder / f"{name}.nc", "--overwrite"])
    return read(folder / f"{name}.nc")


def train(folder, code=0, **keys):
    (folder / "s.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["run", folder / "s.yaml", "-q", "-o", folder / "o.nc", "--overwrite"], code=code)
    return read(folder / "o.nc")


def apply(folder, d):
    """What the network of the last training says to these samples."""
    write(folder / "in.nc", d)
    pl_run.run(["apply", folder / "o.nc.final/run-000000.nc", folder / "in.nc", "-o",
                folder / "p.nc", "--overwrite"])
    return read(folder / "p.nc")


DIMS = {"position": ("sample", "node", "axis"), "velocity": ("sample", "node", "axis"),
        "target": ("sample", "node", "axis"), "charge": ("sample", "node"), "split": ("sample",)}


def write(path, d, dims=DIMS):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, value in d.items():
            for dim, n in zip(dims[name], value.shape):
                if dim not in nc.dimensions:
                    nc.createDimension(dim, n)
            nc.createVariable(name, value.dtype, dims[name])[:] = value


def refused(folder, words, **keys):
    (folder / "s.yaml").write_text(yaml.safe_dump(dict({"steps": 2}, **keys)))
    message = pl_run.run(["run", folder / "s.yaml", "-o", folder / "x.nc", "-q"], code=2).stderr
    for word in words:
        assert word in message, message
    assert not (folder / "x.nc").exists()


# ---- symmetry ----

MOVERS = {"egnn": {"kind": "egnn", "gain": 1}, "radial": {"kind": "radial", "gain": .03},
          "egnn updated": {"kind": "egnn", "gain": 1, "velocity": "updated", "edge_attention": True}}


@pytest.mark.parametrize("dimension", [2, 3, 5])
@pytest.mark.parametrize("name", MOVERS)
def test_equivariance(tmp_path, name, dimension):
    """f of points that are turned, mirrored, moved and relabelled is f(x), treated likewise."""
    model = dict(MOVERS[name], **SMALL)
    train(tmp_path, model=model, data=dict(SYSTEMS, dimension=dimension), steps=3,
          optimizer={"lr": 1e-4}, record={"final": True})
    d = data(tmp_path, model=model, data=dict(SYSTEMS, dimension=dimension), seed=7)
    f = apply(tmp_path, d)["position"]
    assert np.abs(f - d["position"]).max() > .1
    rng = np.random.default_rng(dimension)
    q, _ = np.linalg.qr(rng.standard_normal((dimension, dimension)))
    for turn in (q, q @ np.diag([-1] + [1] * (dimension - 1))):  # determinants of both signs
        shift, order = rng.standard_normal(dimension), rng.permutation(5)
        moved = {"position": d["position"][:, order] @ turn.T + shift,
                 "velocity": d["velocity"][:, order] @ turn.T, "charge": d["charge"][:, order]}
        got = apply(tmp_path, moved)["position"]
        assert np.abs(got - (f[:, order] @ turn.T + shift)).max() < 1e-10 * np.abs(f).max()


def test_a_plain_network_only_knows_labels(tmp_path):
    model = {"kind": "gnn-points", **SMALL}
    train(tmp_path, model=model, data=SYSTEMS, steps=3, record={"final": True})
    d = data(tmp_path, model=model, data=SYSTEMS, seed=7)
    f, order = apply(tmp_path, d)["position"], [3, 1, 4, 0, 2]
    for key in ("position", "velocity", "charge"):
        d[key] = d[key][:, order]
    np.testing.assert_allclose(apply(tmp_path, d)["position"], f[:, order], rtol=1e-12)
    d["position"] = d["position"] + 1
    assert np.abs(apply(tmp_path, d)["position"] - f[:, order] - 1).max() > 1e-2


def matrix(label):
    """Of the signed permutation i -> label[i]."""
    out = np.zeros((3, 3))
    for i, image in enumerate(label):
        out[abs(image) - 1, i] = np.sign(image)
    return out


def test_defect_by_irreps(tmp_path):
    """Against sums over the group with the matrices that `plancherel group` writes."""
    model = {"kind": "gnn-points", **SMALL}
    o = train(tmp_path, model=model, data=dict(SYSTEMS, test=1), steps=3,
              record={"final": True, "defect": 1})
    d = {k: v[-1:] for k, v in data(tmp_path, model=model, data=dict(SYSTEMS, test=1)).items()}
    pl_run.run(["group", "B_3", "-o", tmp_path / "g.nc"])
    with netCDF4.Dataset(tmp_path / "g.nc") as nc:
        labels = [str(x) for x in np.ravel(nc["element_label"][:])]
        dims, values = np.asarray(nc["irrep_dim"][:]), np.asarray(nc["matrix"][:])
    turns = [matrix([int(x) for x in label.split()]) for label in labels]
    assert len(turns) == 48
    many = {"position": np.concatenate([d["position"] @ g.T for g in turns]),
            "velocity": np.concatenate([d["velocity"] @ g.T for g in turns]),
            "charge": np.repeat(d["charge"], 48, 0)}
    f = apply(tmp_path, many)["position"]
    here = f[[k for k, g in enumerate(turns) if np.array_equal(g, np.eye(3))][0]]
    defect = np.array([f[k] - here @ g.T for k, g in enumerate(turns)]).reshape(48, -1)
    size = np.linalg.norm(defect, axis=1).max() / np.linalg.norm(here)
    assert o["equivariance_defect"][0, -1] == pytest.approx(size, rel=1e-9)
    energy, at = [], 0
    for dim in dims:
        rho = values[:, at:at + dim * dim].reshape(48, dim, dim)
        at += dim * dim
        F = np.einsum("gc,gij->cij", defect, rho)
        energy.append(dim / 48 * (F**2).sum())
    np.testing.assert_allclose(sum(energy), (defect**2).sum(), rtol=1e-9)
    np.testing.assert_allclose(o["defect_share"][0, -1], np.array(energy) / sum(energy), atol=1e-9)


def test_augmentation_costs_an_equivariant_network_nothing(tmp_path):
    """Its loss does not see which way samples are turned; that of a plain one does."""
    seen = {}
    for kind, augment in itertools.product(("egnn", "gnn-points"), ("trivial", "octahedral",
                                                                   "rotations")):
        model = {"kind": kind, **SMALL}
        seen[kind, augment] = train(tmp_path, model=model, data=dict(SYSTEMS, augment=augment),
                                    steps=10, train={"batch": 3})["loss"][0]
    base = seen["egnn", "trivial"]
    np.testing.assert_allclose(seen["egnn", "octahedral"], base, rtol=1e-9)
    np.testing.assert_allclose(seen["egnn", "rotations"], base, rtol=1e-9)
    plain = [seen["gnn-points", a][-1] for a in ("trivial", "octahedral", "rotations")]
    assert len(set(plain)) == 3 and seen["gnn-points", "trivial"][0] == \
        seen["gnn-points", "octahedral"][0]


def test_subgroups_on_a_line(tmp_path):
    """In one dimension there are two signed permutations: four names for one group, or none."""
    seen = {}
    for augment in ("trivial", "inversion", "mirrors", "rotations", "octahedral"):
        seen[augment] = train(tmp_path, model={"kind": "gnn-points", **SMALL}, steps=10,
                              data=dict(SYSTEMS, dimension=1, augment=augment))["loss"][0, -1]
    assert seen["inversion"] == seen["mirrors"] == seen["octahedral"] != seen["trivial"]
    assert seen["rotations"] == seen["trivial"]


# ---- data ----


def test_systems(tmp_path):
    keys = {"model": {"kind": "egnn"}, "data": dict(SYSTEMS, samples=400, input=0, output=1)}
    d = data(tmp_path, **keys)
    train_part = d["split"] == 0
    assert np.bincount(d["split"]).tolist() == [400, 2, 5]
    assert set(np.unique(d["charge"])) == {-1, 1} and abs(d["charge"][train_part].mean()) < .1
    assert .95 < np.std(d["position"][train_part]) < 1.1  # a tenth of a time unit after the start
    speed = np.linalg.norm(d["velocity"][train_part], axis=2)
    assert np.median(speed) == pytest.approx(.5, abs=.1)
    # Fewer samples are the first of more; other numbers of particles are in other parts only.
    keys["data"].update(samples=7, test_nodes=8)
    e = data(tmp_path, **keys)
    np.testing.assert_array_equal(e["position"][:7 * 5].reshape(7, 5, 3), d["position"][:7])
    assert np.diff(e["sample_start"]).tolist() == [5] * 7 + [8] * 7
    keys["data"].update(nodes=40, samples=60, dimension=2)
    assert np.std(data(tmp_path, **keys)["position"][:60 * 40]) == pytest.approx(2, abs=.15)


def test_initial_states(tmp_path):
    """Snapshots of states from a file go on where those of the same states, drawn, went."""
    model, common = {"kind": "egnn"}, {"kind": "nbody"}
    a = data(tmp_path, "a", model=model, data=dict(SYSTEMS, input=3, output=9))
    write(tmp_path / "i.nc", {k: a[k] for k in ("position", "velocity", "charge", "split")})
    b = data(tmp_path, "b", model=model, data=dict(common, initial=str(tmp_path / "i.nc"), input=0,
                                                   output=5))
    np.testing.assert_array_equal(b["target"], a["target"])
    np.testing.assert_array_equal(b["split"], a["split"])
    refused(tmp_path, ["data.nodes", "data.initial"], model=model,
            data=dict(common, initial=str(tmp_path / "i.nc"), nodes=5))
    refused(tmp_path, ["data.output", "30"], model=model, data=dict(common, output=30))
    write(tmp_path / "i.nc", {k: a[k] for k in ("position", "velocity")})
    refused(tmp_path, ["data.initial", "charge"], model=model,
            data=dict(common, initial=str(tmp_path / "i.nc")))


def adjacency(d, g):
    first, last = d["graph_start"][g:g + 2]
    out = np.zeros((last - first, last - first), dtype=int)
    for u, v in d["edge"]:
        if first <= u < last:
            out[u - first, v - first] = out[v - first, u - first] = 1
    return out


def test_graphs(tmp_path):
    keys = {"model": {"kind": "egnn"}, "data": {"kind": "graphs", "samples": 200, "validation": 3,
                                                "test": 10}}
    d = data(tmp_path, **keys)
    assert np.diff(d["graph_start"])[:12].tolist() == [*range(7, 17), 7, 8]
    every = [adjacency(d, g) for g in range(200)]
    density = sum(a.sum() for a in every) / sum(len(a) * (len(a) - 1) for a in every)
    assert density == pytest.approx(.25, abs=.02)
    keys["data"].update(graph="community", nodes_min=6, nodes_max=10, p=.7, samples=60)
    d = data(tmp_path, **keys)
    assert d["edge"].min() == 0 and (d["edge"][:, 0] < d["edge"][:, 1]).all()
    for g in range(60):
        reach = np.linalg.matrix_power(np.eye(len(a := adjacency(d, g)), dtype=int) + a, 20) > 0
        assert 12 <= len(a) <= 20 and reach[0].sum() >= 8  # one piece, up to lone nodes
    # From a file, and back again.
    e = data(tmp_path, "e", model={"kind": "egnn"}, loss="logistic",
             data={"kind": "file", "path": str(tmp_path / "d.nc")})
    for name in d:
        np.testing.assert_array_equal(d[name], e[name])


def test_molecules(tmp_path):
    """XYZ, plain and of QM9, and QM7 as text; parts are drawn."""
    (tmp_path / "a.xyz").write_text("2\nenergy -1.5 0.25\nH 0 0 0\nO 0 0 1.0\n"
                                    "3\n-2 1\nC 0 0 0\n1 1 0 0 9\nH 0 1e0 0\n\n")
    props = "\t".join(str(k + .5) for k in range(15))
    (tmp_path / "q.xyz").write_text(f"2\ngdb 7\t{props}\t\nC\t1.5*^-2\t0\t0\t-.1\nF\t0\t0\t1\t.1\n"
                                    "100.\t200.\nC F\tCF\nInChI=1\tInChI=1\n")
    (tmp_path / "m.txt").write_text("# QM7\nm 0001 2 -417.5 -430.25\nC 0 0 0\nS 0 0 1\n"
                                    "m 2 1 -1 -2\nH 1 2 3\n")

    def convert(kind, *files, code=0):
        script = pl_run.ROOT / "analysis/convert.py"
        done = subprocess.run([sys.executable, script, kind, *files, "-o", tmp_path / "c.nc",
                               "--overwrite"], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stderr if code else read(tmp_path / "c.nc")

    c = convert("xyz", tmp_path / "a.xyz", tmp_path / "a.xyz")
    assert c["molecule_start"].tolist() == [0, 2, 5, 7, 10]
    assert c["number"].tolist() == [1, 8, 6, 1, 1] * 2
    assert c["target"].tolist() == [[-1.5, .25], [-2, 1]] * 2
    assert c["position"][3].tolist() == [1, 0, 0]
    c = convert("xyz", tmp_path / "q.xyz", tmp_path / "q.xyz")
    assert c["target"].tolist() == [[k + .5 for k in range(15)]] * 2
    assert c["position"][0].tolist() == [.015, 0, 0] and c["number"].tolist() == [6, 9, 6, 9]
    c = convert("qm7", tmp_path / "m.txt")
    assert c["number"].tolist() == [6, 16, 1] and c["target"].tolist() == [[-417.5, -430.25],
                                                                           [-1, -2]]
    (tmp_path / "b.xyz").write_text("2\n\nH 0 0 0\nXx 0 0 1\n")
    assert "b.xyz:4" in convert("xyz", tmp_path / "b.xyz", code=2)
    (tmp_path / "b.xyz").write_text("3\n\nH 0 0 0\n")
    assert "ends before" in convert("xyz", tmp_path / "b.xyz", code=2)
    convert("xyz", tmp_path / "a.xyz", tmp_path / "a.xyz", tmp_path / "a.xyz")
    keys = {"model": {"kind": "egnn"}, "data": {"kind": "molecules", "path": str(tmp_path / "c.nc"),
                                                "validation": 1, "test": 2, "property": 1}}
    d = data(tmp_path, **keys)
    assert np.bincount(d["split"]).tolist() == [3, 1, 2]
    assert sorted(d["target"].tolist()) == [.25] * 3 + [1.] * 3
    # A saved network knows its column of the file; a file with that one alone will do.
    train(tmp_path, **dict(keys, model={"kind": "linear"}), steps=2, record={"final": True})
    mae = []
    for name in ("c.nc", "d.nc"):
        pl_run.run(["apply", tmp_path / "o.nc.final/run-000000.nc", tmp_path / name, "-o",
                    tmp_path / "p.nc", "--overwrite"])
        mae.append(float(read(tmp_path / "p.nc")["mae"]))
    assert mae[0] == pytest.approx(mae[1], rel=1e-12) and mae[0] < 2
    keys["data"]["samples"] = 5
    refused(tmp_path, ["data.samples", "8 molecules", "has 6"], **keys)
    keys["data"].update(samples=1, property=2)
    refused(tmp_path, ["data.path", "2 properties"], **keys)
    refused(tmp_path, ["a molecule is not for model.kind gnn-points"], model={"kind": "gnn-points"},
            data={"kind": "file", "path": str(tmp_path / "c.nc")})


def test_bad_files(tmp_path):
    model = {"kind": "egnn"}
    good = data(tmp_path, model=model, data=SYSTEMS)
    base = {"model": model, "data": {"kind": "file", "path": str(tmp_path / "f.nc")}}

    def refuse(words, loss="square", dims=DIMS, **change):
        write(tmp_path / "f.nc", {k: v for k, v in {**good, **change}.items() if v is not None},
              dims)
        refused(tmp_path, words, loss=loss, **base)

    refuse(["data.path", "velocity"], velocity=None)
    refuse(["data.path", "target"], target=None)
    bad = good["position"].copy()
    bad[3, 1, 2] = np.nan
    refuse(["position[3, 1, 2]"], position=bad)
    refuse(["split[0] is 3"], split=good["split"] * 0 + 3)
    refuse(["no samples for training"], split=good["split"] * 0 + 2)
    refuse(["loss", "logistic is for edges"], loss="logistic")
    graph = {"graph_start": np.array([0, 3, 5]), "edge": np.array([[0, 1], [3, 4]])}
    dims = {"graph_start": ("start",), "edge": ("edges", "ends")}

    def refuse_graph(words, **change):
        write(tmp_path / "f.nc", {**graph, **change}, dims)
        refused(tmp_path, words, loss="logistic", **base)

    refuse_graph(["edge 1", "nodes 2 and 4"], edge=np.array([[0, 1], [2, 4]]))
    refuse_graph(["graph_start[2]"], graph_start=np.array([0, 3, 3]))
    refuse_graph(["graph_start"], graph_start=np.array([1, 3, 5]))
    write(tmp_path / "f.nc", graph, dims)
    refused(tmp_path, ["loss", "logistic"], **base)
    refused(tmp_path, ["data.kind", "graphs is not for model.kind linear"], model={"kind": "linear"},
            data={"kind": "graphs"})
    refused(tmp_path, ["data.nodes_max"], model=model, data={"kind": "graphs", "nodes_max": 3})


# ---- what is learned ----


def test_numbers_of_particles_that_were_never_seen(tmp_path):
    o = train(tmp_path, model={"kind": "egnn", **SMALL}, steps=5, record={"final": True},
              data=dict(SYSTEMS, test_nodes=8))
    d = data(tmp_path, model={"kind": "egnn"}, data=dict(SYSTEMS, nodes=8))
    p = apply(tmp_path, {k: v[8:] for k, v in d.items()})
    assert p["position"].shape == (5, 8, 3)
    assert p["mse"] == pytest.approx(o["test_mse"][0, -1], rel=1e-9)


def test_built_in_symmetry_needs_fewer_samples(tmp_path):
    """EGNN on 30 systems beats the plain network on 240, each trained for as many steps."""
    error = {}
    for kind, samples in (("egnn", 30), ("gnn-points", 240)):
        o = train(tmp_path, model={"kind": kind, "depth": 3, "width": 16}, steps=400,
                  data={"samples": samples, "validation": 50, "test": 100, "input": 5, "output": 15},
                  train={"batch": 30}, record={"points": 12, "best": True, "defect": 0},
                  optimizer={"kind": "adam", "lr": .003, "epsilon_inside": False})
        error[kind] = o["test_at_best"][0]
    assert error["egnn"] < .7 * error["gnn-points"]


def test_autoencoder(tmp_path):
    """Positions that turn with noise tell nodes apart, which all ones cannot."""
    found = {}
    for kind in ("egnn", "gnn-points"):
        o = train(tmp_path, model={"kind": kind, "depth": 2, "width": 16}, steps=400,
                  data={"kind": "graphs", "samples": 100, "test": 50, "validation": 1,
                        "nodes_min": 4, "nodes_max": 6, "dimension": 4, "p": .4},
                  train={"batch": 10}, record={"points": 3, "defect": 0},
                  optimizer={"kind": "adam", "lr": .01, "epsilon_inside": False})
        found[kind] = o["test_f1"][0, -1]
        assert o["test_error"][0, -1] < .5 and o["test_bce"][0, -1] > 0
    assert found["egnn"] > found["gnn-points"] + .1


def test_the_small_gain_keeps_deep_networks_sane(tmp_path):
    """Without it they explode, which is recorded as divergence."""
    keys = {"data": SYSTEMS, "steps": 20, "optimizer": {"kind": "adam", "lr": .01}}
    model = {"kind": "egnn", "depth": 32, "width": 16}
    o = train(tmp_path, code=1, model=dict(model, gain=1), **keys)
    assert o["status"][0] == 3
    o = train(tmp_path, model=model, **keys)
    assert o["status"][0] == 2 and o["loss"][0, -1] < o["loss"][0, 0]
