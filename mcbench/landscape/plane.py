"""`Plane`, the plane through three points of weight space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mcbench.errors import UsageError
from mcbench.evaluation.stacked import unstack
from mcbench.paths.params import Params
from mcbench.problem.problem import Problem

FLAT = 1e-4
"""Three points are on one line if the third is nearer to it than this share of |w2 - w1|."""


@dataclass(frozen=True)
class Plane:
    r"""The plane through w1, w2 and w3.

    :math:`P(x, y) = w_1 + x\,u + y\,v` with :math:`u = (w_2 - w_1)/|w_2 - w_1|` and v the
    normalised part of :math:`w_3 - w_1` that is orthogonal to u (Garipov et al., NeurIPS 2018,
    sec. 5). So w1 is at (0, 0), w2 at (length, 0) and w3 at (shift, height), in units of the
    parameters. Only parameters count for lengths, each once where layers share it; buffers in
    floating point move along with them, by the same weights of the three points.

    Arguments:
        points: w1, w2, w3.
        names: The entries that are parameters.
        length: :math:`|w_2 - w_1|`.
        shift: :math:`(w_3 - w_1) \cdot u`.
        height: The distance of w3 from the line through w1 and w2.
        whole: Whether the plane is the whole parameter space, x and y the two parameters.
    """

    points: tuple[Params, Params, Params]
    names: tuple[str, ...]
    length: float
    shift: float
    height: float
    whole: bool = False

    @staticmethod
    def through(a: Params, b: Params, c: Params, problem: Problem) -> Plane:
        """The plane through three networks.

        Raises:
            UsageError: If they are on one line.
        """
        names = parameters(problem)
        length = _dot(a, b, b, names) ** 0.5
        shift = _dot(a, b, c, names) / length if length else 0.0
        height = distance_to_line(a, b, c, names)
        if not height > FLAT * length > 0:
            raise UsageError(
                "the three networks are on one line in weight space and span no plane: choose "
                "another seed or method"
            )
        return Plane((a, b, c), names, length, shift, height)

    @staticmethod
    def of_two(like: Params, problem: Problem) -> Plane:
        """The parameter space of a network with two parameters, x and y."""
        names = parameters(problem)

        def at(x: float, y: float) -> Params:
            values = torch.tensor([x, y]).split([like[name].numel() for name in names])
            point = {n: v.to(like[n]).view_as(like[n]) for n, v in zip(names, values, strict=True)}
            return like | point

        return Plane((at(0, 0), at(1, 0), at(0, 1)), names, 1.0, 0.0, 1.0, whole=True)

    def weights(self, x: float, y: float) -> tuple[float, float, float]:
        """The weights of w1, w2 and w3 in P(x, y); they sum to 1."""
        third = y / self.height
        second = (x - third * self.shift) / self.length
        return 1 - second - third, second, third

    def stacked(self, places: Sequence[tuple[float, float]]) -> Params:
        """The points at several places, stacked (`mcbench.evaluation.stacked`)."""
        weights = torch.tensor([self.weights(x, y) for x, y in places], dtype=torch.float64)
        result = {}
        for name, x in self.points[0].items():
            if x.is_floating_point():
                corners = torch.stack([point[name] for point in self.points])
                result[name] = torch.tensordot(weights.to(x), corners, 1)
            else:
                result[name] = x.expand(len(places), *x.shape)
        return result

    def __call__(self, x: float, y: float) -> Params:
        """The network P(x, y)."""
        return unstack(self.stacked([(x, y)]))[0]

    def coordinates(self, point: Params) -> tuple[float, float, float]:
        """x and y of the point's projection, and its distance from the plane; in float64."""
        a, b, c = self.points
        x = _dot(a, b, point, self.names) / self.length
        y = (_dot(a, c, point, self.names) - self.shift * x) / self.height
        rest = _dot(a, point, point, self.names) - x * x - y * y
        return x, y, max(0.0, rest) ** 0.5


def parameters(problem: Problem) -> tuple[str, ...]:
    """The names of the network's parameters; a shared parameter has its first name only."""
    return tuple(name for name, _ in problem.module.named_parameters())


def is_two_dimensional(problem: Problem) -> bool:
    """Whether the network has two parameters; then the plane is its whole space."""
    return sum(p.numel() for p in problem.module.parameters()) == 2


def distance_to_line(a: Params, b: Params, point: Params, names: Sequence[str]) -> float:
    """The distance of a point from the line through a and b."""
    along, across = _dot(a, b, b, names), _dot(a, b, point, names)
    rest = _dot(a, point, point, names) - (across * across / along if along else 0.0)
    return float(max(0.0, rest) ** 0.5)


def _dot(origin: Params, p: Params, q: Params, names: Sequence[str]) -> float:
    """(p - origin) . (q - origin), in float64."""
    total = 0.0
    for name in names:
        o: Tensor = origin[name].double().flatten()
        total += float((p[name].double().flatten() - o) @ (q[name].double().flatten() - o))
    return total
