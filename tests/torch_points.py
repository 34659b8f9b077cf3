"""The networks on points in PyTorch, as a user would write them from the formulas of
src/nets/points/README.md, with weights as our files have them: y = x W + b, W (in, out)."""

import numpy as np
import torch

from torch_vector import linear

silu = torch.nn.functional.silu


def pairs(sizes):
    """All ordered pairs of different nodes of each sample: (first, second)."""
    first, second, base = [], [], 0
    for n in sizes:
        for i in range(n):
            for j in range(n):
                if i != j:
                    first.append(base + i)
                    second.append(base + j)
        base += n
    return torch.tensor(first), torch.tensor(second)


def add_up(x, index, count):
    return torch.zeros(count, x.shape[1], dtype=x.dtype).index_add(0, index, x)


class Cloud:
    """A batch: sizes of its samples, pairs, and whatever is known of nodes and pairs."""

    def __init__(self, sizes, **known):
        self.sizes, self.nodes = list(sizes), sum(sizes)
        self.first, self.second = pairs(self.sizes)
        self.sample = torch.repeat_interleave(torch.arange(len(self.sizes)),
                                              torch.tensor(self.sizes))
        neighbours = torch.tensor([n - 1 for n in self.sizes])[self.sample]
        self.share = 1 / neighbours.clamp(min=1)[:, None]
        self.__dict__.update(known)

    def squares(self, x):
        return ((x[self.first] - x[self.second])**2).sum(1, keepdim=True)

    def mean(self, x, f):
        """Mean over the others of (x_i - x_j) f_ij."""
        moves = (x[self.first] - x[self.second]) * f
        return add_up(moves, self.first, self.nodes) * self.share.to(x.dtype)


class Net(torch.nn.Module):
    """Holds nn.Linear layers under our names, and single numbers."""

    def __init__(self, w):
        super().__init__()
        self.layer, self.number = torch.nn.ModuleDict(), torch.nn.ParameterDict()
        for key in sorted(w):
            name, _, part = key.rpartition("_")
            if part == "weight" and key != "decoder_weight":
                self.layer[name] = linear(w[key], w.get(f"{name}_bias"))
            elif key in ("time", "decoder_weight", "decoder_bias"):
                self.number[key] = torch.nn.Parameter(w[key].clone())

    def on(self, name, x):
        return self.layer[name](x)

    def two(self, name, x):
        return self.on(f"{name}2", silu(self.on(f"{name}1", x)))

    def message(self, l, ends, attention=False):
        m = silu(self.on(f"layer{l}_edge2", silu(self.on(f"layer{l}_edge1", ends))))
        return m * torch.sigmoid(self.on(f"layer{l}_attention", m)) if attention else m

    def weights(self):
        out = dict(self.number)
        for name, layer in self.layer.items():
            out[f"{name}_weight"] = layer.weight.T
            if layer.bias is not None:
                out[f"{name}_bias"] = layer.bias[None]
        return out


class EGNN(Net):
    def __init__(self, w, depth, edge_attention=False, velocity="initial", shrink=0):
        super().__init__(w)
        self.depth, self.attention, self.velocity = depth, edge_attention, velocity
        self.shrink = shrink

    def forward(self, b):
        x, particles, graph = b.position, hasattr(b, "velocity"), hasattr(b, "edge")
        if particles:
            v = b.velocity
            h = self.on("embedding", v.norm(dim=1, keepdim=True))
        else:
            h = torch.ones(b.nodes, 1, dtype=x.dtype) if graph else self.on("embedding", b.atom)
        start = b.squares(x)
        for l in range(self.depth):
            known = [b.squares(x)]
            if particles:
                known += [b.charge[b.first] * b.charge[b.second], start]
            elif graph:
                known.append(b.edge)
            m = self.message(l, torch.cat([h[b.first], h[b.second], *known], 1), self.attention)
            if particles or graph:
                step = b.mean(x, self.on(f"layer{l}_coord2", silu(self.on(f"layer{l}_coord1", m))))
                if particles:
                    step = step + self.two(f"layer{l}_velocity", h) * v
                    if self.velocity == "updated":
                        v = step
                x = (x + step) * (1 - self.shrink)
            new = self.two(f"layer{l}_node", torch.cat([h, add_up(m, b.first, b.nodes)], 1))
            h = new if graph and l == 0 else h + new
        if particles:
            return x
        if graph:
            return self.number["decoder_weight"] * b.squares(x) + self.number["decoder_bias"]
        return self.two("molecule", add_up(self.two("atom", h), b.sample, len(b.sizes)))


class GNN(Net):
    def __init__(self, w, depth):
        w = dict(w)
        super().__init__(w)
        if w["decoder_weight"].numel() > 1 if "decoder_weight" in w else False:
            del self.number["decoder_weight"], self.number["decoder_bias"]
            self.layer["decoder"] = linear(w["decoder_weight"], w["decoder_bias"])
        self.depth = depth

    def forward(self, b):
        graph = hasattr(b, "edge")
        if graph:
            h, known = torch.ones(b.nodes, 1, dtype=b.edge.dtype), b.edge
        else:
            h = self.on("embedding", torch.cat([b.position, b.velocity], 1))
            known = b.charge[b.first] * b.charge[b.second]
        for l in range(self.depth):
            m = self.message(l, torch.cat([h[b.first], h[b.second], known], 1))
            new = self.two(f"layer{l}_node", torch.cat([h, add_up(m, b.first, b.nodes)], 1))
            h = new if graph and l == 0 else h + new
        if not graph:
            return self.two("decoder", h)
        x = self.on("position", h)
        return self.on("decoder", (x[b.first] - x[b.second])**2)


class Radial(Net):
    def __init__(self, w, depth, form="square", shrink=0):
        super().__init__(w)
        self.depth, self.form, self.shrink = depth, form, shrink

    def forward(self, b):
        x, graph = b.position, hasattr(b, "edge")
        start = b.squares(x)
        for l in range(self.depth):
            r = b.squares(x) if self.form == "square" else b.squares(x).sqrt()
            known = [b.edge] if graph else [b.charge[b.first] * b.charge[b.second], start]
            f = self.two(f"layer{l}_phi", torch.cat([r, *known], 1))
            step = b.mean(x, torch.tanh(f) if self.form == "tanh" else f)
            if not graph:
                speed = b.velocity.norm(dim=1, keepdim=True)
                step = step + self.two(f"layer{l}_velocity", speed) * b.velocity
            x = x * (1 - self.shrink) + step
        if not graph:
            return x
        return self.number["decoder_weight"] * b.squares(x) + self.number["decoder_bias"]


class Linear(Net):
    def forward(self, b):
        if hasattr(b, "velocity"):
            return b.position + self.number["time"] * b.velocity
        return self.on("counts", add_up((b.atom[:, ::3] != 0).to(b.atom.dtype), b.sample,
                                        len(b.sizes)))


# ---- for bench_torch.py ----


def egnn_weights(depth, width, dtype):
    w = {"embedding_weight": (1, width), "embedding_bias": (1, width)}
    for l in range(depth):
        for name, a, c in (("edge1", 2 * width + 3, width), ("edge2", width, width),
                           ("coord1", width, width), ("coord2", width, 1),
                           ("velocity1", width, width), ("velocity2", width, 1),
                           ("node1", 2 * width, width), ("node2", width, width)):
            w[f"layer{l}_{name}_weight"] = (a, c)
            if name != "coord2":
                w[f"layer{l}_{name}_bias"] = (1, c)
    return {k: ((torch.rand(s) - .5) * .2).to(dtype) for k, s in w.items()}


def egnn_row(folder, batch=100, nodes=5, width=64, depth=4):
    """A training step of EGNN on systems of particles."""
    import netCDF4
    rng = np.random.default_rng(0)
    x, v, y = (rng.standard_normal((batch, nodes, 3)) for _ in range(3))
    q = rng.choice([-1., 1.], (batch, nodes))
    with netCDF4.Dataset(folder / "d.nc", "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, n in (("sample", batch), ("node", nodes), ("axis", 3)):
            nc.createDimension(name, n)
        for name, value in (("position", x), ("velocity", v), ("target", y)):
            nc.createVariable(name, "f8", ("sample", "node", "axis"))[:] = value
        nc.createVariable("charge", "f8", ("sample", "node"))[:] = q
    keys = {"model": {"kind": "egnn", "width": width, "depth": depth},
            "data": {"kind": "file", "path": str(folder / "d.nc")}, "train": {"batch": batch},
            "record": {"defect": 0},
            "optimizer": {"kind": "adam", "lr": 1e-4, "epsilon_inside": False}}

    def make(dtype):
        flat = [torch.tensor(a.reshape(batch * nodes, -1)).to(dtype) for a in (x, v, q, y)]
        cloud = Cloud([nodes] * batch, position=flat[0], velocity=flat[1], charge=flat[2])
        net = EGNN(egnn_weights(depth, width, dtype), depth)
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)

        def step():
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(net(cloud), flat[3]).backward()
            optimizer.step()
        return step
    return keys, make


ROWS = [("egnn, 4 x 64, batch 100 of 5", egnn_row)]
