"""Networks over the elements of a group against numpy: trajectories, linearisations, limits."""

import itertools

import netCDF4
import numpy as np
import pytest

import pl_run
import reference
from test_reference import assert_close, sweep, write_data

KINDS = ["cnn", "fc", "gcnn-relu", "cnn-relu", "fc-relu"]
STEPS, RECORD = 120, [0, 1, 5, 20, 60, 120]


class Network:
    """Layers written out: a matrix for each hidden layer, ReLU or not, and a read-out."""

    def __init__(self, kind, g, w, readout, x, y, loss, pooling):
        self.relu, self.full, self.group = kind.endswith("relu"), kind.startswith("fc"), g
        self.w, self.readout = [v.copy() for v in w], readout.copy()
        self.x, self.y, self.loss, self.pooling = x, y, loss, pooling
        own = g if kind.startswith("gcnn") else reference.cyclic(g.order)
        self.table = own.table

    def matrix(self, w):
        """(W x)(g) = sum_h w(h) x(gh)."""
        if self.full:
            return w
        m = np.zeros((self.group.order,) * 2)
        np.put_along_axis(m, self.table, np.broadcast_to(w, m.shape), axis=1)
        return m

    def last(self):
        n = self.group.order
        return np.full(n, self.readout[0] / n) if self.pooling else self.readout

    def run(self):
        """Activations before and after each ReLU, and the outputs."""
        z, inputs, masks = self.x, [], []
        for w in self.w:
            inputs.append(z)
            z = z @ self.matrix(w).T
            masks.append(z > 0 if self.relu else np.ones_like(z))
            z = z * masks[-1]
        return inputs, masks, z, z @ self.last()

    def margins(self):
        return self.y * self.run()[3]

    def log_loss(self):
        m = self.margins()
        terms = -m if self.loss == "exponential" else np.log(np.logaddexp(0, -m))
        return np.logaddexp.reduce(terms) - np.log(len(m))

    def gradient(self):
        inputs, masks, z, f = self.run()
        m = self.y * f
        slope = -np.exp(-m) if self.loss == "exponential" else -1 / (1 + np.exp(m))
        out = slope * self.y / len(m)
        readout = out @ z
        readout = np.array([readout.mean()]) if self.pooling else readout
        d, grads = np.outer(out, self.last()), []
        for w, x, mask in zip(self.w[::-1], inputs[::-1], masks[::-1]):
            d = d * mask
            g = d.T @ x
            if not self.full:
                g = np.take_along_axis(g, self.table, axis=1).sum(axis=0)
            grads.insert(0, g)
            d = d @ self.matrix(w)
        return grads, readout

    def linearisations(self):
        _, masks, _, _ = self.run()
        d = np.broadcast_to(self.last(), self.x.shape)
        for w, mask in zip(self.w[::-1], masks[::-1]):
            d = (d * mask) @ self.matrix(w)
        return d if self.relu else d[:1]

    def step(self, lr, ngd):
        grads, readout = self.gradient()
        if ngd:
            lr = lr / np.sqrt(sum((g**2).sum() for g in grads) + (readout**2).sum())
        self.w = [w - lr * g for w, g in zip(self.w, grads)]
        self.readout = self.readout - lr * readout

    def record(self):
        L = len(self.w) + 1
        p, m = 2 / L, self.margins()
        betas = [b for b in self.linearisations() if b.any()]
        norm = np.array([np.linalg.norm(b) for b in betas])
        sigma = [np.linalg.svd(self.group.matrix(b / np.linalg.norm(b)), compute_uv=False)
                 for b in betas]
        schatten = np.array([(s**p).sum() ** (1 / p) for s in sigma])
        real = np.array([(np.abs(b / np.linalg.norm(b)) ** p).sum() ** (1 / p) for b in betas])
        parameters = sum((w**2).sum() for w in self.w) + (self.readout**2).sum()
        row = {"log_loss": self.log_loss(), "min_margin": m.min(), "sample_margin": m,
               "beta_norm": norm.mean(), "schatten": schatten.mean(), "schatten_real": real.mean(),
               "parameter_norm": np.sqrt(parameters), "beta": np.mean(betas, axis=0),
               "accuracy": (m > 0).mean(), "normalized_margin": (m.min() / norm / schatten).mean(),
               "schatten_at": np.mean([s.sum() for s in sigma])}
        if self.relu:
            row |= {"schatten_spread": schatten.std(), "schatten_real_spread": real.std(),
                    "beta_norm_spread": norm.std(), "live_samples": len(betas)}
        elif not self.pooling:
            least = L * norm[0] ** p
            if not self.full:
                least = L / self.group.order * (np.abs(np.fft.fft(betas[0])) ** p).sum()
            row["tightness"] = least / parameters
        return row


def write_weights(path, net):
    n, hidden = net.group.order, len(net.w)
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.createDimension("element", n)
        nc.createDimension("layer", hidden if net.full else hidden + 1)
        last = np.zeros(n)
        last[: len(net.readout)] = net.readout
        if net.full:
            nc.createDimension("row", n)
            nc.createVariable("w", "f8", ("layer", "row", "element"))[:] = net.w
            nc.createVariable("readout", "f8", ("element",))[:] = last
        else:
            nc.createVariable("w", "f8", ("layer", "element"))[:] = [*net.w, last]


def read_weights(path, full):
    with netCDF4.Dataset(path) as nc:
        w = nc["w"][:].data
        return (w, nc["readout"][:].data) if full else (w[:-1], w[-1])


@pytest.mark.parametrize("spec", ["C_6", "D_4", "S_3", "Q_8"])
def test_trajectory(spec, tmp_path):
    g = reference.group(spec)
    rng = np.random.default_rng(g.order)
    variants = [(2, "exponential", "gd", False), (3, "logistic", "gd", False),
                (4, "exponential", "ngd", False), (3, "exponential", "gd", True)]
    nets, keys = [], []
    for k, (kind, (depth, loss, optimizer, pooling)) in enumerate(itertools.product(KINDS, variants)):
        full = kind.startswith("fc")
        shape = (depth - 1, g.order, g.order) if full else (depth - 1, g.order)
        w = rng.normal(size=shape) * 1.5 / np.sqrt(g.order)
        readout = rng.normal(size=1 if pooling else g.order) * (1.5 if pooling else 0.7)
        x, y = rng.normal(size=(4, g.order)), rng.choice([-1, 1], size=4)
        net = Network(kind, g, w, readout, x, y, loss, pooling)
        write_weights(tmp_path / f"w{k}.nc", net)
        write_data(tmp_path / f"x{k}.nc", g, x, y)
        nets.append((net, 0.01, optimizer == "ngd"))
        keys.append({"model.kind": kind, "model.depth": depth, "loss": loss,
                     "optimizer.kind": optimizer, "model.pooling": "mean" if pooling else "none",
                     "model.init.path": str(tmp_path / f"w{k}.nc"),
                     "data.path": str(tmp_path / f"x{k}.nc")})
    zipped = {k: [row[k] for row in keys] for k in keys[0]}
    ds = sweep(tmp_path, group=spec, zip=[list(zipped)], steps=STEPS, model__init__kind="file",
               data__kind="file", optimizer__lr=0.01, record__beta=True, record__final=True,
               record__steps=RECORD, **zipped)
    assert (ds.status == 2).all()
    for r, (net, lr, ngd) in enumerate(nets):
        got, start = ds.isel(run=r), net.log_loss()
        for t in range(STEPS + 1):
            if t in RECORD:
                compare(got.isel(record=RECORD.index(t)), net.record(), f"{keys[r]} step {t}")
            if t < STEPS:
                net.step(lr, ngd)
        assert net.log_loss() < start - 0.003
        w, readout = read_weights(tmp_path / "sweep.nc.final" / f"run-{r:06d}.nc", net.full)
        assert_close(w, np.array(net.w), 1, "final weights")
        assert_close(readout[: len(net.readout)], net.readout, 1, "final read-out")


def compare(got, want, what):
    margins = np.abs(want["sample_margin"]).max() + want["beta_norm"]
    scale = {"log_loss": 1 + abs(want["log_loss"]), "min_margin": margins, "accuracy": 1,
             "sample_margin": margins, "beta": want["beta_norm"],
             "normalized_margin": margins / want["beta_norm"]}
    for name, value in want.items():
        have = got[name].values
        have = have[0] if name == "schatten_at" else have
        size = scale.get(name, np.abs(value) + want.get(name.replace("_spread", ""), 0))
        assert_close(have, value, size, f"{what}: {name}", 1e-8)
    if "tightness" in want:
        assert want["tightness"] <= 1 + 1e-12


def test_same_data_and_filters_for_every_network(tmp_path):
    """At the same seed the architectures see the same samples, and start from the same filters."""
    ds = sweep(tmp_path, group="D_4", model__kind=["gcnn", *KINDS], model__depth=2, seed=3,
               optimizer__lr=1e-300, steps=1, record__steps=[0], record__final=True,
               data__scale=1, model__init__kind="uniform")
    files = [tmp_path / "sweep.nc.final" / f"run-{r:06d}.nc" for r in range(6)]
    filters = {kind: read_weights(f, kind.startswith("fc"))
               for kind, f in zip(["gcnn", *KINDS], files)}
    for kind in ("cnn", "gcnn-relu", "cnn-relu"):
        assert_close(filters[kind][0], filters["gcnn"][0], 1, kind, 1e-13)
    for kind in KINDS:
        assert_close(filters[kind][1], filters["gcnn"][1], 1, kind, 1e-13)
    # f(x) = <x, beta>, so equal read-out and data show in fc through its own matrix.
    assert np.isfinite(ds.sample_margin.values).all()
    w, readout = filters["fc"]
    assert 0.3 < np.sqrt((w**2).mean() * 8) < 1.7
    assert np.abs(w).max() <= np.sqrt(3 / 8) + 1e-12


def test_a_network_without_a_live_path_is_recorded(tmp_path):
    """All ReLUs closed: no gradient, no linearisation, the loss of f = 0; and one of two closed."""
    g = reference.group("C_6")
    w, x = -np.ones((2, 6)), np.vstack([np.ones(6), -np.ones(6)])
    for name, samples in (("dead", x[:1]), ("half", x)):
        net = Network("gcnn-relu", g, w[:1], w[1], samples, [1], "exponential", False)
        write_weights(tmp_path / "w.nc", net)
        write_data(tmp_path / "x.nc", g, samples, [1, -1][: len(samples)])
        ds = sweep(tmp_path, name, group="C_6", model__kind="gcnn-relu", model__depth=2,
                   model__init__kind="file", model__init__path=str(tmp_path / "w.nc"),
                   data__kind="file", data__path=str(tmp_path / "x.nc"), steps=1,
                   optimizer__lr=1e-300, record__steps=[0])
        got = ds.isel(run=0, record=0)
        assert got.live_samples == len(samples) - 1
        if name == "dead":
            assert_close(got.loss.values, 1, 1, "loss")
            assert np.isnan(got.schatten.values)
        else:
            assert_close(got.schatten.values, 6 / np.sqrt(6), 1, "schatten")  # beta constant
            assert_close(got.schatten_spread.values, 0, 1, "spread")


# ---- optimisers and checkpoints ----


class Mover:
    """Optimisers with memory, as the header of optim.h writes them."""

    def __init__(self, kind):
        self.kind, self.u, self.v, self.t = kind, None, None, 0

    def move(self, w, g, lr):
        if self.u is None:
            self.u, self.v = [0 * a for a in w], [0 * a for a in w]
        self.t += 1
        out = []
        for k, (a, b) in enumerate(zip(w, g)):
            if self.kind in ("momentum", "muon"):
                self.u[k] = 0.9 * self.u[k] + b
                step = self.u[k]
                if self.kind == "muon":
                    x, _, y = np.linalg.svd(np.atleast_2d(step), full_matrices=False)
                    step = (x @ y).reshape(a.shape)
            else:
                decay = {"adagrad": (1, 1), "rmsprop": (0.999, 0.001), "adam": (0.999, 0.001)}
                keep, add = decay[self.kind]
                self.v[k] = keep * self.v[k] + add * b**2
                step, v = b, self.v[k]
                if self.kind == "adam":
                    self.u[k] = 0.9 * self.u[k] + 0.1 * b
                    step, v = self.u[k] / (1 - 0.9**self.t), v / (1 - 0.999**self.t)
                step = step / np.sqrt(1e-8 + v)
            out.append(a - lr * step)
        return out


def test_optimisers(tmp_path):
    g, rng = reference.group("S_3"), np.random.default_rng(2)
    # With ReLUs and many samples the gradients of matrices have full rank, their polar factors are
    # well conditioned.
    kinds, optimizers = ["cnn", "fc-relu", "gcnn-relu"], ["momentum", "adagrad", "rmsprop", "adam", "muon"]
    x, y = rng.normal(size=(16, 6)) / 2, rng.choice([-1, 1], size=16)
    write_data(tmp_path / "x.nc", g, x, y)
    nets = {}
    for kind in kinds:
        w = rng.normal(size=(2, 6, 6) if kind == "fc-relu" else (2, 6)) / 2
        nets[kind] = Network(kind, g, w, rng.normal(size=6), x, y, "exponential", False)
        write_weights(tmp_path / f"{kind}.nc", nets[kind])
    ds = sweep(tmp_path, group="S_3", zip=[["model.kind", "model.init.path"]], model__kind=kinds,
               model__init__kind="file", model__init__path=[str(tmp_path / f"{k}.nc") for k in kinds],
               data__kind="file", data__path=str(tmp_path / "x.nc"), optimizer__kind=optimizers,
               optimizer__lr=0.005, optimizer__beta1=0.9, optimizer__beta2=0.999,
               optimizer__momentum=0.9, optimizer__epsilon=1e-8, steps=60, record__steps=[60],
               record__beta=True)
    for r, (kind, optimizer) in enumerate(itertools.product(kinds, optimizers)):
        start = nets[kind]
        end = Network(kind, g, start.w, start.readout, x, y, "exponential", False)
        w, mover = [*start.w, start.readout], Mover(optimizer)
        for _ in range(60):
            grads, readout = end.gradient()
            w = mover.move(w, [*grads, readout], 0.005)
            end.w, end.readout = w[:-1], w[-1]
        got = ds.isel(run=r, record=0)
        what = f"{kind} {optimizer}"
        assert_close(got.log_loss.values, end.log_loss(), 1, what, 1e-8)
        beta = end.record()["beta"]
        assert_close(got.beta.values, beta, np.linalg.norm(beta), what, 1e-8)


@pytest.mark.parametrize("ranks, steps", [(1, 6000), (2, 1500)])
def test_resume(ranks, steps, tmp_path):
    """Stopped after some records and resumed: bitwise the undisturbed sweep."""
    from sessions import assert_same, in_sessions

    path, out = tmp_path / "s.yaml", tmp_path / "a.nc"
    path.write_text(f"group: D_4\nmodel.kind: [fc, gcnn-relu, cnn]\nsteps: {steps}\n"
                    "optimizer: {kind: adam, lr: 0.0001}\nrecord: {points: 20, schedule: linear}\n"
                    f"mapping.team: {ranks}\n")
    pl_run.run(["run", path, "-o", tmp_path / "b.nc", "--quiet"], ranks)
    in_sessions(["run", path], out, lambda: 3 * steps // 7, 6, (ranks,))
    assert_same(out, tmp_path / "b.nc")


# ---- limits ----


def golden(f, lo=0.0, hi=1.0):
    """The least value of a convex function on an interval."""
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(90):
        a, b = hi - ratio * (hi - lo), lo + ratio * (hi - lo)
        lo, hi = (lo, b) if f(a) < f(b) else (a, hi)
    return f((lo + hi) / 2)


def dual(x, y, norm):
    """min over a >= 0, sum a = 1 of the dual norm of sum a_i y_i x_i, three samples: the largest
    margin of any beta of norm 1."""
    z = x * np.array(y)[:, None]
    return golden(lambda s: golden(lambda t: norm(s * z[0] + (1 - s) * (t * z[1] + (1 - t) * z[2]))))


@pytest.mark.parametrize("kind", ["fc", "cnn"])
def test_limit_of_a_linear_network(kind, tmp_path):
    """fc ends at the l_2 max-margin direction; cnn of depth 2 at the least sum of moduli in the
    cyclic Fourier basis, sum_k |b_k|, whose dual norm is max_k |X_k| / n."""
    g = reference.group("S_3")
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(3, 6)), [1, -1, 1]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    write_data(tmp_path / "x.nc", g, x, y)
    ds = sweep(tmp_path, group="S_3", model__kind=kind, model__depth=[2, 3] if kind == "fc" else 2,
               data__kind="file", data__path=str(tmp_path / "x.nc"), record__beta=True,
               optimizer__kind="ngd", optimizer__lr=0.01, steps=30000, record__points=2,
               model__init__scale=0.3)
    for run in range(ds.sizes["run"]):
        got = ds.isel(run=run, record=-1)
        beta, margin = got.beta.values, (x @ got.beta.values * y).min()
        if kind == "fc":
            best, norm = dual(x, y, np.linalg.norm), np.linalg.norm(beta)
        else:
            best = dual(x, y, lambda v: np.abs(np.fft.fft(v)).max() / 6)
            norm = np.abs(np.fft.fft(beta)).sum()
        assert margin / norm <= best * (1 + 1e-9)
        assert margin / norm > 0.99 * best
        assert 0.98 < got.tightness <= 1 + 1e-9


# ---- refusals ----


@pytest.mark.parametrize("keys, words", [
    ("group: S_8\nmodel.kind: fc\n", ["model.kind", "40320", "GB", "10000"]),
    ("group: D_4\nmodel.pooling: mean\n", ["model.pooling", "gcnn-relu"]),
    ("group: D_4\nmodel.kind: fc\noptimizer: {kind: adam, domain: fourier}\n", ["optimizer.domain", "gcnn"]),
    ("group: D_4\nmodel.kind: cnn-tanh\n", ["gcnn-relu", "fc"]),
])
def test_refusals(keys, words, tmp_path):
    (tmp_path / "s.yaml").write_text(keys)
    done = pl_run.run(["run", tmp_path / "s.yaml", "-o", tmp_path / "s.nc"], code=2)
    for word in words:
        assert word in done.stderr
    assert not (tmp_path / "s.nc").exists()


def test_a_team_shares_the_samples(tmp_path):
    for ranks in (1, 3):
        (tmp_path / "s.yaml").write_text(
            "group: S_3\nmodel.kind: [cnn, gcnn-relu, fc-relu]\ndata.samples: 5\nsteps: 50\n"
            f"optimizer.lr: 0.1\nrecord.points: 4\nmapping.team: {ranks}\n")
        pl_run.run(["run", tmp_path / "s.yaml", "-o", tmp_path / f"{ranks}.nc", "--quiet"], ranks)
    with netCDF4.Dataset(tmp_path / "1.nc") as a, netCDF4.Dataset(tmp_path / "3.nc") as b:
        for name in ("log_loss", "schatten", "schatten_spread", "sample_margin"):
            np.testing.assert_allclose(b[name][:].filled(0), a[name][:].filled(0), rtol=1e-10,
                                       atol=1e-12)
