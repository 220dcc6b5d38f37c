"""`Span`, the linear combinations of one affine layer's weights at a few points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mcbench.paths.params import Params
from mcbench.structure.affine import Affine

NEAR = 1e-6
"""The largest residual of a combination, as a share of the point's norm."""

LARGEST = 4.0
"""The largest coefficient: rounding errors of the products grow with it."""

_PROBED = 4096


@dataclass(frozen=True)
class Span:
    r"""The combinations :math:`\sum_r c_r W_r` of a layer's weights at R points.

    Their products with x are the same combinations, :math:`\sum_r c_r W_r x`: for any number of
    points, R products are computed. On a straight line R is 2, on an arc 3, on a curve with n
    bends n + 2.

    Arguments:
        layer: The layer; its bias counts as a part of the weights.
        basis: The R points.
    """

    layer: Affine
    basis: tuple[Params, ...]

    @staticmethod
    def of(layer: Affine, points: Sequence[Params]) -> Span:
        """The combinations of some points.

        The basis is selected from them greedily, by a part of the layer's entries: next is the
        point farthest from the combinations of those before. Points that are not finite are not
        selected.
        """
        parts = torch.stack([_part(layer, p) for p in points])
        rest = parts.where(parts.isfinite().all(1, keepdim=True), 0.0)
        size, indices = rest.norm(dim=1), list[int]()
        while bool((rest.norm(dim=1) > NEAR * size).any()):
            i = int(rest.norm(dim=1).argmax())
            indices.append(i)
            direction = rest[i] / rest[i].norm()
            rest -= torch.outer(rest @ direction, direction)
        return Span(layer, tuple(points[i] for i in indices))

    def coefficients(self, point: Params) -> tuple[float, ...] | None:
        """The coefficients of a point, which depend on no other; ``None`` for no combination.

        They are solved for on a part of the layer's entries, and tested on all of them.
        """
        if any(corner is point for corner in self.basis):
            return tuple(float(corner is point) for corner in self.basis)
        part = _part(self.layer, point)
        if not self.basis or not bool(part.isfinite().all()):
            return None
        basis = torch.stack([_part(self.layer, corner) for corner in self.basis])
        solution = torch.linalg.lstsq(basis.T, part[:, None]).solution[:, 0]
        if float(solution.abs().max()) > LARGEST:
            return None
        weights = tuple(solution.tolist())
        return weights if self._is_combination(point, weights) else None

    def _is_combination(self, point: Params, weights: Sequence[float]) -> bool:
        for name in filter(None, (self.layer.weight, self.layer.bias)):
            rest, whole = point[name].clone(), point[name]
            for corner, weight in zip(self.basis, weights, strict=True):
                rest.sub_(corner[name], alpha=weight)
            # Sums of millions of squares in float32 are good enough for a threshold. If they
            # overflow, or an entry is not finite, the point counts as no combination.
            if not float(rest.norm()) <= NEAR * float(whole.norm()) < float("inf"):
                return False
        return True

    def products(
        self, x: Tensor, points: Sequence[Params], weights: Sequence[Sequence[float] | None]
    ) -> Iterator[Tensor]:
        """W x + c at point after point (see `Affine.product`).

        Arguments:
            x: The layer's input.
            points: The points.
            weights: Their coefficients; for a point with ``None`` the product is computed.
        """
        shared = any(w is not None for w in weights)
        products = [self.layer.product(corner, x) for corner in self.basis] if shared else []
        for point, coefficients in zip(points, weights, strict=True):
            if coefficients is None:
                yield self.layer.product(point, x)
                continue
            terms = [(w, y) for w, y in zip(coefficients, products, strict=True) if w]
            if len(terms) == 1 and terms[0][0] == 1:
                yield terms[0][1]
                continue
            total = terms[0][1] * terms[0][0] if terms else torch.zeros_like(products[0])
            for weight, y in terms[1:]:
                total.add_(y, alpha=weight)
            yield total


def _part(layer: Affine, params: Params) -> Tensor:
    """A layer's bias and a regular sample of its weights, in float64 on the CPU."""
    weight = params[layer.weight].flatten()
    part = weight[:: max(1, len(weight) // _PROBED)].cpu().double()
    return part if layer.bias is None else torch.cat([part, params[layer.bias].cpu().double()])
