"""Certificates, the convex problem of depth 2 and the optimisers, against numpy over the group."""

import itertools

import numpy as np
import pytest
import xarray
import yaml

import certificates
import pl_run
import reference
from test_reference import assert_close, sweep, text, write_data, write_filters

RECENCY = (1, 4, 16, 64)
# The smallest of the groups with irreps of each type.
GROUPS = ["S_3", "D_4", "C_6", "Q_8"]


def instance(spec, folder, depth, samples, seed=0):
    """Random filters and data in files: the group, the network, and the keys that read them."""
    g, rng = reference.group(spec), np.random.default_rng(seed)
    w = rng.normal(size=(depth, g.order)) / np.sqrt(g.order)
    x = rng.normal(size=(samples, g.order))
    y = np.where(np.arange(samples) % 2, -1, 1)
    write_filters(folder / "w.nc", g, w)
    write_data(folder / "x.nc", g, x, y)
    keys = {"group": spec, "model__depth": depth, "model__init__kind": "file",
            "model__init__path": str(folder / "w.nc"), "data__kind": "file",
            "data__path": str(folder / "x.nc")}
    return g, reference.Network(g, w, x, y), keys


# ---- optimisers ----


def coordinates(g, domain):
    """An orthonormal basis of functions over G, as columns: the elements, or for a cyclic group the
    real and imaginary parts of the Fourier transform, 1/sqrt(|G|) or, for pairs, sqrt(2/|G|)."""
    if domain == "group":
        return np.eye(g.order)
    n, k = g.order, np.arange(g.order // 2 + 1)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(n), k) / n)
    single = (k == 0) | (2 * k == n)
    waves *= np.where(single, np.sqrt(1 / n), np.sqrt(2 / n))
    return np.concatenate([waves.real, waves.imag[:, ~single]], axis=1)


class Optimiser:
    """Steps over the group, filter values as coordinates; see include/model/optim.h."""

    def __init__(self, net, kind, lr, domain="group", granularity="coordinate", epsilon=1e-8,
                 epsilon_inside=True, beta1=0.9, beta2=0.999, momentum=0.9, freeze_loss=0):
        self.net, self.kind, self.lr, self.granularity = net, kind, lr, granularity
        self.epsilon, self.inside, self.freeze_loss = epsilon, epsilon_inside, freeze_loss
        self.beta1, self.beta2, self.momentum = beta1, beta2, momentum
        self.basis = coordinates(net.group, domain)
        if granularity != "coordinate":
            self.basis = np.concatenate(net.group.isotypic(), axis=1)
        self.u, self.v = np.zeros_like(net.w), np.zeros_like(net.w)
        self.t = 0

    def squares(self, g):
        """g^2 in coordinates, or its mean over numbers stored (of a quaternionic irrep, each real
        coordinate twice)."""
        out = (g @ self.basis) ** 2
        if self.granularity == "coordinate":
            return out
        dims = [q.shape[1] for q in self.net.group.isotypic()]
        stored = [2 * d if self.net.group.spec == "Q_8" and d == 4 else d for d in dims]
        if self.granularity == "scalar":
            return np.full_like(out, out.sum() / (sum(stored) * len(g)))
        sums = np.add.reduceat(out, np.cumsum([0, *dims[:-1]]), axis=1)
        return np.repeat(sums / stored, dims, axis=1)

    def conditioned(self, g, bias=1):
        v = self.v / bias
        h = 1 / np.sqrt(self.epsilon + v) if self.inside else 1 / (np.sqrt(v) + self.epsilon)
        return (h * (g @ self.basis)) @ self.basis.T

    def polar(self, u):
        """Filter by filter: the polar factor of convolution by it is a convolution."""
        out = []
        for a in u:
            left, _, right = np.linalg.svd(self.net.group.matrix(a))
            out.append((left @ right)[:, 0])
        return np.array(out)

    def step(self):
        g, net = self.net.gradient(), self.net
        self.t += 1
        late = self.net.log_loss() < np.log(self.freeze_loss) if self.freeze_loss else False
        bias = 1 - self.beta2**self.t if self.kind == "adam" else 1
        if self.kind == "muon":
            self.u = self.momentum * self.u + g
            move = self.polar(g if late else self.u)
        elif late:
            move = self.conditioned(g, bias) if self.kind in ("adagrad", "rmsprop", "adam") else g
            move = move / np.linalg.norm(move)
        elif self.kind == "momentum":
            self.u = self.momentum * self.u + g
            move = self.u
        elif self.kind == "adagrad":
            self.v = self.v + self.squares(g)
            move = self.conditioned(g)
        elif self.kind == "rmsprop":
            self.v = self.beta2 * self.v + (1 - self.beta2) * self.squares(g)
            move = self.conditioned(g)
        else:
            self.v = self.beta2 * self.v + (1 - self.beta2) * self.squares(g)
            self.u = self.beta1 * self.u + (1 - self.beta1) * g
            # u is linear in g, so conditioning commutes with the change of basis.
            move = self.conditioned(self.u / (1 - self.beta1**self.t), bias)
        net.w = net.w - self.lr * move


OPTIMISERS = [
    {"kind": "momentum", "lr": 0.02, "momentum": 0.8},
    {"kind": "momentum", "lr": 0.02, "freeze_loss": 0.8},
    {"kind": "adagrad", "lr": 0.05, "epsilon": 1e-3},
    {"kind": "adagrad", "lr": 0.05, "granularity": "irrep"},
    {"kind": "adagrad", "lr": 0.1, "granularity": "scalar", "freeze_loss": 0.9},
    {"kind": "rmsprop", "lr": 0.01, "beta2": 0.9, "epsilon_inside": False, "epsilon": 1e-4},
    {"kind": "rmsprop", "lr": 0.01, "granularity": "irrep", "epsilon": 1e-2, "freeze_loss": 0.8},
    {"kind": "adam", "lr": 0.02, "epsilon": 1e-4},
    {"kind": "adam", "lr": 0.02, "beta1": 0.0, "freeze_loss": 0.8, "epsilon": 1e-3},
    {"kind": "muon", "lr": 0.02, "momentum": 0.7},
    {"kind": "muon", "lr": 0.04, "freeze_loss": 0.8},
]


@pytest.mark.parametrize("spec", GROUPS)
@pytest.mark.parametrize("depth", [2, 3])
def test_optimisers(spec, depth, tmp_path):
    cases = list(OPTIMISERS)
    if spec == "C_6":
        cases += [{"kind": k, "lr": 0.05, "domain": "fourier", "epsilon": 1e-3}
                  for k in ("adagrad", "rmsprop", "adam")]
    _, _, keys = instance(spec, tmp_path, depth, 3)
    defaults = {"granularity": "coordinate", "domain": "group", "epsilon": 1e-8, "momentum": 0.9,
                "epsilon_inside": True, "beta1": 0.9, "beta2": 0.999, "freeze_loss": 0}
    zipped = {f"optimizer.{k}": [c.get(k, defaults.get(k)) for c in cases]
              for k in ("kind", "lr", *defaults)}
    ds = sweep(tmp_path, **keys, steps=40, record__steps=[0, 1, 5, 40], record__beta=True,
               zip=[list(zipped)], **zipped)
    assert ds.status.values.tolist() == [2] * len(cases)
    for r, case in enumerate(cases):
        _, net, _ = instance(spec, tmp_path, depth, 3)
        optimiser, start, want = Optimiser(net, **case), net.beta(), []
        for t in range(41):
            if t in (0, 1, 5, 40):
                want.append(net.beta())
            optimiser.step()
        got = ds.beta.values[r]
        assert np.linalg.norm(got[-1] - start) > 0.1 * np.linalg.norm(start), case
        # Equal squares of numbers near zero are told apart by sign-like steps.
        assert_close(got, np.array(want), np.abs(want).max(), f"{case}", 1e-7)
        if case.get("freeze_loss"):
            assert ds.loss.values[r, -1] < case["freeze_loss"], f"{case}: never late"


# ---- certificates ----


def dual_value(net, a):
    """D(a) = the spectral norm of convolution by sum a_i y_i x_i, over |G|."""
    f = (a * net.y) @ net.x / a.sum()
    return np.linalg.norm(net.group.matrix(f), 2) / net.group.order


def sample_gradients(net):
    """d (y_i f(x_i)) / d w, [sample, layer * element]."""
    z, v = net.activations(), net.backward()
    out = []
    for i in range(len(net.y)):
        hidden = [v[k + 1] @ z[k][i][net.group.table] for k in range(net.depth - 1)]
        out.append(net.y[i] * np.concatenate([*hidden, z[-1][i]]))
    return np.array(out)


def nnls(G, w):
    """Nearest point of the cone of the rows of G to w, trying all faces."""
    best, answer = np.linalg.norm(w), np.zeros(len(G))
    for k in range(1, len(G) + 1):
        for face in itertools.combinations(range(len(G)), k):
            a = np.linalg.lstsq(G[list(face)].T, w, rcond=None)[0]
            left = np.linalg.norm(w - a @ G[list(face)])
            if (a >= 0).all() and left < best:
                best, answer = left, np.zeros(len(G))
                answer[list(face)] = a
    return answer


def kkt(net):
    m = net.margins()
    if m.min() <= 0:
        return None
    active = np.flatnonzero(m <= 1.01 * m.min())
    w = net.w.ravel()
    G = sample_gradients(net)[active]
    a = nnls(G, w)
    p, order = 2 / net.depth, net.group.order
    multipliers = np.zeros(len(m))
    multipliers[active] = a
    u, s, vh = np.linalg.svd(net.group.matrix(net.beta()))
    r = (s > 1e-3 * s[0]).sum()
    z = u.T @ net.group.matrix((multipliers * net.y) @ net.x) @ vh.T
    power = s[:r] ** (0.5 - p / 4)
    inner, target = power[:, None] * z[:r, :r] * power, np.diag(s[:r] ** (p / 2))
    c = (inner * target).sum() / (target**2).sum()
    out = {"kkt_residual": np.linalg.norm(w - a @ G) / np.linalg.norm(w),
           "kkt_slack": (a * (m[active] / m.min() - 1)).sum() / a.sum(),
           "schatten_stationarity": np.linalg.norm(inner - c * target) / np.linalg.norm(c * target)}
    if net.depth == 2:
        outside = np.linalg.norm(z[r:, r:], 2) if r < order else 0
        out["schatten_excess"] = max(0, outside / c - 1)
    return out, multipliers


@pytest.mark.parametrize("spec", GROUPS)
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_certificates(spec, depth, tmp_path):
    g, net, keys = instance(spec, tmp_path, depth, 3, seed=2)
    # Scaled such that at the start all margins are 1: then the conditions speak of all samples.
    net.x /= net.margins()[:, None]
    write_data(tmp_path / "x.nc", g, net.x, net.y)
    at = [0, 1, 7, 60, 200]
    ds = sweep(tmp_path, **keys, steps=at[-1], record__steps=at, record__kkt=True,
               record__beta=True, record__spectrum=True, optimizer__kind="ngd",
               optimizer__lr=0.002).isel(run=0)
    averages, best, finite = [np.zeros(3) for _ in RECENCY], np.inf, 0
    least = optimum(tmp_path, "least", **keys).optimum.values[0]
    for t in range(at[-1] + 1):
        m = net.margins()
        a = np.exp(m.min() - m)
        if t in at:
            got = ds.isel(record=at.index(t))
            norm, beta = np.linalg.norm(net.w), net.beta()
            s = np.linalg.svd(g.matrix(beta), compute_uv=False)
            candidates = [a, *averages] if t else [a]
            want = {"l2_margin": m.min() / norm**depth,
                    "linf_margin": m.min() / np.abs(net.w).max() ** depth,
                    "fourier_rank": (s > 1e-3 * s[0]).sum(),
                    "support": (np.abs(beta) > 1e-3 * np.abs(beta).max()).sum()}
            want["uncertainty_product"] = want["fourier_rank"] * want["support"]
            conditions = kkt(net)
            if conditions:
                want |= conditions[0]
                candidates.append(conditions[1])
                finite += 1
            else:
                assert np.isnan(got.kkt_residual)
            if depth == 2:
                # Never worse than any of the candidates; how good: tests/certificates.py.
                best = min(best, *(dual_value(net, c) for c in candidates if c.sum() > 0))
                assert least * (1 - 1e-9) <= got.dual_bound <= best * (1 + 1e-9)
                want["optimality_gap"] = 1 - m.min() / s.sum() / got.dual_bound.values
            else:
                assert np.isnan(got.dual_bound)
            for name, value in want.items():
                # Square roots of differences: half of the digits.
                loose = name.startswith(("kkt", "schatten"))
                assert_close(got[name].values, value, max(1, abs(value)), f"{t}: {name}",
                             1e-6 if loose else 1e-8)
            check_irreps(g, got, beta)
        share = a / a.sum()
        averages = [v + c / (c + t) * (share - v) for c, v in zip(RECENCY, averages)]
        net.step(t, 0.002, kind="ngd")
    assert finite == len(at)


def check_irreps(g, got, beta):
    """Ranks from the singular values; signs of the first irrep, which is trivial."""
    start = 0
    for i, d in enumerate(got.irrep_dim.values.astype(int)):
        s = got.singular_values.values[start:start + d]
        start += d
        q = s / s.sum()
        assert_close(got.irrep_stable_rank.values[i], (s**2).sum() / s[0] ** 2, 1, "stable rank")
        entropy = -(q[q > 0] * np.log(q[q > 0])).sum()
        assert_close(got.irrep_entropy_rank.values[i], np.exp(entropy), 1, "entropy rank")
    real = (got.irrep_dim.values == 1) & (np.array(text(got.irrep_type)) == "real")
    assert (np.isnan(got.orientation.values) == ~real).all()
    assert got.orientation.values[0] == np.sign(beta.sum())


def test_certificates_are_tight(tmp_path):
    """The small version of long_certificates.py."""
    certificates.check(tmp_path, 4, 2000)


# ---- the convex problem ----


def optimum(folder, name, **keys):
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({k.replace("__", "."): v for k, v in keys.items()}))
    pl_run.run(["optimum", path, "-o", folder / f"{name}-optimum.nc", "--gap", "1e-6"])
    with xarray.open_dataset(folder / f"{name}-optimum.nc") as ds:
        return ds.load()


@pytest.mark.parametrize("spec", [*GROUPS, "S_4"])
def test_optimum_two_samples(spec, tmp_path):
    """D is convex in one number, so golden section finds its minimum."""
    _, net, keys = instance(spec, tmp_path, 2, 2, seed=5)
    low, high, ratio = 0.0, 1.0, (np.sqrt(5) - 1) / 2

    def value(s):
        return dual_value(net, np.array([s, 1 - s]))

    for _ in range(60):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if value(a) < value(b) else (a, high)
    got = optimum(tmp_path, "two", **keys)
    assert_close(got.optimum.values, value(low), value(low), "optimum", 2e-6)
    assert got.optimum.values[0] <= value(low) * (1 + 1e-9)
    assert got.optimum_bound.values[0] >= value(low) * (1 - 1e-9)


def test_optimum_not_separable(tmp_path):
    """More samples than dimensions, of both signs: no beta, optimum 0."""
    g, rng = reference.group("C_4"), np.random.default_rng(0)
    x = rng.normal(size=(4, 4))
    write_data(tmp_path / "x.nc", g, np.concatenate([x, x]), [1] * 4 + [-1] * 4)
    got = optimum(tmp_path, "none", group="C_4", data__kind="file",
                  data__path=str(tmp_path / "x.nc"))
    assert got.optimum.values[0] == 0 and 0 <= got.optimum_bound.values[0] < 1e-5


def test_optimum_beside_training(tmp_path):
    """Training stays below the optimum, its bound above; both get near.  --into adds the variables
    and leaves the rest; runs with the same data share the answer."""
    keys = {"group": ["S_3", "S_4"], "model__depth": [2, 3], "data__samples": 4, "steps": 20000,
            "record__points": 30, "record__kkt": True, "optimizer__kind": "ngd", "seed": "0..3",
            "optimizer__lr": 0.01, "optimizer__growth__factor": 1.02}
    before = sweep(tmp_path, "train", **keys)
    pl_run.run(["optimum", tmp_path / "train.yaml", "--into", tmp_path / "train.nc"])
    with xarray.open_dataset(tmp_path / "train.nc") as ds:
        ds = ds.load()
    assert ds.drop_vars(["optimum", "optimum_bound", "separable"]).identical(before)
    pl_run.run(["optimum", tmp_path / "train.yaml", "--into", tmp_path / "train.nc"], ranks=2)
    shape = (2, 2, 4)
    best = ds.optimum.values.reshape(shape)
    assert (best[:, 0] == best[:, 1]).all()
    assert (ds.optimum <= ds.optimum_bound).all()
    assert (1 - ds.optimum / ds.optimum_bound <= 1e-4).all()
    deep = ds.model_depth.values == 3
    two, three = ds.isel(run=~deep), ds.isel(run=deep)
    ahead = two.min_margin.values > 0
    assert (two.optimality_gap.values[ahead] >= -1e-9).all() and ahead.any()
    assert np.isnan(two.optimality_gap.values[~ahead]).all()
    assert (two.dual_bound.values >= two.optimum.values[:, None] * (1 - 1e-9)).all()
    assert (np.diff(two.dual_bound.values, axis=1) <= 0).all()
    assert (two.normalized_margin.values <= two.optimum_bound.values[:, None] * (1 + 1e-9)).all()
    last = two.isel(record=-1)
    assert np.median(last.optimality_gap) < 0.02
    assert np.median(last.normalized_margin / last.optimum) > 0.98
    assert np.isnan(three.optimality_gap).all()
    assert np.median(three.kkt_residual.isel(record=-1)) < 0.01
    pl_run.run(["optimum", tmp_path / "train.yaml", "--set", "seed=1", "--into",
                tmp_path / "train.nc"], code=2)
