"""MAML, FOMAML, Reptile and implicit MAML in PyTorch, as a user would write them from the papers'
formulas, around networks given as functions of their weights: a dict under our files' names and in
their shapes."""

import numpy as np
import torch

F = torch.nn.functional
ACTIVATION = {"relu": torch.relu, "tanh": torch.tanh, "silu": F.silu, "softplus": F.softplus,
              "sigmoid": torch.sigmoid, "none": lambda x: x}


# ---- networks: outputs of samples x at weights w ----


def mlp(activation="relu"):
    def outputs(w, x):
        depth = sum(k.endswith("_weight") for k in w)
        for i in range(depth):
            x = x @ w[f"layer{i}_weight"] + w[f"layer{i}_bias"]
            if i < depth - 1:
                x = ACTIVATION[activation](x)
        return x
    return outputs


def conv(image, activation="relu", stride=2, norm="batch", pooling="none", head="flatten"):
    def outputs(w, x):
        x = x.view(-1, *image).permute(0, 3, 1, 2)
        for i in range(sum(k.endswith("_weight") for k in w) - 1):
            kernel = w[f"layer{i}_weight"]
            kernel = kernel.view(3, 3, -1, kernel.shape[1]).permute(3, 2, 0, 1)
            x = F.conv2d(x, kernel, w[f"layer{i}_bias"][0], stride, 1)
            if norm == "batch":
                x = F.batch_norm(x, None, None, w[f"layer{i}_gain"][0], w[f"layer{i}_shift"][0],
                                 training=True)
            x = ACTIVATION[activation](x)
            if pooling != "none":
                x = {"max": F.max_pool2d, "mean": F.avg_pool2d}[pooling](x, 2)
        x = x.mean((2, 3)) if head == "mean" else x.permute(0, 2, 3, 1).flatten(1)
        return x @ w["head_weight"] + w["head_bias"]
    return outputs


def gcnn(table):
    """table[g, h]: the number of gh.  A layer is (Wx)(g) = sum_h w(h) x(gh)."""
    def outputs(w, x):
        for i in range(len(w) - 1):
            x = x[:, table] @ w[f"layer{i}_weight"][:, 0]
        return x @ w[f"layer{len(w) - 1}_weight"]
    return outputs


def linear(w, x):
    return x @ w["layer0_weight"]


# ---- one task ----


def loss(outputs, w, x, y):
    f = outputs(w, x)
    return F.cross_entropy(f, y) if y.dtype == torch.long else F.mse_loss(f, y)


def gradient(value, w, **more):
    return dict(zip(w, torch.autograd.grad(value, list(w.values()), **more)))


def leaves(w):
    return {k: v.detach().requires_grad_() for k, v in w.items()}


def adapt(outputs, theta, x, y, steps, lr, pull=0, differentiable=False):
    """`steps` of gradient descent on the loss and pull/2 ||phi - theta||^2, from theta."""
    w = dict(theta) if differentiable else leaves(theta)
    for _ in range(steps):
        g = gradient(loss(outputs, w, x, y), w, create_graph=differentiable)
        w = {k: w[k] - lr * (g[k] + pull * (w[k] - theta[k])) for k in w}
        if not differentiable:
            w = leaves(w)
    return w


def flat(w):
    return torch.cat([v.reshape(-1) for v in w.values()])


def conjugate_gradients(product, b, steps):
    """Stops where a direction curves down: with b, if that is the first."""
    x, r, p = torch.zeros_like(b), b.clone(), b.clone()
    rr = r @ r
    for k in range(steps):
        if rr == 0:
            break
        Ap = product(p)
        curvature = p @ Ap
        if curvature <= 0:
            return x if k else b
        alpha = rr / curvature
        x = x + alpha * p
        r = r - alpha * Ap
        new = r @ r
        p = r + new / rr * p
        rr = new
    return x


def meta_gradient(outputs, theta, task, method, steps, lr, lam=2., cg_steps=5, operator="paper",
                  damping=1.):
    """Query loss after adaptation, and the meta-gradient as one vector.  task: x, y of the support
    samples, x, y of the query samples."""
    x, y, query_x, query_y = task
    theta = leaves(theta)
    if method == "maml":
        phi = adapt(outputs, theta, x, y, steps, lr, lam, differentiable=True)
        value = loss(outputs, phi, query_x, query_y)
        return float(value), flat(gradient(value, theta))
    published = method == "imaml" and operator == "damped"
    phi = adapt(outputs, theta, x, y, steps, lr, 0 if published else lam)
    if published:
        phi = leaves({k: phi[k] - lr * lam * (phi[k] - theta[k]) for k in phi})
    value = loss(outputs, phi, query_x, query_y)
    g = flat(gradient(value, phi))
    if method == "reptile":
        all_x, all_y = torch.cat([x, query_x]), torch.cat([y, query_y])
        end = adapt(outputs, theta, all_x, all_y, steps, lr, lam)
        return float(value), flat(theta).detach() - flat(end).detach()
    if method == "imaml":
        inner = flat(gradient(loss(outputs, phi, x, y), phi, create_graph=True))
        identity, scale = (1 + damping, lam + 10) if operator == "damped" else (1, lam)

        def product(v):
            back = torch.autograd.grad(inner, list(phi.values()), v, retain_graph=True)
            return identity * v + torch.cat([b.reshape(-1) for b in back]) / scale
        g = conjugate_gradients(product, g.detach(), cg_steps)
    return float(value), g.detach()


# ---- the outer step ----


class Outer:
    """theta and an optimiser: step(tasks) is one step over a list of tasks."""

    def __init__(self, outputs, theta, optimizer, **keys):
        self.outputs, self.keys = outputs, keys
        self.theta = {k: torch.nn.Parameter(v.clone()) for k, v in theta.items()}
        self.optimizer = optimizer(list(self.theta.values()))

    def gradient(self, tasks):
        """Mean query loss and mean meta-gradient, the latter into .grad."""
        each = [meta_gradient(self.outputs, self.theta, t, **self.keys) for t in tasks]
        g = torch.stack([b for _, b in each]).mean(0)
        for p, part in zip(self.theta.values(), g.split([p.numel() for p in self.theta.values()])):
            p.grad = part.view(p.shape)
        return float(np.mean([a for a, _ in each])), float(g.norm())

    def step(self, tasks):
        self.gradient(tasks)
        self.optimizer.step()
