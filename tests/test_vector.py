"""Networks on vectors and images: data of every kind, from files too, and what is refused."""

import gzip
import os
import struct

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run
from test_images import write_idx

SIDE = 5


def data(folder, **keys):
    """x, y and split of the samples that a run of these keys has."""
    (folder / "s.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["data", folder / "s.yaml", "-o", folder / "d.nc", "--overwrite"])
    with netCDF4.Dataset(folder / "d.nc") as nc:
        return [np.asarray(nc[name][:]) for name in ("x", "y", "split")]


def refused(folder, words, **keys):
    (folder / "s.yaml").write_text(yaml.safe_dump(dict({"model.kind": "mlp", "steps": 2}, **keys)))
    message = pl_run.run(["run", folder / "s.yaml", "-o", folder / "o.nc", "-q"], code=2).stderr
    for word in words:
        assert word in message, message
    assert not (folder / "o.nc").exists()


# ---- drawn ----


def test_rings(tmp_path):
    x, y, split = data(tmp_path, model={"kind": "mlp"}, data={"samples": 300, "test": 30,
                                                              "classes": 3, "noise": 0})
    np.testing.assert_allclose(np.hypot(*x.T), (y + 1) / 3, rtol=1e-12)
    assert np.bincount(split).tolist() == [300, 0, 30] and np.bincount(y[:300]).tolist() == [100] * 3
    angle = np.arctan2(*x[:300].T)
    assert abs(np.mean(np.cos(angle))) < .2 and abs(np.mean(np.sin(angle))) < .2
    z, _, _ = data(tmp_path, model={"kind": "mlp"}, data={"samples": 300, "test": 30, "classes": 3,
                                                          "noise": .1})
    assert np.std(z - x) == pytest.approx(.1, rel=.1)


CURVES = {"cubic": lambda x: -x**3, "sine": lambda x: np.sin(np.pi * x), "abs": np.abs,
          "step": lambda x: np.where(x < 0, -1, 1), "exp": np.exp}


@pytest.mark.parametrize("name", CURVES)
def test_curves(tmp_path, name):
    x, y, _ = data(tmp_path, model={"kind": "mlp"}, data={"kind": "curve", "function": name,
                                                          "samples": 200, "range": 2})
    np.testing.assert_allclose(y, CURVES[name](x), rtol=1e-14, atol=1e-15)
    assert x.shape == y.shape == (200, 1) and -2 < x.min() < -1.8 and 1.8 < x.max() < 2


def test_bars(tmp_path):
    x, y, _ = data(tmp_path, model={"kind": "conv"}, data={"samples": 40, "side": 16, "noise": 0})
    image = x.reshape(40, 16, 16)
    lines = np.where(y[:, None] == 0, image.min(2), image.min(1))
    assert (lines.sum(1) == 1).all() and (image.sum((1, 2)) == 16).all()


# ---- images ----


@pytest.fixture
def idx(tmp_path):
    rng = np.random.default_rng(3)
    out = []
    for name, n in (("a", 60), ("b", 20)):
        (tmp_path / name).mkdir()
        images, labels = rng.integers(0, 256, (n, SIDE, 4)), (np.arange(n) * 7 % 5).tolist()
        out.append((images, np.array(labels), *write_idx(tmp_path / name, images, labels)))
    return out


def pixels(images):
    return images.reshape(len(images), -1) / 255


@pytest.mark.parametrize("packed", [False, True])
def test_images_of_all_classes(tmp_path, idx, packed):
    (images, labels, *paths), (test, test_labels, *test_paths) = idx
    if packed:
        for k, path in enumerate(paths):
            with open(path, "rb") as plain, gzip.open(path + ".gz", "wb") as out:
                out.write(plain.read())
            paths[k] = path + ".gz"
    x, y, split = data(tmp_path, model={"kind": "conv", "depth": 1},
                       data={"kind": "images", "path": paths[0], "labels": paths[1],
                             "test_path": test_paths[0], "test_labels": test_paths[1]})
    assert np.bincount(split).tolist() == [60, 0, 20]
    assert np.array_equal(x, pixels(np.concatenate([images, test])))
    assert np.array_equal(y, np.concatenate([labels, test_labels]))
    with netCDF4.Dataset(tmp_path / "d.nc") as nc:
        assert nc["x"].image.tolist() == [SIDE, 4, 1] and nc["y"].classes == 5


def test_parts_are_drawn(tmp_path, idx):
    """No image is in two parts; another seed draws others; digits name classes."""
    images, labels, *paths = idx[0]
    keys = {"kind": "images", "path": paths[0], "labels": paths[1], "digits": [4, 1], "samples": 9,
            "validation": 4, "test": 3}
    seen = []
    for seed in (0, 1):
        x, y, split = data(tmp_path, model={"kind": "mlp"}, data=keys, seed=seed)
        assert np.bincount(split).tolist() == [9, 4, 3] and len(np.unique(x, axis=0)) == 16
        for row, c in zip(x, y):
            i = np.flatnonzero((pixels(images) == row).all(1))
            assert labels[i].tolist() == [[4, 1][c]]
        seen.append(x)
    assert not np.array_equal(*seen)
    refused(tmp_path, ["data.labels", "label 9 of data.digits"], **{"model.kind": "mlp"},
            **{f"data.{key}": value for key, value in {**keys, "digits": [4, 9]}.items()})


@pytest.mark.parametrize("kind", ["images", "idx", "fewshot"])
def test_idx_files_that_are_not_what_their_head_says(tmp_path, kind):
    """In all networks that read them: nothing is taken for an image that is none, nothing hangs."""
    sizes, x, y = (12, 6, 6), np.arange(12 * 36) % 251, np.arange(12) % 3
    whole = struct.pack(">4i", 0x803, *sizes) + bytes(x.astype(np.uint8).tobytes())
    labels = struct.pack(">2i", 0x801, 12) + bytes(y.astype(np.uint8))
    big = np.random.default_rng(0).integers(0, 256, (12, 90, 90), dtype=np.uint8)
    packed = gzip.compress(struct.pack(">4i", 0x803, *big.shape) + big.tobytes())
    keys = {"images": {"model.kind": "mlp"},
            "idx": {"model.kind": "gcnn", "group": "C_2 x C_2", "data.samples": 4, "data.digits": [0, 1]},
            "fewshot": {"model.kind": "meta", "data.ways": 2, "data.shots": 1, "data.queries": 1}}[kind]
    keys |= {"data.kind": kind, "data.path": str(tmp_path / "x"), "data.labels": str(tmp_path / "y")}

    def bad(words, images, classes=labels):
        (tmp_path / "x").write_bytes(images)
        (tmp_path / "y").write_bytes(classes)
        refused(tmp_path, words, **keys)

    bad(["data.path", "goes on behind"], struct.pack(">4i", 0x803, 12, 5, 6) + whole[16:])
    bad(["data.path", "ends before"], struct.pack(">4i", 0x803, 10**8, 4096, 4096) + whole[16:])
    bad(["data.labels", "goes on behind"], gzip.compress(whole), gzip.compress(labels + b"x"))
    (tmp_path / "x").unlink()
    os.mkfifo(tmp_path / "x")
    refused(tmp_path, ["data.path", "FIFO"], **keys)
    (tmp_path / "x").unlink()
    if kind == "images":  # of the reader that all share
        bad(["data.path", "damaged"], packed[:-8] + bytes(4) + packed[-4:])
        bad(["data.labels", "ends before"], whole, struct.pack(">2i", 0x801, 10**8) + labels[8:])
        bad(["data.labels", "every label is 0"], whole, labels[:8] + bytes(12))


@pytest.mark.parametrize("value", [3.5, 2e9, "3", [2, 2]])
def test_attributes_that_are_no_such_number(tmp_path, value):
    for name, var in (("classes", "y"), ("image", "x")):
        with netCDF4.Dataset(tmp_path / "d.nc", "w") as nc:
            nc.createDimension("sample", 4)
            nc.createDimension("feature", 4)
            nc.createVariable("x", "f8", ("sample", "feature"))[:] = np.eye(4)
            nc.createVariable("y", "i4", ("sample",))[:] = [0, 1, 2, 3]
            nc[var].setncattr(name, value)
        refused(tmp_path, ["data.path", f"attribute {name}"],
                **{"data.kind": "file", "data.path": str(tmp_path / "d.nc")})


def test_weights_the_wrong_way_round(tmp_path):
    """A square matrix fits either way: the names of its dimensions tell."""
    keys = {"data.samples": 8, "data.classes": 2, "model.kind": "mlp", "model.depth": 1, "steps": 1}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(dict(keys, **{"record.final": True})))
    pl_run.run(["run", tmp_path / "s.yaml", "-o", tmp_path / "w.nc", "-q"])
    weights = tmp_path / "w.nc.final/run-000000.nc"
    with netCDF4.Dataset(weights, "a") as nc:
        square = [n for n, v in nc.variables.items() if v.ndim == 2 and v.shape[0] == v.shape[1] > 1]
        nc.renameDimension(f"{square[0]}_in", "aside")
        nc.renameDimension(f"{square[0]}_out", f"{square[0]}_in")
        nc.renameDimension("aside", f"{square[0]}_out")
    refused(tmp_path, ["model.init.path", f"{square[0]}({square[0]}_out, "],
            **keys, **{"model.init.kind": "file", "model.init.path": str(weights)})


def test_bad_images(tmp_path, idx):
    images, labels, *paths = idx[0]
    base = {"data.kind": "images", "data.path": paths[0], "data.labels": paths[1]}
    refused(tmp_path, ["data.path", "images", "No such file"], **dict(base, **{"data.path": "none"}))
    refused(tmp_path, ["data.labels", "not an IDX file of labels"],
            **dict(base, **{"data.labels": paths[0]}))
    refused(tmp_path, ["data.path", "not an IDX file of images"],
            **dict(base, **{"data.path": paths[1]}))
    refused(tmp_path, ["data.samples", "60"], **dict(base, **{"data.samples": 61}))
    refused(tmp_path, ["data.samples"], **dict(base, **{"data.validation": 60}))
    refused(tmp_path, ["data.digits", "different"], **dict(base, **{"data.digits": [3, 3]}))
    refused(tmp_path, ["data.labels", "label 8"], **dict(base, **{"data.digits": [8, 9]}))
    refused(tmp_path, ["data.test_path", "data.test_labels"],
            **dict(base, **{"data.test_path": paths[0]}))
    refused(tmp_path, ["data.kind", "data.path and data.labels"], **{"data.kind": "images"})
    (tmp_path / "cut").mkdir()
    cut = write_idx(tmp_path / "cut", images, labels.tolist(), cut=(1, 0))
    refused(tmp_path, ["data.path", "ends before its last image"], **dict(base, **{
        "data.path": cut[0]}))
    cut = write_idx(tmp_path / "cut", images, labels.tolist(), cut=(0, 1))
    refused(tmp_path, ["data.labels", "ends before its last label"], **dict(base, **{
        "data.labels": cut[1]}))
    other = write_idx(tmp_path / "cut", images[:, :, :3], labels.tolist())
    refused(tmp_path, ["data.test_path", "5 x 3 pixels", "5 x 4"],
            **dict(base, **{"data.test_path": other[0], "data.test_labels": other[1]}))


# ---- files ----


def write(path, x, y=None, split=None, image=None, classes=None):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.createDimension("sample", len(x))
        nc.createDimension("feature", x.shape[1])
        nc.createVariable("x", "f8", ("sample", "feature"))[:] = x
        if image is not None:
            nc["x"].image = np.array(image, dtype="i4")
        if y is not None:
            if np.ndim(y) == 2:
                nc.createDimension("target", y.shape[1])
            nc.createVariable("y", "f8", ("sample", "target")[:np.ndim(y)])[:] = y
            if classes:
                nc["y"].classes = np.int32(classes)
        if split is not None:
            nc.createVariable("split", "i4", ("sample",))[:] = split


def test_file(tmp_path):
    """Parts in any order, and targets of any number."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((7, 2))
    split = np.array([2, 0, 0, 1, 0, 2, 0])
    write(tmp_path / "in.nc", x, y, split)
    got = data(tmp_path, model={"kind": "mlp"}, loss="square",
               data={"kind": "file", "path": str(tmp_path / "in.nc")})
    order = np.argsort(split, kind="stable")
    for a, b in zip(got, (x, y, split)):
        assert np.array_equal(a, b[order])


def test_bad_files(tmp_path):
    x, y = np.ones((6, 4)), np.arange(6) % 3
    path = tmp_path / "f.nc"
    base = {"data.kind": "file", "data.path": str(path)}

    def refuse(words, *content, keys=(), **more):
        write(path, *content, **more)
        refused(tmp_path, words, **dict(base, **dict(keys)))

    refused(tmp_path, ["data.path", "f.nc"], **base)
    refuse(["f.nc", "y"], x)
    refuse(["data.path", "y[5] is 0.5", "class"], x, np.array([0, 1, 2, 0, 1, .5]))
    refuse(["y[2] is 2", "classes"], x, y, classes=2)
    refuse(["split[1] is 3"], x, y, [0, 3, 0, 0, 0, 0])
    refuse(["no samples for training"], x, y, [1] * 6)
    refuse(["image", "features, 4"], x, y, image=[3, 1, 1])
    bad = x.copy()
    bad[4, 2] = np.inf
    refuse(["x[4, 2]", "infinite"], bad, y)
    refuse(["loss", "softmax needs classes", "square"], x, np.ones((6, 1)))
    refuse(["loss", "logistic", "3"], x, y, keys={"loss": "logistic"})
    refuse(["image"], x, y, keys={"model.kind": "conv"})
    refuse(["model.depth", "too few"], x, y, image=[2, 2, 1], keys={"model.kind": "conv"})
    refuse(["model.padding", "fewer than model.kernel"], x, y, image=[2, 2, 1],
           keys={"model.kind": "conv", "model.padding": 3})


def test_bad_keys(tmp_path):
    refused(tmp_path, ["model.kernel", "not used by model.kind mlp"], **{"model.kernel": 3})
    refused(tmp_path, ["data.kind", "rings is not for model.kind conv"],
            **{"model.kind": "conv", "data.kind": "rings"})
    refused(tmp_path, ["loss", "exponential"], loss="exponential")
    refused(tmp_path, ["model.dropout", "below 1"], **{"model.dropout": 1})
    refused(tmp_path, ["model.init.kind", "model.init.path"], **{"model.init.kind": "file"})
    refused(tmp_path, ["model.init.path", "w.nc"],
            **{"model.init.kind": "file", "model.init.path": str(tmp_path / "w.nc")})


def test_what_is_learned(tmp_path):
    """Rings by an mlp, bars by a conv, to a test part that they have not seen."""
    for model, keys in (("mlp", {"samples": 300, "classes": 3}),
                        ("conv", {"samples": 60, "side": 10})):
        (tmp_path / "s.yaml").write_text(yaml.safe_dump(
            {"model": {"kind": model, "width": 16, "depth": 3 if model == "mlp" else 2},
             "data": dict(keys, test=100), "train.batch": 20, "epochs": 40,
             "optimizer": {"kind": "adam", "lr": .01}}))
        pl_run.run(["run", tmp_path / "s.yaml", "-q", "-o", tmp_path / "o.nc", "--overwrite"])
        with netCDF4.Dataset(tmp_path / "o.nc") as nc:
            assert nc["test_accuracy"][0, -1] > .9, model


def test_what_a_wide_network_takes(tmp_path):
    """Nothing is as large as the most rows times the most columns of two weights."""
    (tmp_path / "s.yaml").write_text("{model: {kind: mlp, depth: 2, width: 5000}, steps: 1, "
                                     "data: {kind: curve, samples: 3}}")
    pl_run.run(["run", tmp_path / "s.yaml", "-q", "-o", tmp_path / "o.nc"])
    with netCDF4.Dataset(tmp_path / "o.nc") as nc:
        assert nc["memory"][0] < 1e8
