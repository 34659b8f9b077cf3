"""Networks on graphs in PyTorch, as a user would write them from the papers, with weights as our
files have them (x W, W (in, out), no biases)."""

import numpy as np
import torch

F = torch.nn.functional
ACTIVATION = {"none": lambda x: x, "relu": torch.relu, "tanh": torch.tanh}


def operator(edges, nodes, dtype):
    """D^-1/2 (A + I) D^-1/2 as a sparse matrix; edges: each once."""
    loops = np.repeat(np.arange(nodes), 2).reshape(-1, 2)
    at = torch.tensor(np.concatenate([edges, edges[:, ::-1], loops]).T.copy())
    degree = torch.bincount(at[0], minlength=nodes).to(torch.float64)
    value = 1 / torch.sqrt(degree[at[0]] * degree[at[1]])
    return torch.sparse_coo_tensor(at, value.to(dtype), (nodes, nodes)).coalesce().to_sparse_csr()


def iteration(rule, alpha, mu, beta):
    """Z_0 = a H + b A H, Z <- ratio A Z + alpha Z_0: the published coefficients."""
    if rule == "lf":
        c = 1 + alpha * mu - alpha
        return mu / c, (1 - mu) / c, (1 + alpha * mu - 2 * alpha) / c
    if rule == "hf":
        d = 1 + alpha * beta
        return (1 + beta) / d, -beta / d, (alpha * beta - alpha + 1) / d
    return 1, 0, 1 - alpha


def closed_form(rule, s, alpha, mu, beta):
    """The matrix that takes H to Z, inverted once, as the published code does."""
    a = s.to_dense()
    eye = torch.eye(a.shape[0], dtype=a.dtype)
    if rule == "lf":
        return torch.linalg.solve((mu + 1 / alpha - 1) * eye + (2 - mu - 1 / alpha) * a,
                                  mu * eye + (1 - mu) * a)
    if rule == "hf":
        return torch.linalg.solve((beta + 1 / alpha) * eye + (1 - beta - 1 / alpha) * a,
                                  eye + beta * (eye - a))
    return alpha * torch.linalg.inv(eye - (1 - alpha) * a)


class Network(torch.nn.Module):
    def __init__(self, w):
        super().__init__()
        self.w = torch.nn.ParameterDict({k: torch.nn.Parameter(v.clone()) for k, v in w.items()})

    def weights(self):
        return dict(self.w)


class Filter(Network):
    def __init__(self, w, s, rule, depth, closed=False, alpha=.1, mu=.7, beta=1, jump="cat",
                 dropout=0):
        super().__init__(w)
        self.s, self.rule, self.depth, self.jump, self.alpha = s, rule, depth, jump, alpha
        self.dropout = dropout
        self.first, self.second, self.ratio = iteration(rule, alpha, mu, beta)
        self.map = closed_form(rule, s, alpha, mu, beta) if closed else None

    def drop(self, x):
        return F.dropout(x, self.dropout, self.training)

    def features_times(self, x, w):
        if x.layout == torch.strided:
            return self.drop(x) @ w
        if self.dropout:
            x = torch.sparse_coo_tensor(x.indices(), self.drop(x.values()), x.shape)
        return torch.sparse.mm(x, w)

    def head(self, x):
        if "hidden_weight" not in self.w:
            return self.features_times(x, self.w["head_weight"])
        hidden = torch.relu(self.features_times(x, self.w["hidden_weight"]))
        return self.drop(hidden) @ self.w["head_weight"]

    def layers(self, x):
        z, states = x, []
        for k in range(1, self.depth + 1):
            w = self.w[f"layer{k}_weight"]
            z = self.s @ (self.features_times(z, w) if k == 1 else self.drop(z) @ w)
            states.append(z)
            z = torch.relu(z)
        return states

    def forward(self, x):
        if self.rule == "gcn":
            return self.layers(x)[-1]
        if self.rule == "jknet":
            states = [torch.relu(z) for z in self.layers(x)]
            jump = torch.cat(states, 1) if self.jump == "cat" else torch.stack(states).amax(0)
            return jump @ self.w["head_weight"]
        h = self.head(x)
        if self.rule == "none":
            return h
        if self.rule == "dagnn":
            z = 0
            for k in range(self.depth + 1):
                z = z + torch.sigmoid(h @ self.w["gate_weight"]) * h
                h = self.s @ h
            return z
        if self.rule == "sgc":
            for _ in range(self.depth):
                h = self.s @ h
            return h
        if self.map is not None:
            return self.map @ h
        z0 = self.first * h + self.second * (self.s @ h) if self.second else h
        z = z0
        for _ in range(self.depth):
            z = self.ratio * (self.s @ z) + self.alpha * z0
        return z


class GNN(Network):
    def __init__(self, w, s, form, depth, activation="none"):
        super().__init__(w)
        self.s, self.depth, self.skips = s, depth, form == "multiscale"
        self.activation = ACTIVATION[activation]

    def forward(self, x):
        f = x @ self.w["readout0_weight"] if self.skips else 0
        for k in range(1, self.depth + 1):
            x = self.activation(self.s @ (x @ self.w[f"layer{k}_weight"]))
            if self.skips or k == self.depth:
                f = f + x @ self.w[f"readout{k}_weight"]
        return f


def loss(kind, f, y, train, l2=0, first=None):
    """y: classes; square: the sum over the training nodes."""
    if kind == "softmax":
        value = F.cross_entropy(f[train], y[train])
    else:
        value = ((f[train] - F.one_hot(y, f.shape[1]).to(f.dtype)[train])**2).sum()
    return value + l2 / 2 * (first**2).sum() if l2 else value
