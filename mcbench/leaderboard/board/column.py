"""`Column`, the value that a column of a board shows: a metric's, or 100 less it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

from mcbench.errors import UsageError
from mcbench.plugins.host import host

_LESS = "100 - "
_OPPOSITE: dict[str, Literal["higher", "lower"]] = {"higher": "lower", "lower": "higher"}


@dataclass(frozen=True)
class Column:
    """The value that a column shows.

    Arguments:
        source: The name of a measured value, as ``worst-accuracy:test``.
        less: Whether it is 100 less that value: an error, in %, where that is an accuracy.
    """

    source: str
    less: bool = False

    @staticmethod
    def read(text: str) -> Column:
        """Read ``worst-accuracy:test`` or ``100 - worst-accuracy:test``."""
        return Column(text.removeprefix(_LESS).strip(), text.startswith(_LESS))

    @property
    def metric(self) -> str:
        """The metric, ``name[p=v]``."""
        return self.source.partition(":")[0]

    @property
    def split(self) -> str:
        """The split or name of the metric's value; empty if it has but one."""
        return self.source.partition(":")[2]

    def of(self, values: Mapping[str, float]) -> float | None:
        """The value shown of a record's values, or ``None`` if it was not measured."""
        return self.shown(values[self.source]) if self.source in values else None

    def shown(self, value: float) -> float:
        """The value, or 100 less it."""
        return 100 - value if self.less else value

    @property
    def component(self) -> Any:  # A plugin's; its optional attributes are in no protocol.
        """The metric, or ``None`` if it is not installed."""
        try:
            return host().find("metric", self.metric.partition("[")[0]).component
        except UsageError:
            return None

    @property
    def of_network(self) -> bool:
        """Whether a network alone has a value: that of the path which stays at it."""
        return self.component is not None and self.component.of_network

    @property
    def better(self) -> Literal["higher", "lower", ""]:
        """The better direction: ``higher``, ``lower`` or empty."""
        better: Literal["higher", "lower", ""] = self.component.better if self.component else ""
        return _OPPOSITE.get(better, "") if self.less else better

    @property
    def unit(self) -> str:
        """The unit of the metric."""
        return self.component.unit if self.component else ""

    @property
    def within(self) -> tuple[float, float]:
        """What the value can be at least and at most: a share in percent lies in [0, 100].

        A percentage of which lower is better is a loss of accuracy, which may be negative.
        """
        if self.unit != "%":
            return -inf, inf
        low, high = (-100.0 if self.component.better == "lower" else 0.0), 100.0
        return (100 - high, 100 - low) if self.less else (low, high)

    @property
    def words(self) -> str:
        """The value in words, for readers."""
        if self.component is None:
            return self.source
        better = f"{self.better} is better" if self.better else ""
        summary = self.component.summary or self.metric
        shown = f"100 less the {summary}" if self.less else summary
        return ", ".join(filter(None, [shown, self.split.replace(":", " "), better]))
