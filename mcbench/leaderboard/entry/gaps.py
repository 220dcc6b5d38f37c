"""`Gaps`, the differences between an entry's numbers and those measured here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcbench.problem.problem import Problem

LOSS = 1e-3
"""Relative tolerance (1e-5 comes on top) of losses, lengths and other numbers: other hardware sums
in another order."""

ACCURACY = 0.05
"""Tolerance of accuracies in percentage points, where one sample is not more."""


class Gaps:
    """Differences between an entry's numbers and ours, compared one by one.

    Arguments:
        problem: Its splits give the share of one sample.

    Attributes:
        loss, accuracy: The largest differences along the curve.
        exact: Whether all numbers are the same bit for bit.
        wrong: A line for every difference above its tolerance.
    """

    def __init__(self, problem: Problem) -> None:
        self.sample = {name: 100 / len(split) for name, split in problem.splits.items()}
        self.loss = self.accuracy = 0.0
        self.exact = True
        self.wrong: list[str] = []

    def losses(
        self, what: str, split: str, stated: Sequence[float], ours: Sequence[float]
    ) -> None:
        """Compare losses and other numbers within the relative tolerance."""
        gap = self._gap(what, split, stated, ours, lambda x: LOSS * abs(x) + 1e-5)
        if what == "loss":
            self.loss = max(self.loss, gap)

    def accuracies(
        self, what: str, split: str, stated: Sequence[float], ours: Sequence[float]
    ) -> None:
        """Compare percentages of samples within the tolerance of accuracies."""
        allowed = max(ACCURACY, self.sample.get(split, 0.0)) * (1 + 1e-9)
        gap = self._gap(what, split, stated, ours, lambda x: allowed)
        if what == "accuracy":
            self.accuracy = max(self.accuracy, gap)

    def _gap(
        self,
        what: str,
        split: str,
        stated: Sequence[float],
        ours: Sequence[float],
        allowed: Callable[[float], float],
    ) -> float:
        gaps = [abs(x - y) for x, y in zip(stated, ours, strict=True)]
        self.exact &= max(gaps) == 0
        over = [i for i, gap in enumerate(gaps) if not gap <= allowed(ours[i])]
        if over:
            i = max(over, key=gaps.__getitem__)
            where = f" at {len(over)} of {len(gaps)} points" if len(gaps) > 1 else ""
            self.wrong.append(
                f"{f'{split} {what}'.strip()} differs by {gaps[i]:.3g}{where}: "
                f"{stated[i]:.6g} in the entry, {ours[i]:.6g} here"
            )
        return max(gaps)

    def end(self, stated: str, ours: str) -> None:
        """Compare where the path ends."""
        if stated != ours:
            self.wrong.append(f"the path's end is {stated!r} in the entry, {ours!r} here")

    def at_least(self, stated: Sequence[float], chords: Sequence[float]) -> None:
        """Compare stated arc lengths with chords, their lower bounds."""
        self.exact = False
        if any(x < y * (1 - LOSS) for x, y in zip(stated, chords, strict=True)):
            self.wrong.append("its points are farther apart than its positions allow")
