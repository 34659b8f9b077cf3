"""Images in IDX files on groups, read back through filters that pick one element; teachers; bad
files."""

import struct

import netCDF4
import numpy as np
import pytest

import pl_run
from test_reference import sweep


def write_idx(folder, images, labels, magic=(0x803, 0x801), cut=(0, 0)):
    n, rows, cols = images.shape
    data = [struct.pack(">4i", magic[0], n, rows, cols) + images.astype(np.uint8).tobytes(),
            struct.pack(">2i", magic[1], len(labels)) + bytes(labels)]
    for name, text, less in zip(("images", "labels"), data, cut):
        (folder / name).write_bytes(text[: len(text) - less])
    return str(folder / "images"), str(folder / "labels")


def samples(folder, spec, order, paths, n, digits=(1, 5), kind="gcnn", **keys):
    """x[sample, element] and y: filters delta_e and delta_g make f(x) = x(g)."""
    (folder / "w").mkdir(exist_ok=True)
    files = []
    for g in range(order):
        w = np.zeros((2, order))
        w[0, 0] = w[1, g] = 1
        files.append(str(folder / "w" / f"{g}.nc"))
        with netCDF4.Dataset(files[-1], "w", format="NETCDF3_64BIT_DATA") as nc:
            nc.createDimension("layer", 2)
            nc.createDimension("element", order)
            nc.createVariable("w", "f8", ("layer", "element"))[:] = w
    ds = sweep(folder, group=spec, model__kind=kind, model__depth=2, model__init__kind="file",
               model__init__path=files, data__kind="idx", data__path=paths[0],
               data__labels=paths[1], data__samples=n, data__digits=list(digits), data__scale=1,
               steps=1, record__steps=[0], optimizer__lr=1e-300, **keys)
    y = np.where(np.arange(n) % 2 == 0, 1, -1)
    return ds.sample_margin.values[:, 0, :].T * y[:, None], y


def shrink(image, m):
    """Means over m x m rectangles."""
    r, c = image.shape
    fine = np.repeat(np.repeat(image / 255, m, 0), m, 1)
    return fine.reshape(m, r, m, c).mean(axis=(1, 3))


def lifted(image):
    """The eight symmetries: r^k turns by k quarters, s r^k then mirrors."""
    turned = [np.rot90(image, k) for k in range(4)]
    return np.stack(turned + [np.fliplr(t) for t in turned], axis=-1)


@pytest.mark.parametrize("spec, m, shape, kind", [("C_3 x C_3", 3, (5, 4), "gcnn"),
                                                  ("C_4 x C_4", 4, (4, 4), "cnn"),
                                                  ("C_2 x C_2 x D_4", 2, (6, 6), "gcnn"),
                                                  ("p4m_3", 3, (4, 4), "gcnn"),
                                                  ("p4_2", 2, (4, 4), "cnn")])
def test_images_stand_on_the_group(spec, m, shape, kind, tmp_path):
    rng = np.random.default_rng(m)
    images = rng.integers(0, 256, size=(12, *shape))
    labels = [1, 5, 3, 5, 1, 1, 5, 0, 1, 5, 5, 1]
    paths = write_idx(tmp_path, images, labels)
    symmetries = 8 if "D_4" in spec or "p4m" in spec else 4 if "p4" in spec else 1
    order = m * m * symmetries
    x, y = samples(tmp_path, spec, order, paths, 7, kind=kind)
    want = [shrink(i, m) for i in images]
    if symmetries > 1:
        want = [lifted(i)[..., :symmetries] for i in want]
    want = np.array([w.ravel() for w in want])
    error = np.abs(x[:, None] - want).max(axis=-1)
    found = error.argmin(axis=1)
    assert error.min(axis=1).max() < 1e-13
    assert len(set(found)) == 7  # without replacement
    assert [labels[f] for f in found] == [1 if s > 0 else 5 for s in y]


def test_the_choice_of_images(tmp_path):
    """Another seed chooses others, the digits' order gives the labels, all can be used."""
    rng = np.random.default_rng(0)
    images = rng.integers(1, 256, size=(40, 2, 2))
    paths = write_idx(tmp_path, images, [7, 2] * 20)
    flat = images.reshape(40, 4) / 255

    def chosen(n, **keys):
        x, y = samples(tmp_path, "C_2 x C_2", 4, paths, n, **keys)
        return np.abs(x[:, None] - flat).max(axis=-1).argmin(axis=1), y

    a, b = chosen(10, digits=(2, 7)), chosen(10, digits=(2, 7), seed=1)
    assert (a[0][a[1] > 0] % 2 == 1).all() and (a[0][a[1] < 0] % 2 == 0).all()
    assert set(a[0]) != set(b[0])
    assert sorted(chosen(40, digits=(2, 7))[0]) == list(range(40))


@pytest.mark.parametrize("change, words", [
    ({"magic": (0x802, 0x801)}, ["data.path", "magic 0x00000803"]),
    ({"magic": (0x803, 0x803)}, ["data.labels", "magic 0x00000801"]),
    ({"cut": (1, 0)}, ["data.path", "ends before its last image"]),
    ({"cut": (0, 1)}, ["data.labels", "ends before its last label"]),
    ({"labels": [1, 5, 1, 5, 1]}, ["data.labels", "5 labels for 6 images"]),
    ({"labels": [1, 1, 1, 1, 1, 5]}, ["data.samples", "2 images of 5", "has 1"]),
    ({"group": "S_3"}, ["group", "p4m_m"]),
    ({"group": "C_4 x C_5"}, ["group", "p4m_m"]),
    ({"digits": "[1, 1]"}, ["data.digits", "two different"]),
    ({"digits": "[1]"}, ["data.digits", "two different"]),
    ({"path": "nowhere"}, ["data.path", "nowhere"]),
    ({"labels_path": "nowhere"}, ["data.labels", "nowhere"]),
])
def test_bad_files(change, words, tmp_path):
    change = dict(change)
    group, digits = change.pop("group", "C_2 x C_2"), change.pop("digits", "[1, 5]")
    path, labels_path = change.pop("path", None), change.pop("labels_path", None)
    labels = change.pop("labels", [1, 5, 1, 5, 1, 5])
    a, b = write_idx(tmp_path, np.ones((6, 4, 4)), labels, **change)
    (tmp_path / "s.yaml").write_text(
        f"group: {group}\ndata:\n  kind: idx\n  path: {path or a}\n  labels: {labels_path or b}\n"
        f"  digits: {digits}\n  samples: 4\nsteps: 1\n")
    done = pl_run.run(["run", tmp_path / "s.yaml", "-o", tmp_path / "s.nc"], code=2)
    for word in words:
        assert word in done.stderr, done.stderr


def test_a_blank_image_fails_its_run(tmp_path):
    a, b = write_idx(tmp_path, np.zeros((4, 2, 2)), [1, 5, 1, 5])
    (tmp_path / "s.yaml").write_text("group: C_2 x C_2\ndata: {kind: idx, samples: 4, "
                                     f"path: {a}, labels: {b}}}\nsteps: 1\n")
    done = pl_run.run(["run", tmp_path / "s.yaml", "-o", tmp_path / "s.nc"], code=1)
    assert "blank" in done.stderr


@pytest.mark.parametrize("keys, words", [
    ("data: {kind: teacher}", ["data.kind", "data.irreps"]),
    ("data: {kind: teacher, irreps: ['9']}", ["data.irreps", "no irrep"]),
    ("data: {kind: teacher, irreps: ['2,1'], rank: 3}", ["data.rank", "rank up to 2"]),
    ("data: {margin: 1}", ["data.margin", "teacher"]),
    ("data: {kind: idx}", ["data.kind", "data.labels"]),
])
def test_teacher_keys(keys, words, tmp_path):
    (tmp_path / "s.yaml").write_text(f"group: S_3\n{keys}\nsteps: 1\n")
    done = pl_run.run(["run", tmp_path / "s.yaml", "-o", tmp_path / "s.nc"], code=2)
    for word in words:
        assert word in done.stderr, done.stderr


def test_what_the_bias_buys(tmp_path):
    """Samples of a rank-one teacher on S_4: the G-CNN finds it, the others generalise worse; before
    training all guess.  One rank and a team of two measure the same share."""
    ds = sweep(tmp_path, group="S_4", model__kind=["gcnn", "cnn", "fc"], seed="0..2",
               data={"kind": "teacher", "irreps": ["3,1"], "samples": 40}, steps=2000,
               optimizer__lr=0.3, record__points=2)
    test = ds.test_accuracy.values.reshape(3, 3, 2)
    assert (ds.accuracy.values[:, -1] == 1).all()
    assert np.abs(test[:, :, 0] - 0.5).max() < 0.35
    assert test[0, :, 1].min() > 0.97
    assert (test[1:, :, 1] < test[0, :, 1]).all()
    (tmp_path / "t.yaml").write_text(
        "group: S_4\nmodel.kind: [gcnn, gcnn-relu]\ndata: {kind: teacher, irreps: ['3,1'], "
        "samples: 9, test: 101}\nsteps: 50\noptimizer.lr: 0.1\nrecord.points: 2\n")
    for ranks in (1, 2):
        pl_run.run(["run", tmp_path / "t.yaml", "-o", tmp_path / f"{ranks}.nc", "--quiet", "--set",
                    f"mapping.team={ranks}"], ranks)
    with netCDF4.Dataset(tmp_path / "1.nc") as a, netCDF4.Dataset(tmp_path / "2.nc") as b:
        assert (a["test_accuracy"][:] == b["test_accuracy"][:]).all()
