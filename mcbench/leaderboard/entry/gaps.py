"""`Gaps`, the differences between what an entry says and what was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

LOSS = 1e-3
"""Losses, lengths and other numbers that differ by no more than this share (and 1e-5) are
confirmed: sums in another order, as on other hardware."""

ACCURACY = 0.05
"""Accuracies that differ by no more percentage points than this, or by one sample."""


class Gaps:
    """Differences, added one by one.

    Arguments:
        problem: Its data say how much one sample is.

    Attributes:
        loss, accuracy: The largest of the curve.
        exact: Whether all numbers are the same bit for bit.
        wrong: A line for everything that differs by more than is allowed.
    """

    def __init__(self, problem: Any) -> None:
        self.sample = {name: 100 / len(split) for name, split in problem.splits.items()}
        self.loss = self.accuracy = 0.0
        self.exact = True
        self.wrong: list[str] = []

    def losses(self, what: str, split: str, said: Sequence[float], found: Sequence[float]) -> None:
        """Numbers that may differ by a share."""
        gap = self._gap(what, split, said, found, lambda x: LOSS * abs(x) + 1e-5)
        if what == "loss":
            self.loss = max(self.loss, gap)

    def accuracies(
        self, what: str, split: str, said: Sequence[float], found: Sequence[float]
    ) -> None:
        """Percentages of samples."""
        allowed = max(ACCURACY, self.sample.get(split, 0.0)) * (1 + 1e-9)
        gap = self._gap(what, split, said, found, lambda x: allowed)
        if what == "accuracy":
            self.accuracy = max(self.accuracy, gap)

    def _gap(
        self,
        what: str,
        split: str,
        said: Sequence[float],
        found: Sequence[float],
        allowed: Callable[[float], float],
    ) -> float:
        gaps = [abs(x - y) for x, y in zip(said, found, strict=True)]
        self.exact &= max(gaps) == 0
        over = [i for i, gap in enumerate(gaps) if not gap <= allowed(found[i])]
        if over:
            i = max(over, key=gaps.__getitem__)
            where = f" at {len(over)} of {len(gaps)} points" if len(gaps) > 1 else ""
            self.wrong.append(
                f"{f'{split} {what}'.strip()} differs by {gaps[i]:.3g}{where}: "
                f"{said[i]:.6g} in the entry, {found[i]:.6g} here"
            )
        return max(gaps)

    def end(self, said: str, found: str) -> None:
        """Where the path ends."""
        if said != found:
            self.wrong.append(f"the path's end is {said!r} in the entry, {found!r} here")

    def at_least(self, said: Sequence[float], chords: Sequence[float]) -> None:
        """Arc lengths, of which chords are lower bounds."""
        self.exact = False
        if any(x < y * (1 - LOSS) for x, y in zip(said, chords, strict=True)):
            self.wrong.append("its points are farther apart than its positions say")
