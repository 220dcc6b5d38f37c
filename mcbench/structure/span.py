"""`Span`, what one affine layer is at points whose weights are combinations of a few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mcbench.paths.params import Params
from mcbench.structure.affine import Affine

NEAR = 1e-6
"""A point is a combination if what is left of it is smaller than this share of its norm."""

LARGEST = 4.0
"""No coefficient is larger: rounding errors of the products would grow with it."""

_PROBED = 4096


@dataclass(frozen=True)
class Span:
    r"""The combinations :math:`\sum_r c_r W_r` of a layer's weights at R points.

    Their products with x are the same combinations, :math:`\sum_r c_r W_r x`: for any number of
    points, R are computed. On a straight line R is 2, on an arc 3, on a curve with n bends n + 2.

    Arguments:
        layer: The layer; its bias counts as a part of the weights.
        basis: The R points.
    """

    layer: Affine
    basis: tuple[Params, ...]

    @staticmethod
    def of(layer: Affine, points: Sequence[Params]) -> Span:
        """The combinations of some points.

        The basis is chosen from them one after another, each time the one that is farthest from
        what those before can combine, by a part of the layer's entries. Points that are not
        finite belong to no basis.
        """
        parts = torch.stack([_part(layer, p) for p in points])
        rest = parts.where(parts.isfinite().all(1, keepdim=True), 0.0)
        size, chosen = rest.norm(dim=1), list[int]()
        while bool((rest.norm(dim=1) > NEAR * size).any()):
            chosen.append(int(rest.norm(dim=1).argmax()))
            direction = rest[chosen[-1]] / rest[chosen[-1]].norm()
            rest -= torch.outer(rest @ direction, direction)
        return Span(layer, tuple(points[i] for i in chosen))

    def coefficients(self, point: Params) -> tuple[float, ...] | None:
        """Those of a point, which depend on no other point; ``None`` if it is no combination.

        They are found from a part of the layer's entries, and tested on all of them.
        """
        for i, corner in enumerate(self.basis):
            if corner is point:
                return tuple(float(i == j) for j in range(len(self.basis)))
        part = _part(self.layer, point)
        if not self.basis or not bool(part.isfinite().all()):
            return None
        basis = torch.stack([_part(self.layer, corner) for corner in self.basis])
        found = torch.linalg.lstsq(basis.T, part[:, None]).solution[:, 0]
        if float(found.abs().max()) > LARGEST:
            return None
        weights = tuple(found.tolist())
        return weights if self._holds(point, weights) else None

    def _holds(self, point: Params, weights: Sequence[float]) -> bool:
        for name in (self.layer.weight, self.layer.bias):
            if name is None:
                continue
            rest, whole = point[name].clone(), point[name]
            for corner, weight in zip(self.basis, weights, strict=True):
                rest.sub_(corner[name], alpha=weight)
            # Sums of millions of squares in float32 are good enough for a threshold. Where they
            # overflow, or one entry is not finite, nothing is known.
            if not float(rest.norm()) <= NEAR * float(whole.norm()) < float("inf"):
                return False
        return True

    def products(
        self, x: Tensor, points: Sequence[Params], weights: Sequence[Sequence[float] | None]
    ) -> Iterator[Tensor]:
        """W x + c at every point, one after another (see `Affine.product`).

        Arguments:
            x: The layer's input.
            points: The points.
            weights: Their coefficients; where there are none the product is computed.
        """
        shared = any(w is not None for w in weights)
        corners = [self.layer.product(corner, x) for corner in self.basis] if shared else []
        for point, own in zip(points, weights, strict=True):
            if own is None:
                yield self.layer.product(point, x)
                continue
            used = [(w, y) for w, y in zip(own, corners, strict=True) if w]
            if len(used) == 1 and used[0][0] == 1:
                yield used[0][1]
                continue
            total = used[0][1] * used[0][0] if used else torch.zeros_like(corners[0])
            for weight, y in used[1:]:
                total.add_(y, alpha=weight)
            yield total


def _part(layer: Affine, params: Params) -> Tensor:
    """Some of a layer's weights, spread over it, and its bias, in float64 on the CPU."""
    weight = params[layer.weight].flatten()
    part = weight[:: max(1, len(weight) // _PROBED)].cpu().double()
    return part if layer.bias is None else torch.cat([part, params[layer.bias].cpu().double()])
