"""`Protocol`, the rules by which a path is evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from mcbench.errors import UsageError


@dataclass(frozen=True)
class Protocol:
    """The rules by which a path is evaluated.

    Arguments:
        points: The points of the uniform grid on [0, 1], both ends included.
        refine: Rounds of refinement: each halves the intervals beside the worst points.
        augment: Whether "train" is the augmented training data (one seeded pass).
        seed: The seed of all draws of method, evaluation and metrics.
    """

    points: int = 21
    refine: int = 3
    augment: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.points < 2:
            raise UsageError(f"points = {self.points}: a path needs at least its 2 ends evaluated")
        if self.refine < 0:
            raise UsageError(f"refine = {self.refine}: the number of rounds must be 0 or more")

    @property
    def grid(self) -> list[float]:
        """The values of t on the grid."""
        return [i / (self.points - 1) for i in range(self.points)]
