"""resmlp and unrolled in PyTorch, from the formulas, as a user would write them; weights as our files
have them, y = x W + b with W (in, out)."""

import torch

from torch_vector import ACTIVATION, linear


class Recursion(torch.nn.Module):
    """x_0 -> x_N, by one module a layer (tied: the same N times), of a RevNet two."""

    def __init__(self, layers, update="momentum", gamma=.9, scale=1.):
        super().__init__()
        self.layers, self.update, self.gamma, self.scale = layers, update, gamma, scale

    def forward(self, x, *more):
        if self.update == "revnet":
            a, b = x.chunk(2, dim=1)
            for f, g in self.layers:
                a = a + self.scale * f(b, *more)
                b = b + self.scale * g(a, *more)
            return torch.cat([a, b], dim=1)
        gamma = self.gamma if self.update == "momentum" else 0
        v = torch.zeros_like(x)
        for f in self.layers:
            v = gamma * v + (1 - gamma) * self.scale * f(x, *more)
            x = x + v
        return x


def layers(make, depth, tied, update):
    """make(prefix): a module; RevNets have pairs."""
    kinds = "fg" if update == "revnet" else ""
    one = [[make(f"layer{k}_{h}") for h in kinds] if kinds else make(f"layer{k}")
           for k in range(1 if tied else depth)]
    return one * depth if tied else one


class Block(torch.nn.Module):
    def __init__(self, w, prefix, activation):
        super().__init__()
        self.into = linear(w[f"{prefix}_in_weight"], w.get(f"{prefix}_in_bias"))
        self.out = linear(w[f"{prefix}_out_weight"], w.get(f"{prefix}_out_bias"))
        self.activation = ACTIVATION[activation]

    def forward(self, x):
        return self.out(self.activation(self.into(x)))


class Soft(torch.nn.Module):
    """f(x, u) = S(x W_1 + u W_2, theta) - x."""

    def __init__(self, w, prefix):
        super().__init__()
        names = ["code_weight", "input_weight", "threshold"]
        self.code, self.input, self.theta = (
            torch.nn.Parameter(w[f"{prefix}_{name}"].clone()) for name in names)

    def forward(self, x, u):
        z = x @ self.code + u @ self.input
        return torch.sign(z) * torch.relu(z.abs() - self.theta) - x


class Named(torch.nn.Module):
    """A network that tells its weights under our names: parts are (prefix, module)."""

    def parts(self, made):
        self.made = torch.nn.ModuleDict(made)

    def weights(self):
        out = {}
        for prefix, part in self.made.items():
            if isinstance(part, torch.nn.Linear):
                part = {"weight": part}
            elif isinstance(part, Block):
                part = {"in_weight": part.into, "out_weight": part.out}
            else:
                part = {"code_weight": part.code, "input_weight": part.input,
                        "threshold": part.theta}
            for name, p in part.items():
                if isinstance(p, torch.nn.Linear):
                    out[f"{prefix}_{name}"] = p.weight.T
                    if p.bias is not None:
                        out[f"{prefix}_{name}".replace("weight", "bias")] = p.bias[None]
                else:
                    out[f"{prefix}_{name}"] = p
        return out


class ResMLP(Named):
    def __init__(self, w, depth, tied=False, update="momentum", activation="relu", **recursion):
        super().__init__()
        made = {name: linear(w[f"{name}_weight"], w.get(f"{name}_bias"))
                for name in ("readin", "readout") if f"{name}_weight" in w}

        def make(prefix):
            made[prefix] = Block(w, prefix, activation)
            return made[prefix]
        self.recursion = Recursion(layers(make, depth, tied, update), update, **recursion)
        self.parts(made)

    def forward(self, x):
        if "readin" in self.made:
            x = self.made["readin"](x)
        x = self.recursion(x)
        return self.made["readout"](x) if "readout" in self.made else x


class Unrolled(Named):
    def __init__(self, w, depth, tied=True, update="momentum", **recursion):
        super().__init__()
        made = {}

        def make(prefix):
            made[prefix] = Soft(w, prefix)
            return made[prefix]
        self.recursion = Recursion(layers(make, depth, tied, update), update, **recursion)
        self.codes = next(iter(w.values())).shape[1]
        self.parts(made)

    def forward(self, u):
        halves = 2 if self.recursion.update == "revnet" else 1
        x = self.recursion(u.new_zeros(len(u), halves * self.codes), u)
        return x if halves == 1 else x.view(len(u), 2, -1).mean(1)
