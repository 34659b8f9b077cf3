"""ReLU networks in minibatches, end to end: steps against numpy, the order of samples, the best
record, patience, and what a resumed run makes of all that."""

import itertools

import netCDF4
import numpy as np
import pytest

import pl_run
import reference
from test_nets import Mover, Network, write_weights
from test_reference import assert_close, sweep, text
from sessions import assert_same, in_sessions

NUM = {"train": 11, "validation": 9, "test": 7}
BATCH, EPOCHS = 4, 6
PER_EPOCH = -(-NUM["train"] // BATCH)  # the last batch of an epoch is short
STEPS = EPOCHS * PER_EPOCH
LR = 0.08


class Parts:
    """Samples in three parts that take turns in the file."""

    def __init__(self, order, seed):
        rng = np.random.default_rng(seed)
        self.split = rng.permutation(np.repeat([0, 1, 2], list(NUM.values())))
        self.x = rng.normal(size=(len(self.split), order))
        # Labels that a network can learn from one part and use on another.
        self.y = np.where(np.abs(self.x[:, 0]) + 0.3 * self.x[:, 1] > 0.6, 1, -1)

    def part(self, k):
        return self.x[self.split == k], self.y[self.split == k]

    def write(self, path):
        with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
            nc.createDimension("sample", len(self.y))
            nc.createDimension("element", self.x.shape[1])
            nc.createVariable("x", "f8", ("sample", "element"))[:] = self.x
            nc.createVariable("y", "i4", ("sample",))[:] = self.y
            nc.createVariable("split", "i4", ("sample",))[:] = self.split


def network(kind, g, x, y, seed, loss="logistic"):
    """Of depth 3."""
    rng = np.random.default_rng(seed)
    shape = (2, g.order, g.order) if kind.startswith("fc") else (2, g.order)
    w, readout = rng.normal(size=shape) / np.sqrt(g.order), rng.normal(size=g.order)
    return Network(kind, g, 1.2 * w, readout, x, y, loss, False)


def weights(net):
    return [*net.w, net.readout]


def norm(arrays):
    return np.sqrt(sum((a**2).sum() for a in arrays))


# ---- steps against numpy ----


def rate(t, schedule, warmup=5):
    """Learning rate of step t, with the growth that all runs here have."""
    lr = LR * 1.1 ** ((t + 1) // 4)
    if schedule == "cosine":
        return lr * (1 + np.cos(np.pi * t / STEPS)) / 2
    return lr * min(1, (t + 1) / warmup) if schedule == "warmup" else lr


class Trainer:
    """A batch, its gradient plus decay times the weights, clipped as a whole, and a move."""

    def __init__(self, net, optimizer, schedule, decay, clip):
        self.net, self.schedule, self.decay, self.clip = net, schedule, decay, clip
        self.mover = None if optimizer == "gd" else Mover(optimizer)
        self.lengths = []  # of the gradients, before the clip

    def step(self, t):
        net, first = self.net, t % PER_EPOCH * BATCH
        whole = net.x, net.y
        net.x, net.y = (a[first : first + BATCH] for a in whole)
        grads, readout = net.gradient()
        net.x, net.y = whole
        w = weights(net)
        g = [a + self.decay * b for a, b in zip([*grads, readout], w)]
        self.lengths.append(norm(g))
        if self.clip and self.lengths[-1] > self.clip:
            g = [a * self.clip / self.lengths[-1] for a in g]
        lr = rate(t, self.schedule)
        w = self.mover.move(w, g, lr) if self.mover else [a - lr * b for a, b in zip(w, g)]
        net.w, net.readout = w[:-1], w[-1]

    def accuracy(self, x, y):
        other = Network(self.net.relu * "relu", self.net.group, [], self.net.readout, x, y, "", False)
        other.full, other.table, other.w = self.net.full, self.net.table, self.net.w
        return (other.margins() > 0).mean()


VARIANTS = [  # optimizer, schedule, weight decay, clip
    ("gd", "constant", 0, 0),
    ("gd", "cosine", 0.05, 0.7),
    ("momentum", "warmup", 0, 0.7),
    ("momentum", "cosine", 0.05, 0),
    ("adam", "warmup", 0.05, 0.7),
]


def test_steps(tmp_path):
    g = reference.group("S_3")
    parts = Parts(g.order, 3)
    parts.write(tmp_path / "x.nc")
    keys, trainers = [], []
    for k, (kind, row) in enumerate(itertools.product(["gcnn-relu", "cnn-relu", "fc-relu"], VARIANTS)):
        optimizer, schedule, decay, clip = row
        net = network(kind, g, *parts.part(0), seed=k)
        write_weights(tmp_path / f"w{k}.nc", net)
        trainers.append(Trainer(net, *row))
        keys.append({"model.kind": kind, "model.init.path": str(tmp_path / f"w{k}.nc"),
                     "optimizer.kind": optimizer, "optimizer.schedule": schedule,
                     "optimizer.weight_decay": decay, "optimizer.clip": clip})
    zipped = {name: [row[name] for row in keys] for name in keys[0]}
    ds = sweep(tmp_path, group="S_3", zip=[list(zipped)], model__depth=3, model__init__kind="file",
               data__kind="file", data__path=str(tmp_path / "x.nc"), loss="logistic",
               optimizer__lr=LR, optimizer__growth={"factor": 1.1, "every": 4}, optimizer__warmup=5,
               train={"batch": BATCH, "shuffle": False}, epochs=EPOCHS, record__every_epoch=True,
               **zipped)
    assert (ds.status == 2).all() and (ds.steps_done == STEPS).all()
    assert ds.sizes["record"] == EPOCHS + 1 and ds.sizes["sample"] == NUM["train"]
    for r, trainer in enumerate(trainers):
        got = ds.isel(run=r)
        for t in range(STEPS + 1):
            if t % PER_EPOCH == 0:
                at = got.isel(record=t // PER_EPOCH)
                assert at.step == t
                compare(at, trainer, parts, t, f"{keys[r]} step {t}")
            if t < STEPS:
                trainer.step(t)
    # Gradients on both sides of the clip, or the test sees little.
    clipped = [np.array(t.lengths) > t.clip for t in trainers if t.clip]
    assert 0.2 < np.mean(clipped) < 0.8
    # The parts are looked at apart from each other.
    assert len(np.unique(ds.validation_accuracy)) > 3
    assert (ds.validation_accuracy != ds.accuracy).any() and (ds.test_accuracy != ds.accuracy).any()


def compare(at, trainer, parts, t, what):
    net = trainer.net
    m = net.margins()
    want = {"lr": rate(t, trainer.schedule), "log_loss": net.log_loss(), "loss": np.exp(net.log_loss()),
            "sample_margin": m, "min_margin": m.min(), "parameter_norm": norm(weights(net)),
            "accuracy": (m > 0).mean(), "validation_accuracy": trainer.accuracy(*parts.part(1)),
            "test_accuracy": trainer.accuracy(*parts.part(2))}
    for name, value in want.items():
        scale = 1 + np.abs(m).max() if "margin" in name else 1
        assert_close(at[name].values, value, scale, f"{what}: {name}", 1e-11)


# ---- the order of samples ----


def orders(tmp_path, name, epochs, **keys):
    """Which sample each step took, from margins recorded at every step of batches of one: [epoch]
    [position].  From the weights that numpy has, all steps but one lead elsewhere."""
    g = reference.group("S_3")
    x = np.random.default_rng(5).normal(size=(7, 6))
    y = np.where(np.arange(7) % 2, -1, 1)
    net = network("gcnn-relu", g, x, y, seed=1)
    if not (tmp_path / "w.nc").exists():
        write_weights(tmp_path / "w.nc", net)
        with netCDF4.Dataset(tmp_path / "x.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
            nc.createDimension("sample", 7)
            nc.createDimension("element", 6)
            nc.createVariable("x", "f8", ("sample", "element"))[:] = x
            nc.createVariable("y", "i4", ("sample",))[:] = y
    ds = sweep(tmp_path, name, group="S_3", model__kind="gcnn-relu", model__depth=3,
               model__init__kind="file", model__init__path=str(tmp_path / "w.nc"), loss="logistic",
               data__kind="file", data__path=str(tmp_path / "x.nc"), optimizer__lr=0.05,
               train__batch=1, epochs=epochs, record__steps=list(range(7 * epochs + 1)), **keys)
    out = []
    for t in range(7 * epochs):
        ends = []
        for i in range(7):
            end = Network("gcnn-relu", g, net.w, net.readout, x[i : i + 1], y[i : i + 1], "logistic", False)
            end.step(0.05, False)
            end.x, end.y = x, y
            ends.append(end)
        off = [np.abs(e.margins() - ds.sample_margin.values[0, t + 1]).max() for e in ends]
        best = int(np.argmin(off))
        assert off[best] < 1e-12 and sorted(off)[1] > 1e-6
        net = ends[best]
        out.append(best)
    return np.array(out).reshape(epochs, 7)


def test_every_epoch_visits_all_samples_in_its_own_order(tmp_path):
    a = orders(tmp_path, "a", 5, seed=1)
    assert (np.sort(a, axis=1) == np.arange(7)).all()
    assert len({tuple(row) for row in a}) == 5
    assert (orders(tmp_path, "again", 5, seed=1, data__seed=9) == a).all()
    assert (orders(tmp_path, "other", 2, seed=2) != a[:2]).any(axis=1).all()
    assert (orders(tmp_path, "plain", 2, train__shuffle=False) == np.arange(7)).all()


def test_shuffled_batches_take_another_way(tmp_path):
    """The same start; unless all samples are in one batch, other losses from then on."""
    ds = sweep(tmp_path, group="D_4", model__kind="fc-relu", model__depth=3, data__samples=10,
               optimizer__lr=0.05, epochs=4, record__every_epoch=True, train__batch=[3, 10],
               train__shuffle=[True, False])
    loss = ds.loss.values.reshape(2, 2, -1)
    for batch in range(2):
        assert loss[batch, 0, 0] == loss[batch, 1, 0]
    shuffled, plain = loss[0]
    assert (shuffled[1:13] != plain[1:13]).all() and np.isfinite(shuffled).sum() == 5
    assert loss[1, 0].tobytes() == loss[1, 1].tobytes()


# ---- the best record, and patience ----

# Labels that nothing tells, and long steps: measures go up and down.
NOISY = {"group": "S_3", "model__kind": ["gcnn-relu", "fc-relu"], "model__depth": 3, "seed": [0, 1],
         "data__samples": 24, "data__validation": 40, "data__test": 30, "loss": "logistic",
         "train__batch": 5, "optimizer__kind": "momentum", "optimizer__lr": 0.2, "epochs": 30,
         "record__every_epoch": True}


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    ds = sweep(tmp_path_factory.mktemp("noisy"), **NOISY)
    assert (ds.status == 2).all() and ds.sizes["record"] == 31
    return ds


def check_best(ds):
    for r in range(ds.sizes["run"]):
        got = ds.isel(run=r)
        k = int(np.nanargmax(got.validation_accuracy.values))  # the first of the best
        assert got.best_step == got.step[k]
        assert got.validation_best == got.validation_accuracy[k]
        assert got.test_at_best == got.test_accuracy[k]


def test_best_record(noisy):
    check_best(noisy)
    best = noisy.best_step.values
    assert (best > 0).any() and (best < noisy.steps_done.values).any()
    assert (noisy.validation_best > noisy.validation_accuracy[:, -1]).any()


@pytest.mark.parametrize("metric, column, sign", [(None, "validation_accuracy", 1), ("loss", "loss", -1),
                                                  ("min_margin", "min_margin", 1)])
def test_patience(noisy, tmp_path, metric, column, sign):
    """Where the undisturbed run says: after so many records without a better one."""
    keys = {"stop__metric": metric} if metric else {}
    early = 0
    patience = [2, 3, 6]
    ds = sweep(tmp_path, **NOISY, stop__patience=patience, **keys)
    assert ds.sizes["run"] == 12 and (ds.status == 2).all()
    check_best(ds)
    for r in range(12):
        got = ds.isel(run=r)
        whole = noisy.isel(run=int(np.flatnonzero(
            (noisy.seed.values == got.seed.values) & (np.array(text(noisy.model_kind)) == str(
                got.model_kind.astype(str).values)))[0]))
        values, best, waited, last = sign * whole[column].values, -np.inf, 0, 30
        for k, value in enumerate(values):
            waited = 0 if value > best else waited + 1
            best = max(best, value)
            if waited == got.stop_patience:
                last = k
                break
        early += last < 30
        assert got.steps_done == whole.step[last]
        assert np.isfinite(got[column].values).sum() == last + 1
        assert (got[column].values[: last + 1] == whole[column].values[: last + 1]).all()
    assert early >= 4


def test_patience_without_a_validation_part_watches_loss(tmp_path):
    keys = {**NOISY, "data__validation": 0, "stop__patience": 2}
    plain = sweep(tmp_path, "plain", **keys)
    named = sweep(tmp_path, "named", **keys, stop__metric="loss")
    assert (plain.steps_done == named.steps_done).all() and (plain.steps_done < 150).any()
    assert "best_step" not in plain


# ---- resumed ----


@pytest.mark.parametrize("ranks, epochs", [(1, 500), (2, 250)])
def test_resumed(tmp_path, ranks, epochs):
    """Stopped again and again, inside epochs and between a best record and the end of the
    patience: bitwise the undisturbed sweep."""
    path = tmp_path / "sweep.yaml"
    path.write_text(
        "group: S_4\nmodel: {kind: [gcnn-relu, fc-relu], depth: 3}\nloss: logistic\n"
        "data: {kind: teacher, irreps: ['3,1'], samples: 48, validation: 40, test: 30}\n"
        "train.batch: 5\nrecord: {every_epoch: true, irreps: false}\n"
        f"epochs: {epochs}\nstop.patience: {epochs // 2}\n"
        "zip: [[model.kind, optimizer.kind]]\noptimizer: {kind: [momentum, adam], lr: 0.01, weight_decay: 0.001, clip: 0.5,\n"
        f"  schedule: cosine}}\nmapping.team: {ranks}\n")
    whole, out = tmp_path / "whole.nc", tmp_path / "out.nc"
    pl_run.run(["run", path, "-q", "-o", whole], ranks)
    in_sessions(["run", path], out, lambda: 5 * epochs // 6 + 3, 4, (ranks,))  # of 10 in an epoch
    assert_same(out, whole)
    with netCDF4.Dataset(whole) as f:
        done = f["steps_done"][:]
    assert (done < 10 * epochs).any(), "patience should end some run"
