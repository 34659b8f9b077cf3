"""mlp and conv in PyTorch, as a user would write them, with weights as our files have them:
y = x W + b with W (in, out); a convolution's rows are kernel row, kernel column, channel."""

import torch

F = torch.nn.functional
ACTIVATION = {"relu": torch.relu, "tanh": torch.tanh, "silu": F.silu, "sigmoid": torch.sigmoid,
              "softplus": F.softplus, "none": lambda x: x}


def linear(weight, bias=None):
    layer = torch.nn.Linear(*weight.shape, bias=bias is not None, dtype=weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight.T)
        if bias is not None:
            layer.bias.copy_(bias[0])
    return layer


def convolution(weight, bias, kernel, stride, padding):
    channels, out = weight.shape[0] // kernel**2, weight.shape[1]
    layer = torch.nn.Conv2d(channels, out, kernel, stride, padding, bias=bias is not None,
                            dtype=weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight.view(kernel, kernel, channels, out).permute(3, 2, 0, 1))
        if bias is not None:
            layer.bias.copy_(bias[0])
    return layer


class MLP(torch.nn.Module):
    def __init__(self, w, depth, activation="relu"):
        super().__init__()
        self.layers = torch.nn.ModuleList(
            linear(w[f"layer{i}_weight"], w.get(f"layer{i}_bias")) for i in range(depth))
        self.activation = ACTIVATION[activation]

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)

    def weights(self):
        """Back under our names and in our shapes."""
        out = {}
        for i, layer in enumerate(self.layers):
            out[f"layer{i}_weight"] = layer.weight.T
            if layer.bias is not None:
                out[f"layer{i}_bias"] = layer.bias[None]
        return out


class Conv(torch.nn.Module):
    def __init__(self, w, depth, activation="relu", kernel=3, stride=1, padding=1, pooling="max",
                 window=2, head="flatten"):
        super().__init__()
        self.layers = torch.nn.ModuleList(
            convolution(w[f"layer{i}_weight"], w.get(f"layer{i}_bias"), kernel, stride, padding)
            for i in range(depth))
        self.head = linear(w["head_weight"], w.get("head_bias"))
        self.activation, self.pooling, self.window = ACTIVATION[activation], pooling, window
        self.mean = head == "mean"

    def forward(self, x):
        """x: images as our rows have them, [count, height, width, channels]."""
        x = x.permute(0, 3, 1, 2)
        for layer in self.layers:
            x = self.activation(layer(x))
            if self.pooling == "max":
                x = F.max_pool2d(x, self.window)
            elif self.pooling == "mean":
                x = F.avg_pool2d(x, self.window)
        x = x.mean((2, 3)) if self.mean else x.permute(0, 2, 3, 1).flatten(1)
        return self.head(x)

    def weights(self):
        out = {}
        for i, layer in enumerate(self.layers):
            w = layer.weight.permute(2, 3, 1, 0)
            out[f"layer{i}_weight"] = w.reshape(-1, w.shape[-1])
            if layer.bias is not None:
                out[f"layer{i}_bias"] = layer.bias[None]
        out["head_weight"] = self.head.weight.T
        if self.head.bias is not None:
            out["head_bias"] = self.head.bias[None]
        return out


def loss(kind, f, y, classes):
    if kind == "softmax":
        return F.cross_entropy(f, y.long())
    if kind == "logistic":
        return F.soft_margin_loss(f[:, 0], 2 * y.to(f.dtype) - 1)
    return F.mse_loss(f, F.one_hot(y.long(), classes).to(f.dtype) if classes else y)
