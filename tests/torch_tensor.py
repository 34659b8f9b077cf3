"""The tensor network of order 2 in PyTorch, as its user would write it: the fifteen equivariant maps
of a batch of matrices by sums and broadcasting (Maron and others), and a read-out."""

import torch


def maps(x):
    """[batch, n, n] to [15, batch, n, n]: sums over indices, placed on rows, columns, diagonal."""
    n = x.shape[-1]
    eye = torch.eye(n, dtype=x.dtype)
    diagonal = x.diagonal(dim1=1, dim2=2)
    vectors = [diagonal, x.sum(2), x.sum(1)]
    trace, total = diagonal.sum(1)[:, None, None], x.sum((1, 2))[:, None, None]
    one = torch.ones_like(x)
    out = [x, x.transpose(1, 2)]
    for v in vectors:
        out += [v[:, :, None] * one, v[:, None, :] * one, v[:, :, None] * eye]
    out += [trace * one, trace * eye, total * one, total * eye]
    return torch.stack(out)


class Tensor(torch.nn.Module):
    def __init__(self, channels, dtype):
        super().__init__()
        def weight(*shape):
            return torch.nn.Parameter(.1 * torch.randn(*shape, dtype=dtype))
        self.into, self.bias, self.out = weight(15, channels), weight(2, channels), weight(2, channels)
        self.last = weight(1)

    def forward(self, x):
        n = x.shape[-1]
        eye = torch.eye(n, dtype=x.dtype)[None, :, :, None]
        t = torch.einsum("pbij,ps->bijs", maps(x), self.into)
        t = torch.relu(t + self.bias[0] + eye * self.bias[1])
        return t.sum((1, 2)) @ self.out[0] + (eye * t).sum((1, 2)) @ self.out[1] + self.last
