"""`Gaps`, the differences between an entry's numbers and those measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LOSS = 1e-3
"""Relative tolerance (1e-5 comes on top) of losses, lengths and other numbers: other hardware sums
in another order."""

ACCURACY = 0.05
"""Tolerance of accuracies in percentage points, where one sample is not more."""


class Gaps:
    """Differences between an entry's numbers and ours, compared one by one.

    Arguments:
        sample: The share of one sample in percent, by split.

    Attributes:
        largest: The largest difference of each quantity, ``loss`` and ``accuracy`` among them.
        exact: Whether all numbers are the same bit for bit.
        wrong: A line for every difference above its tolerance.
    """

    def __init__(self, sample: Mapping[str, float]) -> None:
        self.sample = dict(sample)
        self.largest = {"loss": 0.0, "accuracy": 0.0}
        self.exact = True
        self.wrong: list[str] = []

    def compare(
        self, what: str, split: str, stated: Sequence[float], ours: Sequence[float], unit: str = ""
    ) -> None:
        """Compare numbers: percentages of samples (``unit`` is %) as accuracies, others as losses.

        Arguments:
            what, split: The quantity, and the split that it is measured on; empty if on none.
            stated, ours: The entry's numbers and those measured here, at least one.
        """
        percent = max(ACCURACY, self.sample.get(split, 0.0)) * (1 + 1e-9)
        allowed = [percent if unit == "%" else LOSS * abs(x) + 1e-5 for x in ours]
        gaps = [abs(x - y) for x, y in zip(stated, ours, strict=True)]
        self.exact &= max(gaps) == 0
        self.largest[what] = max(self.largest.get(what, 0.0), *gaps)
        over = [i for i, gap in enumerate(gaps) if not gap <= allowed[i]]
        if over:
            i = max(over, key=gaps.__getitem__)
            where = f" at {len(over)} of {len(gaps)} points" if len(gaps) > 1 else ""
            self.wrong.append(
                f"{f'{split} {what}'.strip()} differs by {gaps[i]:.3g}{where}: "
                f"{stated[i]:.6g} in the entry, {ours[i]:.6g} here"
            )

    def end(self, stated: str, ours: str) -> None:
        """Compare where the path ends."""
        if stated != ours:
            self.wrong.append(f"the path's end is {stated!r} in the entry, {ours!r} here")

    def at_least(self, stated: Sequence[float], chords: Sequence[float]) -> None:
        """Compare stated arc lengths with chords, their lower bounds."""
        self.exact = False
        if any(x < y * (1 - LOSS) for x, y in zip(stated, chords, strict=True)):
            self.wrong.append("its points are farther apart than its positions allow")
