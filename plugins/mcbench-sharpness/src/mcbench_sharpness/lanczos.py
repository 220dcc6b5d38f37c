"""The Lanczos iteration, for several symmetric matrices at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

ROUNDING = 100
"""Units of rounding up to which the length of a new direction counts as 0."""


def top(times: Callable[[Tensor], Tensor], start: Tensor, steps: int) -> Tensor:
    r"""Algebraically largest Ritz value of each matrix, and its residual.

    The residual :math:`|A x - \theta x|` is measured, with one more product: the estimate that
    the iteration gives, :math:`\beta` times the last entry of the tridiagonal matrix's
    eigenvector, does not know the rounding of the products.

    Returns:
        Shape (matrices, 2), float64, on the CPU. There is an eigenvalue within the residual of
        the value.
    """
    diagonal, beside, basis = tridiagonal(times, start, steps)
    matrices = diagonal.diag_embed()
    inner = beside[:, :-1]
    matrices += inner.diag_embed(1) + inner.diag_embed(-1)
    values, vectors = torch.linalg.eigh(matrices)
    theta = values[:, -1]
    x = torch.einsum("mjd,mj->md", basis, vectors[:, :, -1].to(basis))
    x = x / length(x)[:, None].to(x)
    rest = times(x).double() - theta.to(x.device)[:, None] * x.double()
    return torch.stack([theta, length(rest).cpu()], dim=1)


def tridiagonal(
    times: Callable[[Tensor], Tensor], start: Tensor, steps: int
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Tridiagonal matrices of the Krylov spaces of start vectors, with full reorthogonalisation.

    :math:`\beta_j q_{j+1} = A q_j - \alpha_j q_j - \beta_{j-1} q_{j-1}`, where each new direction
    is made orthogonal to all before it, twice. Where a space is exhausted, :math:`\beta_j` is 0
    and the iteration continues with a new direction outside it.

    Arguments:
        times: Gives the products of the matrices with vectors, shape (matrices, d).
        start: Shape (matrices, d), not 0.
        steps: How many steps; at most d are taken.

    Returns:
        :math:`\alpha` and :math:`\beta`, both of shape (matrices, steps), float64, on the CPU;
        the last :math:`\beta` leads out of the space. And the directions q, shape
        (matrices, steps, d).
    """
    count, size = start.shape
    steps = min(steps, size)
    basis = start.new_empty(count, steps, size)
    alpha = torch.zeros(count, steps, dtype=torch.float64, device=start.device)
    beta = torch.zeros_like(alpha)
    draws = torch.Generator().manual_seed(0)
    scale = alpha[:, 0]
    q = start / length(start)[:, None].to(start)
    for j in range(steps):
        basis[:, j] = q
        w = times(q)
        alpha[:, j] = (q.double() * w.double()).sum(1)
        w = orthogonal(orthogonal(w, basis[:, : j + 1]), basis[:, : j + 1])
        beta[:, j] = length(w)
        scale = torch.maximum(scale, torch.maximum(alpha[:, j].abs(), beta[:, j]))
        spent = beta[:, j] <= ROUNDING * torch.finfo(start.dtype).eps * scale
        if bool(spent.any()):
            beta[:, j].masked_fill_(spent, 0)
            fresh = torch.randn(size, generator=draws).to(start).expand(count, -1)
            for _ in range(3):
                fresh = orthogonal(fresh, basis[:, : j + 1])
            w = torch.where(spent[:, None], fresh, w)
        q = w / length(w).clamp_min(torch.finfo(start.dtype).tiny)[:, None].to(start)
    return alpha.cpu(), beta.cpu(), basis


def orthogonal(vectors: Tensor, basis: Tensor) -> Tensor:
    """Vectors, shape (matrices, d), less their parts along orthonormal ones, (matrices, j, d)."""
    parts = torch.einsum("mjd,md->mj", basis, vectors)
    return vectors - torch.einsum("mjd,mj->md", basis, parts)


def length(vectors: Tensor) -> Tensor:
    """Euclidean length along the last dimension, float64."""
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=-1, dtype=torch.float64)
    return lengths
