"""`Adjusting`, weight adjustment of one layer along a leg of a layer-wise path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

import mcbench
from mcbench import Params, Problem, Stage
from mcbench_wa.stream import Stream

if TYPE_CHECKING:
    from mcbench_wa import WeightAdjustment

BUDGET = 2**28
"""Bytes that the moments of points adjusted in one pass may take."""

ANCHORS = (0.0, 0.5, 1.0)
"""Times of a leg whose products span those of a line and of an arc."""


class Adjusting:
    """Weight adjustment of points of a leg.

    Arguments:
        stage: The leg.
        problem: Gives the chain and the training data.
        how: The method's parameters.
    """

    def __init__(self, stage: Stage, problem: Problem, how: WeightAdjustment) -> None:
        self.how = how
        self.layer = problem.chain.layers[stage.layer]
        self.stream = Stream(stage, problem, how.positions)

    @property
    def most(self) -> int:
        """Number of points that may be adjusted in one pass, at least 1."""
        outputs, features = self.layer.matrix(self.stream.stage.start).shape
        return max(1, BUDGET // (8 * features * (features + outputs)))

    def __call__(self, params: Params, u: float) -> Params:
        """The point with its layer adjusted."""
        return self.adjust([params], [u])[0]

    def several(self, move: Callable[[float], Params], times: Sequence[float]) -> list[Params]:
        """Adjusted points of the leg at some times, in as few passes as memory allows.

        The products of the layer below are combined from those at a few times of the leg, if
        enough points fit into one pass for this to save work. A single point is computed alike,
        at the price of a few products: least squares with little damping amplifies rounding.
        """
        anchors = [move(u) for u in ANCHORS] if self.most > len(ANCHORS) else []
        passes = -(-len(times) // self.most)
        size = -(-len(times) // passes)
        adjusted: list[Params] = []
        for start in range(0, len(times), size):
            part = times[start : start + size]
            adjusted += self.adjust([move(u) for u in part], part, anchors)
        return adjusted

    def adjust(
        self, points: Sequence[Params], times: Sequence[float], anchors: Sequence[Params] = ()
    ) -> list[Params]:
        """Points with their layers adjusted, in one pass over the data.

        The rounding of a point depends on the anchors, but not on the other points.
        """
        dtype = getattr(torch, self.how.precision)
        matrices = [self.layer.matrix(point) for point in points]
        if self.how.nearest == "zero":
            matrices = [torch.zeros_like(matrix) for matrix in matrices]
        outputs, features = matrices[0].shape
        grams = [mcbench.Gram(features, outputs, matrices[0].device) for _ in points]
        for rows, before, after in self.stream.batches(points, anchors):
            for patches, matrix, u, gram in zip(rows, matrices, times, grams, strict=True):
                target = before + u * (after - before) if after is not before else before
                gram.add(patches.to(dtype), target - patches @ matrix.T)
        adjusted = []
        for point, matrix, gram in zip(points, matrices, grams, strict=True):
            weight = matrix + gram.solve(self.how.cutoff).to(matrix)
            adjusted.append(point | {self.layer.weight: weight.view_as(point[self.layer.weight])})
        return adjusted
