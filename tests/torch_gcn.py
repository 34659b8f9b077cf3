"""model.kind gcn in PyTorch, as a user would write it: batches of graphs as one sparse matrix,
weights as our files have them (y = x W + b), and the regularised objective of Henderson et al."""

import numpy as np
import torch

F = torch.nn.functional
ACTIVATION = {"relu": torch.relu, "tanh": torch.tanh, "silu": F.silu}


class Batch:
    """Graphs `chosen` of a file in the format of data.kind file of gcn, side by side."""

    def __init__(self, data, chosen, dtype=torch.float64):
        begin = np.append(data["graph_start"], len(data["node_feature"]))
        nodes = np.concatenate([np.arange(begin[g], begin[g + 1]) for g in chosen])
        place = np.full(begin[-1], -1)
        place[nodes] = np.arange(len(nodes))
        kept = place[data["edge"][:, 0]] >= 0
        ends = place[data["edge"][kept]]
        self.source = torch.tensor(np.concatenate([ends[:, 0], ends[:, 1]]))
        self.target = torch.tensor(np.concatenate([ends[:, 1], ends[:, 0]]))
        self.x = torch.tensor(data["node_feature"][nodes], dtype=dtype)
        self.edge = None
        if "edge_feature" in data:
            self.edge = torch.tensor(np.tile(data["edge_feature"][kept], (2, 1)), dtype=dtype)
        sizes = begin[np.asarray(chosen) + 1] - begin[chosen]
        self.sizes = sizes.tolist()
        self.graph = torch.tensor(np.repeat(np.arange(len(chosen)), sizes))
        self.label = torch.tensor(data["label"][chosen], dtype=torch.int64)
        n, ones = len(nodes), torch.ones(len(self.source), dtype=dtype)
        self.adjacency = torch.sparse_coo_tensor(torch.stack([self.target, self.source]), ones,
                                                 (n, n)).coalesce()
        degree = torch.ones(n, dtype=dtype).index_add(0, self.target, ones) ** -0.5
        loop = torch.arange(n)
        i, j = torch.cat([self.target, loop]), torch.cat([self.source, loop])
        self.propagation = torch.sparse_coo_tensor(torch.stack([i, j]), degree[i] * degree[j],
                                                   (n, n)).coalesce()


class GCN(torch.nn.Module):
    def __init__(self, w, layer, depth, activation="relu", pooling="mean", epsilon=0.0,
                 self_path=True):
        super().__init__()
        self.w = torch.nn.ParameterDict({k: torch.nn.Parameter(v.clone()) for k, v in w.items()})
        self.layer, self.depth, self.pooling = layer, depth, pooling
        self.activation, self.epsilon, self.self_path = ACTIVATION[activation], epsilon, self_path

    def gin(self, b, x, at):
        if self.layer == "gin" and f"{at}_edge_weight" in self.w:
            messages = torch.relu(x[b.source] + b.edge @ self.w[f"{at}_edge_weight"])
            z = torch.zeros_like(x).index_add(0, b.target, messages)
        else:
            z = torch.sparse.mm(b.adjacency, x)
        if self.self_path:
            z = z + (1 + self.epsilon) * x
        inner = torch.relu(z @ self.w[f"{at}_weight"] + self.w[f"{at}_bias"])
        return inner @ self.w[f"{at}_second_weight"] + self.w[f"{at}_second_bias"]

    def convolution(self, b, x, at):
        s = b.propagation if self.layer == "gcn" else b.adjacency
        y = torch.sparse.mm(s, x @ self.w[f"{at}_weight"]) + self.w[f"{at}_bias"]
        if self.self_path:
            y = y + x @ self.w[f"{at}_self_weight"]
        if f"{at}_edge_weight" in self.w:
            bonds = torch.zeros(len(x), b.edge.shape[1], dtype=x.dtype)
            y = y + bonds.index_add(0, b.target, b.edge) @ self.w[f"{at}_edge_weight"]
        return y

    def embeddings(self, b, x=None):
        x = b.x if x is None else x
        for i in range(self.depth):
            own = self.gin if self.layer == "gin" else self.convolution
            x = self.activation(own(b, x, f"layer{i}"))
        return x

    def head(self, b, h):
        pooled = torch.zeros(len(b.sizes), h.shape[1], dtype=h.dtype).index_add(0, b.graph, h)
        if self.pooling == "mean":
            pooled = pooled / torch.tensor(b.sizes, dtype=h.dtype)[:, None]
        return pooled @ self.w["head_weight"] + self.w["head_bias"]

    def weights(self):
        return dict(self.w)


def task(kind, f, label, weight=None):
    if kind == "logistic":
        each = F.softplus(-f[:, 0] * (2 * label - 1))
    else:
        each = F.cross_entropy(f, label, reduction="none")
    return (each * (1 if weight is None else weight[label])).mean()


def bro(h, sizes, p=2):
    return sum(torch.linalg.vector_norm(part @ part.T - torch.eye(len(part), dtype=h.dtype), p)
               for part in torch.split(h, sizes)) / len(sizes)


def gini(w, absolute=False):
    """Of the rows of a head, which are the columns here."""
    row, n = (w.abs() if absolute else w).T, len(w)
    apart = (row[:, :, None] - row[:, None, :]).abs().sum((1, 2))
    return (apart / (2 * (n - 1) * w.abs().sum(0))).mean()


def objective(net, b, kind, regular, weight=None):
    h = net.embeddings(b)
    value = task(kind, net.head(b, h), b.label, weight)
    if regular.get("bro"):
        value = value + regular["bro"] / 2 * bro(h, b.sizes, regular.get("p", 2))
    if regular.get("gini"):
        value = value / gini(net.w["head_weight"],
                             regular.get("gini_of") == "absolute").clamp(min=1e-3) ** regular["gini"]
    return value


def attributions(net, b, points):
    """cam, gradinput, ig, sensitivity of the answers to the classes."""
    def slope(x):
        x = x.detach().requires_grad_()
        f = net.head(b, net.embeddings(b, x))
        chosen = f[:, 0] if f.shape[1] == 1 else f[torch.arange(len(f)), b.label]
        return torch.autograd.grad(chosen.sum(), x)[0]

    w, h = net.w["head_weight"].detach(), net.embeddings(b).detach()
    columns = w[:, 0].expand(len(h), -1) if w.shape[1] == 1 else w.T[b.label[b.graph]]
    share = torch.tensor(b.sizes, dtype=h.dtype)[b.graph] if net.pooling == "mean" else 1
    line = sum(slope(b.x * ((k + .5) / points)) for k in range(points)) / points
    g = slope(b.x)
    return {"cam": (h * columns).sum(1) / share, "gradinput": (b.x * g).sum(1),
            "ig": (b.x * line).sum(1), "sensitivity": torch.linalg.vector_norm(g, dim=1)}
