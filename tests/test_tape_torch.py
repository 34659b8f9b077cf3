"""The tape's operations against PyTorch: values, tangents, gradients and Hessians times vectors of
every case of tests/tape_cases.h, in double precision.  Skipped where PyTorch is not installed."""

import os
import subprocess
from pathlib import Path

import pytest

import pl_run

torch = pytest.importorskip("torch", reason="PyTorch is not installed: no oracle for the tape")
F = torch.nn.functional
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

PROGRAM = Path(os.environ.get("PL_TEST_TAPE", pl_run.ROOT / "build" / "tests" / "test_tape"))
TOLERANCE = 1e-13

# The parameters of tape_cases.h.
START = [0, 2, 2, 5, 6, 6]
INDEX = [3, 0, 3, 2, 5, 3, 1]
LABEL = [2, 2, -1, 3]
MASK = torch.tensor([1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1], dtype=torch.bool).view(4, 4)
CSR_START = [0, 2, 3, 3, 7, 8]
CSR_INDEX = [3, 0, 1, 3, 0, 3, 5, 4]
CSR_VALUE = torch.tensor([.5, -2, 1.5, .25, 3, -1, .7, 1.1])
CSR_ROW = [i for i in range(5) for _ in range(CSR_START[i], CSR_START[i + 1])]


def segments(x, start, f):
    return [f(x[a:b]) for a, b in zip(start, start[1:])]


def sparse(value, x):
    return torch.zeros(5, x.shape[1]).index_add(0, torch.tensor(CSR_ROW), value * x[CSR_INDEX])


def masked(x, f):
    """f over each row's entries that the mask takes; rows without any are left out."""
    return [f(x[i][MASK[i]]) for i in range(4) if MASK[i].any()]


def softmax(x):
    if x.shape != (4, 4):
        return torch.softmax(x, 1)
    y = torch.zeros(4, 4)
    rows = [i for i in range(4) if MASK[i].any()]
    for i, p in zip(rows, masked(x, lambda r: torch.softmax(r, 0))):
        y = y.index_put((torch.tensor(i).expand(len(p)), MASK[i].nonzero()[:, 0]), p)
    return y


def likelihood(x):
    """log-softmax under the mask, at the labels; a column."""
    x = torch.where(MASK, x, torch.tensor(-1e300))
    rows = [i for i in range(4) if LABEL[i] >= 0]
    y = torch.log_softmax(x[rows], 1)[range(len(rows)), [LABEL[i] for i in rows]]
    return torch.zeros(4, 1).index_put((torch.tensor(rows), torch.tensor(0)), y)


def pick(x):
    if x.shape == (4, 4):
        return likelihood(x)
    rows = [i for i in range(4) if LABEL[i] >= 0]
    y = x[rows, [LABEL[i] for i in rows]]
    return torch.zeros(4, 1).index_put((torch.tensor(rows), torch.tensor(0)), y)


def images(x):
    return x.view(2, 4, 5, 3).permute(0, 3, 1, 2)


def pixels(y):
    return y.permute(0, 2, 3, 1).reshape(-1, 3)


def im2col(x):
    y = F.unfold(images(x), 3, padding=1, stride=2)  # [image][channel, pixel][window]
    return y.view(2, 3, 9, -1).permute(0, 3, 2, 1).reshape(-1, 27)


def classifier(x, w, b):
    h = F.silu(x @ w + b)
    h = h / F.softplus(h.sum(1, keepdim=True))
    return likelihood(h).mean().view(1, 1)


def attention(x, a):
    share = torch.cat(segments((x @ a)[CSR_INDEX], CSR_START, lambda s: torch.softmax(s, 0)))
    return torch.tanh(sparse(share, x))


def mean(*x):
    if len(x) == 3:
        return classifier(*x)
    return (x[0].mean() if x[0].numel() else x[0].sum()).view(1, 1)


def tanh(*x):
    return attention(*x) if len(x) == 2 else torch.tanh(x[0])


STIFF = 3 * torch.eye(6) - torch.diag(torch.ones(5), 1) - torch.diag(torch.ones(5), -1)
FIRST = {
    "tanh": tanh, "sigmoid": torch.sigmoid, "silu": F.silu,
    "softplus": lambda x: F.softplus(x, threshold=99), "relu": torch.relu, "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt,
    "square": torch.square, "abs": torch.abs, "sign": lambda x: torch.sign(x) + 0 * x**2,  # 0 has second derivatives
    "soft_threshold": lambda x: F.softshrink(x, .7),
    "scale": lambda x: -1.5 * x, "sum": lambda x: x.sum().view(1, 1), "mean": mean,
    "row_sums": lambda x: x.sum(1, keepdim=True), "col_sums": lambda x: x.sum(0, keepdim=True),
    "row_max": lambda x: x.amax(1, keepdim=True), "softmax": softmax,
    "log_softmax": lambda x: torch.log_softmax(x, 1), "transpose": lambda x: x.T,
    "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div,
    "maximum": torch.maximum, "matmul": torch.matmul, "matmul_nt": lambda a, b: a @ b.T,
    "matmul_tn": lambda a, b: a.T @ b, "affine": lambda x, w, b: x @ w + b,
    "spmm": lambda x: sparse(CSR_VALUE[:, None], x), "spmm_weighted": sparse,
    "segment_sum": lambda x: torch.stack(segments(x, START, lambda s: s.sum(0))),
    "segment_max": lambda x: torch.stack(segments(
        x, START, lambda s: s.amax(0) if len(s) else s.sum(0))),
    "softmax_segments": lambda x: torch.cat(segments(x, START, lambda s: torch.softmax(s, 0))),
    "pick": pick, "rows": lambda x: x[2:5], "cols": lambda x: x[:, 1:4],
    "concat_rows": lambda *x: torch.cat(x), "reshape": lambda x: x.reshape(3, 8),
    "concat_cols": lambda *x: torch.cat(x if len(x) > 1 else (x[0], x[0]), 1), "im2col": im2col,
    "mean_pool": lambda x: pixels(F.avg_pool2d(images(x), 2)),
    "max_pool": lambda x: pixels(F.max_pool2d(images(x), 2)),
    "solve": lambda x: torch.linalg.solve(STIFF, x),
}


def cases():
    done = subprocess.run([PROGRAM, "values"], text=True, capture_output=True, check=True,
                          env=pl_run.environment())
    lines = iter(done.stdout.splitlines())
    for line in lines:
        _, op, nested, *sizes = line.split()
        sizes = [int(s) for s in sizes]
        numbers = {}
        for _ in range(7):
            what, *values = next(lines).split()
            numbers[what] = torch.tensor([float.fromhex(v) for v in values])
        yield op, nested == "1", sizes[:2], list(zip(sizes[2::2], sizes[3::2])), numbers


def split(x, shapes):
    return [p.view(s) for p, s in zip(x.split([r * c for r, c in shapes]), shapes)]


def apply(op, inputs, out):
    if op == "gather":
        return inputs[0][INDEX[:out[0]]]
    return FIRST[op](*inputs)


def close(ours, theirs):
    scale = 1 + theirs.abs().max() if theirs.numel() else 1
    return ours.shape == theirs.shape and ((ours - theirs).abs() <= TOLERANCE * scale).all()


def test_every_case_agrees():
    seen = 0
    for op, nested, out, shapes, k in cases():
        if op == "dropout":  # draws numbers of its own
            continue

        def f(x):
            inputs = split(x, shapes)
            if nested:
                inputs = [a + a ** 2 / 20 for a in inputs]
            y = apply(op, inputs, out)
            assert list(y.shape) == out, (op, shapes)
            return (y * y if nested else y).reshape(-1)

        x = k["x"].requires_grad_()
        y = f(x)
        assert close(k["y"], y.detach()), (op, nested, shapes, "value")
        u = k["u"].clone().requires_grad_()
        (g,) = torch.autograd.grad(y, x, u, create_graph=True)
        assert close(k["gradient"], g.detach()), (op, nested, shapes, "gradient")
        # J v is the derivative of <J^T u, v> by u; H v that by x.
        jv, hv = torch.autograd.grad((g * k["v"]).sum(), (u, x), allow_unused=True)
        assert close(k["tangent"], jv), (op, nested, shapes, "tangent")
        hv = torch.zeros_like(x) if hv is None else hv
        assert close(k["hvp"], hv), (op, nested, shapes, "H v")
        seen += 1
    assert seen > 200
