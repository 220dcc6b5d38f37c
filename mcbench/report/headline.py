"""`Headline`, the number that methods are compared by: the worst point along the path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mcbench.evaluation.curve import Curve
from mcbench.evaluation.protocol import Protocol
from mcbench.plugins.host import host
from mcbench.report.reading import Quantity

BARRIER = "barrier:test"
"""The column of the barrier: highest test loss above the mean of the ends' losses."""


@dataclass(frozen=True)
class Headline:
    """The worst point along a path, under one name in progress, tables, plots and JSON.

    Arguments:
        name: The name for people: ``worst accuracy``.
        metric: The metric.
        where: The points that it is the worst of.
        quantity: The quantity of the curve that it is computed from.
        splits: The splits that are shown; the last one ranks.
        unit: The unit.
        better: Which direction is better.
        digits: Decimal places.
        within: The least and the largest possible value.
    """

    name: str
    metric: str
    where: str
    quantity: Quantity
    splits: tuple[str, ...]
    unit: str
    better: Literal["higher", "lower"]
    digits: int
    within: tuple[float, float] = (-float("inf"), float("inf"))

    @property
    def ranked(self) -> str:
        """The column that ranks: ``worst-accuracy-refined:test``."""
        return f"{self.metric}:{self.splits[-1]}"

    def value(self, curve: Curve, split: str) -> float:
        """The value of one curve."""
        return measured(self.metric, curve, split)

    def values(self, curve: Curve) -> dict[str, float]:
        """The values of one curve by column, and its barrier."""
        columns = {f"{self.metric}:{split}": self.value(curve, split) for split in self.splits}
        return {**columns, BARRIER: measured("barrier", curve, "test")}

    def title(self, split: str) -> str:
        """The name for one split: ``worst test accuracy``."""
        extreme, quantity = self.name.split()
        words = [extreme, split if len(self.splits) > 1 else "", quantity]
        return " ".join(filter(None, [*words, "on the grid" if "grid" in self.where else ""]))

    def number(self, value: float) -> str:
        """A value with its unit: ``96.56%``."""
        return f"{value:.{self.digits}f}{self.unit}"


def headline(protocol: Protocol, classes: bool) -> Headline:
    """The headline under a protocol: that of the search, or of the grid of a paper.

    Arguments:
        protocol: How paths were evaluated.
        classes: Whether the data have classes. Without, the loss is compared, in which splits
            are the same.
    """
    searched = protocol.refine == "search"
    where = "along the path" if searched else f"on the grid of {protocol.points} points"
    if classes:
        metric = "worst-accuracy-refined" if searched else "worst-accuracy"
        return Headline(
            "worst accuracy", metric, where, "accuracy", ("train", "test"), "%", "higher", 2,
            (0, 100),
        )  # fmt: skip
    if protocol.refine not in ("search", 0):
        where += f", refined {protocol.refine} times"
    return Headline("highest loss", "highest-loss", where, "loss", ("test",), "", "lower", 4)


def measured(metric: str, curve: Curve, split: str | None) -> float:
    """A metric of the curve alone."""
    value: float = host().get("metric", metric).formula(curve, split)
    return value
