"""Coefficients of a curve's control points at given times, and their derivatives."""

from __future__ import annotations

from math import comb

import torch
from torch import Tensor


def polychain(t: Tensor, bends: int) -> Tensor:
    r"""Hat functions :math:`c_i(t) = \max(0,\, 1 - |(n+1)\,t - i|)`, i = 0, ..., n + 1.

    Between i/(n+1) and (i+1)/(n+1) the curve is the line from control point i to i + 1
    (Garipov et al., NeurIPS 2018, appendix A).

    Arguments:
        t: Times in [0, 1], shape (m,), floating point.
        bends: n, the number of control points between the ends, at least 1.

    Returns:
        Shape (m, n + 2); rows sum to 1.
    """
    nodes = torch.arange(bends + 2, device=t.device)
    return (1 - ((bends + 1) * t[:, None] - nodes).abs()).clamp_min(0)


def bezier(t: Tensor, bends: int) -> Tensor:
    r"""Bernstein polynomials :math:`c_i(t) = \binom{n+1}{i} t^i (1-t)^{n+1-i}`, i = 0, ..., n+1.

    Garipov et al., NeurIPS 2018, appendix A. Arguments and result are as for `polychain`; the
    formula holds for ``bends`` from -1 on.
    """
    degree = bends + 1
    i = torch.arange(degree + 1, device=t.device)
    binomials = torch.tensor([comb(degree, k) for k in range(degree + 1)]).to(t)
    return binomials * t[:, None] ** i * (1 - t[:, None]) ** (degree - i)


def polychain_slopes(t: Tensor, bends: int) -> Tensor:
    """Derivatives of `polychain` in t, shape (m, n + 2); at a corner those behind it."""
    count = bends + 1
    leg = (count * t).long().clamp(0, count - 1)
    slopes = torch.zeros(len(t), count + 1, dtype=t.dtype, device=t.device)
    slopes.scatter_(1, leg[:, None], -float(count))
    return slopes.scatter_(1, leg[:, None] + 1, float(count))


def bezier_slopes(t: Tensor, bends: int) -> Tensor:
    r"""Derivatives of `bezier` in t, shape (m, n + 2).

    :math:`(n+1)\,(b_{i-1}(t) - b_i(t))` with Bernstein polynomials b of degree n.
    """
    lower = (bends + 1) * bezier(t, bends - 1)
    zero = torch.zeros_like(lower[:, :1])
    return torch.cat([zero, lower], 1) - torch.cat([lower, zero], 1)


def weighted(weights: Tensor, rows: Tensor, out: Tensor) -> Tensor:
    """Sum of weight x row, written to ``out``; rows of weight 0 are not read.

    Arguments:
        weights: Shape (n,), on the CPU.
        rows: Shape (n, size).
        out: Shape (size,).
    """
    parts = [(w, row) for w, row in zip(weights.tolist(), rows, strict=True) if w]
    torch.mul(parts[0][1], parts[0][0], out=out)
    for weight, row in parts[1:]:
        out.add_(row, alpha=weight)
    return out


SHAPES = {"polychain": polychain, "bezier": bezier}
"""Coefficients by the name of the curve's shape."""

SLOPES = {"polychain": polychain_slopes, "bezier": bezier_slopes}
"""Derivatives of the coefficients by the name of the curve's shape."""
