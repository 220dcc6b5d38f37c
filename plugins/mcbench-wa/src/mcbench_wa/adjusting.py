"""`Adjusting`, weight adjustment of one layer along a leg of a layer-wise path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

import mcbench
from mcbench import Params, Problem, Stage
from mcbench_wa.stream import Stream

if TYPE_CHECKING:
    from mcbench_wa import WeightAdjustment

BUDGET = 2**28
"""Bytes that the moments of points which are adjusted together may take."""


class Adjusting:
    """Adjusts points of a leg, alone or several in one pass over the data.

    Arguments:
        stage: The leg.
        problem: Gives the chain and the training data.
        how: The method's parameters.
    """

    def __init__(self, stage: Stage, problem: Problem, how: WeightAdjustment) -> None:
        self.how = how
        self.layer = problem.chain.layers[stage.layer]
        self.stream = Stream(stage, problem, how.positions)

    def __call__(self, params: Params, u: float) -> Params:
        """The point with its layer adjusted."""
        return self._adjust([params], [u])[0]

    def together(self, points: Sequence[Params], times: Sequence[float]) -> list[Params]:
        """Several points with their layers adjusted, in as few passes as memory allows."""
        outputs, features = self.layer.matrix(points[0]).shape
        passes = -(-len(points) * 8 * features * (features + outputs) // BUDGET)
        size = -(-len(points) // passes)
        found: list[Params] = []
        for start in range(0, len(points), size):
            part = slice(start, start + size)
            found += self._adjust(points[part], times[part])
        return found

    def _adjust(self, points: Sequence[Params], times: Sequence[float]) -> list[Params]:
        dtype = getattr(torch, self.how.precision)
        matrices = [self.layer.matrix(point) for point in points]
        outputs, features = matrices[0].shape
        grams = [mcbench.Gram(features, outputs, matrices[0].device) for _ in points]
        for rows, before, after in self.stream.batches(points):
            for patches, matrix, u, gram in zip(rows, matrices, times, grams, strict=True):
                wanted = before + u * (after - before) if after is not before else before
                gram.add(patches.to(dtype), wanted - patches @ matrix.T)
        adjusted = []
        for point, matrix, gram in zip(points, matrices, grams, strict=True):
            change, weight = gram.solve(self.how.cutoff).to(matrix), point[self.layer.weight]
            adjusted.append(point | {self.layer.weight: weight + change.view_as(weight)})
        return adjusted
