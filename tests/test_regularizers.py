"""Regularisers on groups, from outside: the recorded numbers against the operators over the group,
and the rank that they leave."""

import itertools

import netCDF4
import numpy as np

import pl_run

PERMS = list(itertools.permutations(range(3)))
INDEX = {p: i for i, p in enumerate(PERMS)}


def operator(w):
    """(W x)(g) = sum_h w(h) x(gh) on S_3."""
    out = np.zeros((6, 6))
    for g, s in enumerate(PERMS):
        for h, t in enumerate(PERMS):
            out[g, INDEX[tuple(s[t[i]] for i in range(3))]] += w[h]
    return out


def gini(w):
    n = len(w)
    return np.abs(w[:, None] - w).sum() / (2 * (n * n - n) * np.abs(w).mean())


def sweep(tmp_path, text, **options):
    pl_run.run(["run", "-", "-q", "-o", tmp_path / "o.nc"], stdin=text, **options)
    return netCDF4.Dataset(tmp_path / "o.nc")


def test_records_are_those_of_the_operators(tmp_path):
    data = sweep(tmp_path, """
        group: S_3
        model: {depth: 3, channels: 2}
        data.samples: 4
        regularizer: {bro: 0.02, gini: 1, gini_power: 2, layer: all}
        optimizer.lr: 0.01
        steps: 40
        record.final: true""")
    path, = (tmp_path / "o.nc.final").iterdir()
    with netCDF4.Dataset(path) as weights:
        w = weights["w"][:].data
    assert w.shape == (6, 6)  # w1_1, w1_2, w2_1, ..
    grams = [sum(operator(w[2 * layer + k]) @ operator(w[2 * layer + k]).T for k in range(2))
             for layer in range(3)]
    bro = sum(np.sum((gram - np.eye(6)) ** 2) for gram in grams)
    inequality = np.mean([gini(row) for row in w[4:]])
    at = {name: data[name][0, -1] for name in ["loss", "task_loss", "bro", "gini"]}
    assert np.isclose(at["bro"], bro, rtol=1e-12)
    assert np.isclose(at["gini"], inequality, rtol=1e-12)
    assert np.isclose(at["loss"], (at["task_loss"] + 0.01 * bro) / inequality**2, rtol=1e-12)


def test_a_bank_is_a_sum_of_paths(tmp_path):
    """f(x) of the saved filters: convolutions one after the other, added over the paths."""
    data = sweep(tmp_path, """
        group: S_3
        model: {depth: 3, channels: 3}
        data.samples: 3
        record: {final: true, beta: true}
        steps: 20""")
    path, = (tmp_path / "o.nc.final").iterdir()
    with netCDF4.Dataset(path) as weights:
        w = weights["w"][:].data
    rows = [w[6 + k] @ operator(w[3 + k]) @ operator(w[k]) for k in range(3)]
    assert np.allclose(sum(rows), data["beta"][0, -1], rtol=1e-12, atol=1e-14)


def test_the_rank_grows_with_the_weight(tmp_path):
    data = sweep(tmp_path, """
        group: S_4
        model: {depth: [2, 3], init.scale: 0.3}
        data.samples: 8
        regularizer: {bro: [0, 1.0e-5, 1.0e-3, 0.1], layer: all}
        optimizer.lr: 0.02
        steps: 20000
        record.points: 5""")
    rank = data["fourier_rank"][:, -1].reshape(2, 4)
    assert np.all(np.diff(rank, axis=1) >= 0)
    assert np.all(rank[:, 0] < 20) and np.all(rank[:, -1] == 24)
    assert np.all(np.diff(data["schatten_thresholded"][:, -1].reshape(2, 4), axis=1) > 0)


def test_what_does_not_fit_is_refused(tmp_path):
    bad = [("{group: S_3, regularizer: {bro: 1, p: 1}}", "regularizer.p"),
           ("{group: S_6, band.codepth: 1, regularizer.gini: 1}", "regularizer.gini"),
           ("{group: S_3, regularizer.layer: second}", "regularizer.layer"),
           ("{group: S_3, model.kind: cnn, regularizer.bro: 1}", "regularizer.bro")]
    for text, key in bad:
        done = pl_run.run(["run", "-", "-o", tmp_path / "o.nc"], stdin=text, code=2)
        assert key in done.stderr
    assert not (tmp_path / "o.nc").exists()
