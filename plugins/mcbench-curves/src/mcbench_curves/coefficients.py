"""What each control point contributes to a curve at given times."""

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


SHAPES = {"polychain": polychain, "bezier": bezier}
"""The coefficients by the shape's name."""
