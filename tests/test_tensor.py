"""Tensor networks: against PyTorch with the dense basis of equality patterns; the Schatten law of
tensor-linear against an independent decomposition; data, files and bad input."""

import itertools
import math

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run

STEPS = 20


def read(path):
    with netCDF4.Dataset(path) as nc:
        return {k: np.ma.filled(v[:], np.nan) if v.dtype.kind == "f" else np.asarray(v[:])
                for k, v in nc.variables.items()}


def run(folder, name, *args, ranks=1, **keys):
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(keys))
    pl_run.run(["run", folder / f"{name}.yaml", "-q", "-o", folder / f"{name}.nc", *args], ranks)
    return folder / f"{name}.nc"


def words(r):
    """Equality patterns of r indices, in order: 00, 01, .."""
    return [w for w in itertools.product(range(r), repeat=r)
            if all(w[i] <= max(w[:i], default=-1) + 1 for i in range(r))]


def word_of(index):
    return tuple({v: k for k, v in enumerate(dict.fromkeys(index))}[v] for v in index)


def dense(r, n):
    """[Bell(r)][n].. (r times): 1 where the indices have the pattern."""
    basis = np.zeros((len(words(r)),) + (n,) * r)
    place = {w: k for k, w in enumerate(words(r))}
    for index in itertools.product(range(n), repeat=r):
        basis[(place[word_of(index)],) + index] = 1
    return basis


@pytest.mark.parametrize("order, output, activation", [
    (1, "invariant", "sigmoid"), (1, "equivariant", "relu"), (2, "invariant", "tanh"),
    (2, "equivariant", "sigmoid"), (3, "invariant", "relu"), (3, "equivariant", "tanh")])
def test_steps_equal_dense_pytorch(tmp_path, order, output, activation):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no oracle")
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    keys = dict(model=dict(kind="tensor", order=order, output=output, channels=3,
                           activation=activation),
                data=dict(samples=11, sizes=[4, 5]), record=dict(final=True),
                train=dict(batch=4, shuffle=False))
    start = run(tmp_path, "start", **keys, steps=1, optimizer=dict(lr=1e-300))
    end = run(tmp_path, "end", **keys, steps=STEPS,
              optimizer=dict(kind="adam", lr=.01, epsilon_inside=False))
    pl_run.run(["data", tmp_path / "end.yaml", "-o", tmp_path / "d.nc"])
    data, after = read(tmp_path / "d.nc"), read(f"{end}.final/run-000000.nc")
    w = {k: torch.tensor(v, requires_grad=True)
         for k, v in read(f"{start}.final/run-000000.nc").items()}
    l = output == "equivariant"
    act = dict(sigmoid=torch.sigmoid, tanh=torch.tanh, relu=torch.relu)[activation]
    basis = {n: [torch.tensor(dense(r, n)) for r in (order + 2, order, order + l)] for n in (4, 5)}
    hid = "ijk"[:order]

    def f(i):
        n = int(data["points"][i])
        into, bias, out = basis[n]
        x = torch.tensor(data["x"][i, :n, :n])
        t = torch.einsum(f"p{hid}ab,ab,ps->s{hid}", into, x, w["layer0_weight"])
        t = act(t + torch.einsum(f"p{hid},ps->s{hid}", bias, w["layer0_bias"]))
        y = torch.einsum(f"p{hid}{'o' * l},s{hid},ps->{'o' * l}", out, t, w["layer1_weight"])
        return y + w["layer1_bias"][0, 0]

    def loss(samples):
        n = data["points"]
        y = [torch.tensor(data["y"][i, :n[i]] if l else data["y"][i]) for i in samples]
        return sum(((f(i) - y[k])**2).mean() for k, i in enumerate(samples)) / len(samples)

    adam = torch.optim.Adam(list(w.values()), lr=.01)
    losses = []
    for t in range(STEPS + 1):
        losses.append(float(loss(range(11)).detach()))
        at = t % 3 * 4
        adam.zero_grad()
        loss(range(11)[at:at + 4]).backward()
        if t < STEPS:
            adam.step()
    out = read(end)
    np.testing.assert_allclose(out["loss"][0], np.array(losses)[out["step"][0].astype(int)],
                               rtol=1e-9)
    for key, value in w.items():
        np.testing.assert_allclose(after[key], value.detach(), rtol=0, atol=1e-9)
    # The saved network on data of sizes that training never saw.
    larger = dict(keys, data=dict(samples=4, sizes=[4]))
    (tmp_path / "larger.yaml").write_text(yaml.safe_dump(larger))
    pl_run.run(["data", tmp_path / "larger.yaml", "-o", tmp_path / "large.nc"])
    data = read(tmp_path / "large.nc")
    pl_run.run(["apply", f"{end}.final/run-000000.nc", tmp_path / "large.nc", "-o",
                tmp_path / "p.nc"], ranks=2)
    p = read(tmp_path / "p.nc")
    want = np.array([f(i).detach().numpy() for i in range(4)])
    np.testing.assert_allclose(p["f"], want, rtol=1e-9, atol=1e-9 * np.abs(want).max())
    assert float(p["mse"]) == pytest.approx(float(loss(range(4)).detach()), rel=1e-9)


def distances(x):
    d = np.where(x > 0, x, np.inf)
    np.fill_diagonal(d, 0)
    for k in range(len(d)):
        d = np.minimum(d, d[:, k:k + 1] + d[k:k + 1])
    return d


def test_targets(tmp_path):
    """Diameter, eccentricity, top eigenvector by numpy; kinds and sizes in turn."""
    found = {}
    for name, output in (("diameter", "invariant"), ("eccentricity", "equivariant"),
                         ("eigenvector", "equivariant")):
        keys = dict(model=dict(kind="tensor", output=output),
                    data=dict(samples=30, test=4, sizes=[5, 7], test_sizes=[9], quantity=name))
        (tmp_path / "s.yaml").write_text(yaml.safe_dump(keys))
        pl_run.run(["data", tmp_path / "s.yaml", "-o", tmp_path / f"{name}.nc"])
        found[name] = read(tmp_path / f"{name}.nc")
    edges = {5: [10, 5, 4, 4, 8], 7: [21, 7, 6, 6, 12]}
    for i in range(30):
        n = [5, 7][i % 2]
        d = found["diameter"]
        assert d["points"][i] == n and d["split"][i] == 0
        x = d["x"][i, :n, :n]
        assert np.array_equal(x, x.T) and np.count_nonzero(x) == 2 * edges[n][i // 2 % 5]
        assert not d["x"][i, n:].any() and not d["x"][i, :, n:].any()
        ecc = distances(x).max(axis=1)
        assert d["y"][i] == pytest.approx(ecc.max(), rel=1e-14)
        np.testing.assert_allclose(found["eccentricity"]["y"][i, :n], ecc, rtol=1e-14)
        v = found["eigenvector"]["y"][i, :n]
        np.testing.assert_allclose(x @ v, np.linalg.eigvalsh(x)[-1] * v, atol=1e-12)
        assert np.linalg.norm(v) == pytest.approx(1) and v.sum() > 0
    assert list(found["diameter"]["points"][30:]) == [9] * 4


def test_eigenvector_is_known_up_to_its_sign(tmp_path):
    """A file whose targets have other signs trains the same network where the sign is free."""
    keys = dict(model=dict(kind="tensor", output="equivariant", channels=2), steps=5,
                data=dict(samples=6, test=5, sizes=[4], test_sizes=[4, 6], quantity="eigenvector"),
                optimizer=dict(lr=.01))
    out = read(run(tmp_path, "free", **keys))
    assert (out["train_mse"] < 4).all() and out["test_relative_mse_by_size"].shape[2] == 2
    assert (out["equivariance_defect"] < 1e-12).all()
    mean = np.average(out["test_relative_mse_by_size"][0], axis=1)
    assert np.isfinite(mean).all() and list(out["test_size"]) == [4, 6]


# ---- tensor-linear ----

def isotypic(n):
    """Projections of R^(n x n) onto its isotypic parts by characters of the permutation action:
    eigenspaces of the sum over all transpositions, told apart by its contents."""
    size = n * n
    total = np.zeros((size, size))
    for i, j in itertools.combinations(range(n), 2):
        p = list(range(n))
        p[i], p[j] = j, i
        for a in range(n):
            for b in range(n):
                total[p[a] * n + p[b], a * n + b] += 1
    value, vector = np.linalg.eigh(total)
    # Sum of contents of (n), (n-1,1), (n-2,2), (n-2,1,1).
    content = [n * (n - 1) // 2, n * (n - 1) // 2 - n, (n - 2) * (n - 3) // 2 - 1 + 0,
               (n - 2) * (n - 3) // 2 - 3]
    dims = [1, n - 1, n * (n - 3) // 2, (n - 1) * (n - 2) // 2]
    out = []
    for c, d in zip(content, dims):
        v = vector[:, np.abs(value - c) < 1e-6]
        out.append((d, v @ v.T))
    return out


def schatten(beta, n, depth):
    """(S_p^p of beta, sigma by irrep) from averages over the group: the mean of T(g) b b^T T(g)^T
    is b b^T (x) I / d on the part of an irrep."""
    out, sigmas = 0, []
    for d, project in isotypic(n):
        b = project @ beta.ravel()
        mean = np.zeros((n * n, n * n))
        for p in itertools.permutations(range(n)):
            moved = np.zeros((n, n))
            moved[np.ix_(p, p)] = b.reshape(n, n)
            mean += np.outer(moved, moved) / math.factorial(n)
        sigma = np.sqrt(np.maximum(np.sort(np.linalg.eigvalsh(mean))[::-1][::d] * d, 0))[:3]
        sigmas.append(sigma)
        sigma = sigma[sigma > 1e-7 * max(1e-300, sigma.max())]
        out += d**((depth - 1) / depth) * (sigma**(2 / depth)).sum()
    return out, sigmas


@pytest.mark.parametrize("depth", [2, 3])
def test_schatten_law(tmp_path, depth):
    """beta from the saved network's answers to unit matrices; S_p, margin and tightness from it by
    averages over the group; the bound is one."""
    n = 5
    keys = dict(model=dict(kind="tensor-linear", depth=depth, init=dict(scale=.3)),
                data=dict(samples=6, nodes=n), steps=2000, seed=3,
                record=dict(final=True, kkt=True, points=10),
                optimizer=dict(kind="ngd", lr=.05))
    out = read(run(tmp_path, "lin", **keys))
    with netCDF4.Dataset(tmp_path / "units.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, size in (("sample", n * n), ("node", n), ("node_to", n)):
            nc.createDimension(name, size)
        nc.createVariable("x", "f8", ("sample", "node", "node_to"))[:] = \
            np.eye(n * n).reshape(-1, n, n)
    pl_run.run(["apply", tmp_path / "lin.nc.final/run-000000.nc", tmp_path / "units.nc", "-o",
                tmp_path / "beta.nc"], ranks=2)
    beta = read(tmp_path / "beta.nc")["f"].reshape(n, n)
    pl_run.run(["data", tmp_path / "lin.yaml", "-o", tmp_path / "d.nc"])
    data, w = read(tmp_path / "d.nc"), read(tmp_path / "lin.nc.final/run-000000.nc")
    margin = data["y"] * np.einsum("iab,ab->i", data["x"], beta)
    norm = np.linalg.norm(beta)
    power, _ = schatten(beta / norm, n, depth)
    value, squares = power**(depth / 2), sum((v**2).sum() for v in w.values())
    assert out["min_margin"][0, -1] == pytest.approx(margin.min(), rel=1e-9)
    assert out["multiplicity_norm"][0, -1] == pytest.approx(norm, rel=1e-9)
    # Roots of eigenvalues: what is small has few digits.
    near = 1e-6 if depth == 2 else 1e-3
    assert out["multiplicity_schatten"][0, -1] == pytest.approx(value, rel=near)
    assert out["multiplicity_margin"][0, -1] == pytest.approx(
        margin.min() / norm / value, rel=near)
    assert out["multiplicity_tightness"][0, -1] == pytest.approx(
        depth * power * norm**(2 / depth) / squares, rel=near)
    assert (out["multiplicity_tightness"][0] <= 1 + 1e-9).all()
    assert out["multiplicity_tightness"][0, -1] > .9
    np.testing.assert_allclose(out["multiplicity_energy"].sum(axis=2), 1, rtol=1e-12)
    if depth == 2:
        assert np.nanmin(out["multiplicity_gap"][0]) >= 0
        assert out["multiplicity_gap"][0, -1] < .05
        # Any other beta has a margin below the bound.
        rng = np.random.default_rng(0)
        for _ in range(20):
            other = beta / norm + .3 * rng.standard_normal((n, n))
            m = (data["y"] * np.einsum("iab,ab->i", data["x"], other)).min()
            assert m / schatten(other, n, 2)[0] <= out["multiplicity_bound"][0, -1] * (1 + 1e-9)
    assert out["kkt_residual"][0, -1] < .2


# ---- input ----

def file(path, x, y, split=None, points=None, dims=("sample", "node", "node_to")):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, size in zip(dims, x.shape):
            nc.createDimension(name, size)
        nc.createVariable("x", "f8", dims)[:] = x
        nc.createVariable("y", "f8", dims[:y.ndim])[:] = y
        for name, v in (("split", split), ("points", points)):
            if v is not None:
                nc.createVariable(name, "i4", ("sample",))[:] = v


@pytest.mark.parametrize("keys, change, message", [
    (dict(kind="tensor"), dict(points=[3, 9]), "points[1] is 9, expected points from 1 to 4"),
    (dict(kind="tensor"), dict(split=[1, 2]), "no samples for training"),
    (dict(kind="tensor"), dict(y=np.ones((2, 4))), "expected equivariant"),
    (dict(kind="tensor"), dict(x=np.full((2, 4, 4), np.nan)), "x[0, 0, 0]"),
    (dict(kind="tensor"), dict(x=np.ones((2, 4, 3))), "expected as many"),
    (dict(kind="tensor-linear"), dict(y=np.array([1, 2.])), "expected +1 or -1"),
    (dict(kind="tensor-linear"), dict(points=[3, 4]), "expected samples of one size"),
])
def test_bad_files(tmp_path, keys, change, message):
    parts = dict(x=np.ones((2, 4, 4)), y=np.array([1., -1]))
    parts.update(change)
    file(tmp_path / "f.nc", **parts)
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(
        dict(model=keys, data=dict(kind="file", path="f.nc"))))
    done = pl_run.run(["run", tmp_path / "s.yaml", "-o", tmp_path / "o.nc"], code=2)
    assert message in done.stderr and "s.yaml" in done.stderr
    assert not (tmp_path / "o.nc").exists()


def test_quantity_must_fit_the_output(tmp_path):
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(
        dict(model=dict(kind="tensor"), data=dict(quantity="eccentricity"))))
    done = pl_run.run(["run", tmp_path / "s.yaml", "-o", tmp_path / "o.nc"], code=2)
    assert "data.quantity" in done.stderr and "equivariant" in done.stderr
