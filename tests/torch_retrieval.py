"""Dense retrieval in PyTorch, as a user would write it from the papers: encoders, ADORE's loss, and
those of in-batch and of static negatives; weights as our files have them, y = x W + b."""

import torch

from torch_vector import linear

F = torch.nn.functional
PAIR = {"logistic": F.softplus, "exponential": torch.exp}


class Encoder(torch.nn.Module):
    def __init__(self, w, side, activation="relu"):
        super().__init__()
        self.side, self.activation = side, getattr(torch, activation)
        layers = []
        while f"{side}layer{len(layers)}_weight" in w:
            name = f"{side}layer{len(layers)}_"
            layers.append(linear(w[name + "weight"], w.get(name + "bias")))
        self.layers = torch.nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)

    def weights(self):
        out = {}
        for i, layer in enumerate(self.layers):
            out[f"{self.side}layer{i}_weight"] = layer.weight.T
            if layer.bias is not None:
                out[f"{self.side}layer{i}_bias"] = layer.bias[None]
        return out


def top(score, k):
    """The k best by score; equal ones by number."""
    return torch.sort(score, dim=-1, descending=True, stable=True).indices[..., :k]


def adore(query, documents, relevant, k, cut=None, first=1, margin=None, kind="logistic"):
    """The mean over queries of (1/pairs) sum |1/r_i - 1/r_j| l(s_j - s_i), i relevant, j not, both in
    the query's list of k, behind which all relevant ones stand where it has none."""
    total = 0
    with torch.no_grad():
        lists = top(query @ documents.T, k)
    for q, found, wanted in zip(query, lists, relevant):
        mine = torch.isin(found, wanted)
        if not mine.any():
            found, mine = torch.cat([found, wanted]), torch.cat([mine, torch.ones_like(wanted).bool()])
        rank = torch.arange(1, len(found) + 1).to(q.dtype)
        u = 1 / rank if cut is None else torch.where(rank <= cut, 1 / rank, torch.zeros_like(rank))
        s = documents[found] @ q
        pairs = mine[:, None] & ~mine[None] & (rank >= first)[None]
        if margin is not None:
            pairs &= s[None] < (s - margin * s.abs())[:, None]
        loss = (u[:, None] - u[None]).abs() * PAIR[kind](s[None] - s[:, None])
        if pairs.any():
            total = total + loss[pairs].sum() / pairs.sum()
    return total / len(query)


def adore_batch(query, documents, relevant, k):
    """The same for one relevant document a query (relevant: [queries]), all queries at once."""
    with torch.no_grad():
        lists = top_fast(query @ documents.T, k)
    lists = torch.cat([lists, relevant[:, None]], 1)
    mine = lists == relevant[:, None]
    listed = mine[:, :-1].any(1)
    mine[:, -1] &= ~listed
    u = 1 / torch.arange(1, k + 2, dtype=query.dtype)
    s = torch.einsum("qw,qkw->qk", query, documents[lists])
    at = mine.int().argmax(1)
    others = ~mine
    others[:, -1] = False
    loss = (u[at][:, None] - u[None]).abs() * F.softplus(s - s.gather(1, at[:, None]))
    return ((loss * others).sum(1) / others.sum(1)).mean()


def top_fast(score, k):
    return torch.topk(score, k, dim=1).indices


def in_batch(query, positive, relevant, numbers, kind="logistic"):
    """Negatives: what is relevant to the others of the batch, and not to the query itself."""
    s = query @ positive.T
    total = 0
    for i, wanted in enumerate(relevant):
        others = ~torch.isin(numbers, wanted)
        if others.any():
            total = total + PAIR[kind](s[i, others] - s[i, i]).mean()
    return total / len(query)


def against(query, positive, negative, known, kind="logistic"):
    """One negative for each query; known: where there is one."""
    s = (query * (negative - positive)).sum(1)
    return (PAIR[kind](s) * known).sum() / len(query)
