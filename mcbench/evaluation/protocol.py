"""`Protocol`, the rules by which a path is evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mcbench.errors import UsageError


@dataclass(frozen=True)
class Protocol:
    """The rules by which a path is evaluated.

    Arguments:
        points: The points of the uniform grid on [0, 1], both ends included.
        refine: ``search``: the worst points are searched for (`mcbench.evaluation.search`), and
            the grid is finer on short legs. Or so many rounds, each of which halves the intervals
            beside the worst points: the grid of a paper, beside its numbers.
        augment: Whether "train" is the augmented training data (one seeded pass).
        seed: The seed of all draws of method, evaluation and metrics.
    """

    points: int = 21
    refine: int | Literal["search"] = "search"
    augment: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.points < 2:
            raise UsageError(f"points = {self.points}: a path needs at least its 2 ends evaluated")
        if self.refine != "search" and not (isinstance(self.refine, int) and self.refine >= 0):
            raise UsageError(f"refine = {self.refine}: 'search', or a number of rounds, 0 or more")

    @property
    def grid(self) -> list[float]:
        """The values of t on the uniform grid."""
        return [i / (self.points - 1) for i in range(self.points)]

    def grid_of(self, legs: int) -> list[float]:
        """The values of t on the grid of a path with so many legs."""
        from mcbench.evaluation import search

        return search.grid(self.points, legs) if self.refine == "search" else self.grid
