"""Forces on the pivots of a band, and their places along it.

A band is a matrix of n + 2 rows: A, the pivots w_1, ..., w_n, B.
"""

from __future__ import annotations

import torch
from torch import Tensor


def norms(rows: Tensor) -> Tensor:
    """Euclidean norms, shape (rows,), summed in float64."""
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=1, dtype=torch.float64)
    return lengths


def units(rows: Tensor) -> Tensor:
    """Rows scaled to norm 1; those of norm 0 stay."""
    lengths = norms(rows)
    return rows / torch.where(lengths > 0, lengths, 1.0).to(rows.dtype)[:, None]


def tangents(band: Tensor, losses: Tensor, rule: str) -> Tensor:
    r"""Unit tangents :math:`\tau_i` at the pivots, shape (n, size).

    With :math:`\tau^+ = w_{i+1} - w_i` and :math:`\tau^- = w_i - w_{i-1}`, before normalisation:
    ``improved``: :math:`\tau^+` where :math:`L_{i+1} > L_{i-1}`, else :math:`\tau^-` (Draxler et
    al., sec. 3). ``central``: :math:`\tau^+ + \tau^-`. ``henkelman``: where :math:`L_i` is between
    its neighbours as ``improved``; at extrema :math:`\tau^+ \Delta_{max} + \tau^- \Delta_{min}` if
    :math:`L_{i+1} > L_{i-1}`, else :math:`\tau^+ \Delta_{min} + \tau^- \Delta_{max}`, with the
    larger and the smaller of :math:`|L_{i+1} - L_i|` and :math:`|L_{i-1} - L_i|` (Henkelman &
    Jonsson 2000, eq. 8 to 11).

    Arguments:
        band: Shape (n + 2, size).
        losses: The losses of all rows, shape (n + 2,).
        rule: ``improved``, ``central`` or ``henkelman``.
    """
    steps = band.diff(dim=0)
    behind, ahead = steps[:-1], steps[1:]
    if rule == "central":
        return units(ahead + behind)
    up = (losses[2:] > losses[:-2])[:, None]
    tangent = torch.where(up, ahead, behind)
    if rule == "henkelman":
        change = losses.diff()
        extreme = (change[1:] * change[:-1] <= 0) & (change[1:] != change[:-1])
        sizes = torch.stack([change[:-1].abs(), change[1:].abs()]).to(band.dtype)
        low, high = sizes.amin(0)[:, None], sizes.amax(0)[:, None]
        mixed = ahead * torch.where(up, high, low) + behind * torch.where(up, low, high)
        tangent = torch.where(extreme[:, None], mixed, tangent)
    return units(tangent)


def perpendicular(gradients: Tensor, tangents: Tensor) -> Tensor:
    r"""Force across the band, :math:`-(g_i - (g_i \cdot \tau_i)\, \tau_i)`, shape (n, size)."""
    along: Tensor = torch.linalg.vecdot(gradients, tangents)
    return along[:, None] * tangents - gradients


def parallel(band: Tensor, shares: Tensor, k: float) -> Tensor:
    r"""Pull of springs along the tangent, :math:`k\,(|w_{i+1} - w_i| - |w_i - w_{i-1}|)`.

    A line that is to be shorter than others counts as longer in proportion, so that the pull is 0
    where lengths are as ``shares``; where those are equal that is the formula above.

    Arguments:
        band: Shape (n + 2, size).
        shares: Shares of the band's length that its lines are to have, shape (n + 1,), float64.
        k: The springs' stiffness.

    Returns:
        Shape (n,), float64.
    """
    lengths = norms(band.diff(dim=0)) / (shares * len(shares))
    return k * lengths.diff()


def redistribute(band: Tensor, shares: Tensor, size: int) -> Tensor:
    """Band whose pivots are moved along its lines, so that their lengths are as ``shares``.

    Where lines meet at an angle, corners are cut: the new band is no longer than the old one.

    Arguments:
        band: Shape (n + 2, columns).
        shares: See `parallel`; they sum to 1.
        size: The leading columns that lengths are measured in.
    """
    position = torch.nn.functional.pad(norms(band[:, :size].diff(dim=0)).cumsum(0), (1, 0))
    target = shares.cumsum(0)[:-1] * position[-1]
    line = (torch.searchsorted(position, target, right=True) - 1).clamp(0, len(shares) - 1)
    lengths = position.diff()[line]
    fraction = (target - position[line]) / torch.where(lengths > 0, lengths, 1.0)
    weights = fraction.clamp(0, 1).to(band.dtype)[:, None]
    pivots = torch.lerp(band[line], band[line + 1], weights)
    return torch.cat([band[:1], pivots, band[-1:]])
