"""The linear G-CNN written out over the group, in numpy: what the program must reproduce.

No Fourier transform and no irreps: groups are multiplication tables, layers are sums over the
group, gradients the chain rule through them, Schatten values the singular values of one |G| x |G|
matrix.  Orders of a few dozen.  Conventions and element order: include/group/group.h.
"""

import itertools

import numpy as np

EPS = np.finfo(float).eps


# ---- groups ----


class Group:
    """labels[g], and table[g, h] = gh; element 0 is the identity."""

    def __init__(self, spec, labels, table):
        self.spec, self.labels, self.table = spec, labels, np.asarray(table)
        self.order = n = len(labels)
        assert self.table.shape == (n, n) and (self.table[0] == np.arange(n)).all()
        self.inverse = np.argmax(self.table == 0, axis=1)

    def convolve(self, a, b):
        """(a*b)(u) = sum over gh = u of a(g) b(h)."""
        return np.bincount(self.table.ravel(), np.outer(a, b).ravel(), self.order)

    def matrix(self, a):
        """The |G| x |G| matrix of b -> a*b: entry (u, h) is a(u h^-1).  Its singular values are
        those of A_rho, each d times (twice that for the two irreps of a complex pair)."""
        return a[self.table[:, self.inverse]]

    def classes(self):
        """Conjugacy classes, as sorted tuples."""
        conj = self.table[self.table, self.inverse[:, None]]  # (g, h) -> g h g^-1
        return sorted({tuple(sorted(set(conj[:, h]))) for h in range(self.order)})

    def isotypic(self):
        """Orthonormal bases, as columns, of the spaces that real functions split into under left
        and right translation: one for each real irrep, quaternionic irrep or complex pair, of
        dimension m d^2.  They are the common eigenspaces of convolution by class functions, so
        those of a generic symmetric one."""
        weight = np.random.default_rng(1).standard_normal(self.order)
        f = np.zeros(self.order)
        for members in self.classes():
            f[list(members)] = weight[members[0]]
        values, vectors = np.linalg.eigh(self.matrix(f + f[self.inverse]))
        cuts = np.flatnonzero(np.diff(values) > 1e-8 * np.ptp(values)) + 1
        return np.split(vectors, cuts, axis=1)


def symmetric(n):
    perms = list(itertools.permutations(range(n)))
    number = {p: i for i, p in enumerate(perms)}
    table = [[number[tuple(s[t[i]] for i in range(n))] for t in perms] for s in perms]
    return Group(f"S_{n}", [" ".join(str(i + 1) for i in p) for p in perms], table)


def cyclic(n):
    table = [[(a + b) % n for b in range(n)] for a in range(n)]
    return Group(f"C_{n}", [str(a) for a in range(n)], table)


def dihedral(n):
    """r^k is k, s r^k is n + k; r^k s = s r^-k."""

    def multiply(a, b):
        (s, k), (t, m) = divmod(a, n), divmod(b, n)
        return (s ^ t) * n + ((-k if t else k) + m) % n

    table = [[multiply(a, b) for b in range(2 * n)] for a in range(2 * n)]
    rotations = ["1", "r"] + [f"r^{k}" for k in range(2, n)]
    labels = rotations + ["s"] + [f"s {r}" for r in rotations[1:]]
    return Group(f"D_{n}", labels, table)


def quaternion():
    """1, i, j, k, -1, -i, -j, -k; products of i, j, k with the sign of the cyclic order."""

    def multiply(a, b):
        (s, p), (t, q) = divmod(a, 4), divmod(b, 4)
        if p == 0 or q == 0:
            sign, r = 0, p + q
        elif p == q:
            sign, r = 1, 0
        else:
            sign, r = (0 if (q - p) % 3 == 1 else 1), 6 - p - q
        return 4 * (s ^ t ^ sign) + r

    table = [[multiply(a, b) for b in range(8)] for a in range(8)]
    return Group("Q_8", ["1", "i", "j", "k", "-1", "-i", "-j", "-k"], table)


def product(g, h):
    """G slow, H fast."""
    table = [[g.table[a // h.order, b // h.order] * h.order + h.table[a % h.order, b % h.order]
              for b in range(g.order * h.order)] for a in range(g.order * h.order)]
    labels = [f"{x}, {y}" for x in g.labels for y in h.labels]
    return Group(f"{g.spec} x {h.spec}", labels, table)


def group(spec):
    parts = []
    for part in spec.split(" x "):
        kind, n = part.split("_")
        parts.append({"S": symmetric, "C": cyclic, "D": dihedral, "Q": lambda _: quaternion()}
                     [kind](int(n)))
    out = parts[0]
    for part in parts[1:]:
        out = product(out, part)
    return out


# ---- the network ----


class Network:
    """f(x) = sum_g w_L(g) (W_{L-1} .. W_1 x)(g), (W x)(g) = sum_h w(h) x(gh)."""

    def __init__(self, g, w, x, y, loss="exponential"):
        self.group, self.loss_kind = g, loss
        self.w, self.x, self.y = np.array(w), np.array(x), np.array(y)
        self.depth = len(w)

    def activations(self):
        """x, W_1 x, .., W_{L-1} .. W_1 x: each [sample, g]."""
        z = [self.x]
        for w in self.w[:-1]:
            z.append(z[-1][:, self.group.table] @ w)
        return z

    def outputs(self):
        return self.activations()[-1] @ self.w[-1]

    def margins(self):
        return self.y * self.outputs()

    def backward(self):
        """d f / d activations, from the last layer down: [0] is beta.  The same for every
        sample, since the network is linear.  d/dz(u) of sum_g v(g) sum_h w(h) z(gh)."""
        v = [self.w[-1]]
        for w in self.w[-2::-1]:
            v.insert(0, self.group.convolve(v[0], w))
        return v

    def beta(self):
        return self.backward()[0]

    def log_loss(self):
        m = self.margins()
        if self.loss_kind == "exponential":
            terms = -m
        else:
            terms = np.log(np.logaddexp(0, -m))
        return np.logaddexp.reduce(terms) - np.log(len(m))

    def gradient(self):
        m = self.margins()
        if self.loss_kind == "exponential":
            slope = -np.exp(-m)
        else:
            slope = -1 / (1 + np.exp(m))
        by_output = slope * self.y / len(m)
        z, v = self.activations(), self.backward()
        # d/dw(h) of sum_g v(g) sum_h w(h) z(gh), summed over samples.
        hidden = [v[k + 1] @ (by_output @ z[k])[self.group.table] for k in range(self.depth - 1)]
        return np.array(hidden + [by_output @ z[-1]])

    def step(self, t, lr, factor=1, every=100, kind="gd"):
        """Step number t, from 0."""
        g = self.gradient()
        if kind == "ngd":
            g = g / np.sqrt((g**2).sum())
        self.w = self.w - lr * factor ** ((t + 1) // every) * g

    # ---- what is recorded ----

    def sigma(self):
        """All |G| singular values of convolution by beta / ||beta||."""
        beta = self.beta()
        return np.linalg.svd(self.group.matrix(beta / np.linalg.norm(beta)), compute_uv=False)

    def schatten(self, q):
        return (self.sigma() ** q).sum() ** (1 / q)

    def record(self):
        p, beta, m = 2 / self.depth, self.beta(), self.margins()
        norm, s = np.linalg.norm(beta), self.schatten(p)
        parameters = (self.w**2).sum()
        log_loss = self.log_loss()
        return {
            "loss": np.exp(log_loss),
            "log_loss": log_loss,
            "min_margin": m.min(),
            "accuracy": (m > 0).mean(),
            "sample_margin": m,
            "beta": beta,
            "beta_norm": norm,
            "schatten": s,
            "schatten_thresholded": s,
            "schatten_real": (np.abs(beta / norm) ** p).sum() ** (1 / p),
            "schatten_at": self.schatten(1),
            "normalized_margin": m.min() / (norm * s),
            "parameter_norm": np.sqrt(parameters),
            "tightness": self.depth / self.group.order * s**p * norm**p / parameters,
        }

    def irreps(self):
        """(dimension of the isotypic space, share of ||beta||^2, sum over its part of
        sigma^(2/L) of normalised beta), sorted."""
        beta = self.beta() / np.linalg.norm(self.beta())
        whole = self.group.matrix(beta)
        out = []
        for q in self.group.isotypic():
            sigma = np.linalg.svd(q.T @ whole @ q, compute_uv=False)
            out.append((q.shape[1], ((q.T @ beta) ** 2).sum(), (sigma ** (2 / self.depth)).sum()))
        return sorted(out)


def train(net, steps, record, **step):
    """The records at the listed steps: name -> array, record first."""
    rows, at = [], set(record)
    for t in range(steps + 1):
        if t in at:
            rows.append(net.record())
        if t < steps:
            net.step(t, **step)
    return {name: np.array([r[name] for r in rows]) for name in rows[0]}
