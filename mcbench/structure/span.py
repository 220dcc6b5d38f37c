"""`Span`, one affine layer at several points whose weights are combinations of a few of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mcbench.params import Params
from mcbench.structure.affine import Affine

NEAR = 1e-6
"""A point is a combination if what is left of it is smaller than this share of its norm."""

LARGEST = 4.0
"""No coefficient is larger: rounding errors of the products would grow with it."""

_PROBED = 4096


@dataclass(frozen=True)
class Span:
    r"""A layer at K points as combinations :math:`W_k = \sum_r c_{kr} W_r` of R of them.

    Its products are the same combinations, :math:`W_k x = \sum_r c_{kr} W_r x`: R are computed,
    not K. On a straight line R is 2, on an arc 3, on a curve with n bends n + 2.

    Arguments:
        layer: The layer; its bias counts as a part of the weights.
        basis: The R points.
        weights: The coefficients, shape (K, R), float64, on the CPU.
    """

    layer: Affine
    basis: list[Params]
    weights: Tensor

    @staticmethod
    def found(layer: Affine, points: Sequence[Params]) -> Span | None:
        """The span of some points, with no more than two thirds of them as its basis, if any.

        The basis is chosen from the points one after another, each time the one that is farthest
        from what those before can combine, by a part of the layer's entries; whether the
        combinations hold is tested on all entries.
        """
        part = torch.stack([_part(layer, p) for p in points])
        if not bool(part.isfinite().all()):
            return None  # Each point says for itself that it diverged.
        chosen = _farthest(part, 2 * len(points) // 3)
        if not chosen:
            return None
        weights = torch.linalg.lstsq(part[chosen].T, part.T).solution.T
        weights[chosen] = torch.eye(len(chosen), dtype=weights.dtype)
        span = Span(layer, [points[i] for i in chosen], weights)
        return span if float(weights.abs().max()) <= LARGEST and span.holds(points) else None

    def holds(self, points: Sequence[Params]) -> bool:
        """Whether the points' weights are those combinations, up to rounding; not if NaN."""
        for name in (self.layer.weight, self.layer.bias):
            if name is None:
                continue
            for point, weights in zip(points, self.weights.tolist(), strict=True):
                rest, whole = point[name].clone(), point[name]
                for corner, weight in zip(self.basis, weights, strict=True):
                    rest.sub_(corner[name], alpha=weight)
                # Sums of millions of squares in float32 are good enough for a threshold. Where
                # they overflow, or one entry is not finite, nothing is known.
                if not float(rest.norm()) <= NEAR * float(whole.norm()) < float("inf"):
                    return False
        return True

    def products(self, x: Tensor) -> Iterator[Tensor]:
        """W x + c at every point, one after another (see `Affine.product`)."""
        corners = [self.layer.product(corner, x) for corner in self.basis]
        for weights in self.weights.tolist():
            used = [(w, c) for w, c in zip(weights, corners, strict=True) if w]
            if len(used) == 1 and used[0][0] == 1:
                yield used[0][1]
                continue
            y = torch.zeros_like(corners[0]) if not used else used[0][1] * used[0][0]
            for weight, corner in used[1:]:
                y.add_(corner, alpha=weight)
            yield y


def _part(layer: Affine, params: Params) -> Tensor:
    """Some of a layer's weights, spread over it, and its bias, in float64 on the CPU."""
    weight = params[layer.weight].flatten()
    part = weight[:: max(1, len(weight) // _PROBED)].cpu().double()
    return part if layer.bias is None else torch.cat([part, params[layer.bias].cpu().double()])


def _farthest(parts: Tensor, most: int) -> list[int] | None:
    """Rows that span all rows up to rounding, at most so many."""
    rest, size = parts.clone(), parts.norm(dim=1)
    chosen: list[int] = []
    while bool((rest.norm(dim=1) > NEAR * size).any()):
        if len(chosen) == most:
            return None
        chosen.append(int(rest.norm(dim=1).argmax()))
        direction = rest[chosen[-1]] / rest[chosen[-1]].norm()
        rest -= torch.outer(rest @ direction, direction)
    return chosen
