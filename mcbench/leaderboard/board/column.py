"""`Column`, what a column of a board shows: a metric's value, or 100 less it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcbench.errors import UsageError

_LESS = "100 - "
_OPPOSITE = {"higher": "lower", "lower": "higher"}


@dataclass(frozen=True)
class Column:
    """What a column shows.

    Arguments:
        source: The name of a measured value, as ``worst-accuracy:test``.
        less: Whether it is 100 less that value: an error, in %, where that is an accuracy.
    """

    source: str
    less: bool = False

    @staticmethod
    def read(text: str) -> Column:
        """From ``worst-accuracy:test`` or ``100 - worst-accuracy:test``."""
        return Column(text.removeprefix(_LESS).strip(), text.startswith(_LESS))

    @property
    def metric(self) -> str:
        """The metric, ``name[p=v]``."""
        return self.source.partition(":")[0]

    @property
    def split(self) -> str:
        """What of the metric's values is shown; empty if it has but one."""
        return self.source.partition(":")[2]

    def of(self, values: Mapping[str, float]) -> float | None:
        """What is shown of a record's values, if it is measured."""
        return self.shown(values[self.source]) if self.source in values else None

    def shown(self, value: float) -> float:
        """The value, or 100 less it."""
        return 100 - value if self.less else value

    @property
    def component(self) -> Any:
        """The metric, or ``None`` if it is not installed."""
        from mcbench.plugins.host import host

        try:
            return host().find("metric", self.metric.partition("[")[0]).component
        except UsageError:
            return None

    @property
    def of_network(self) -> bool:
        """Whether a network alone has a value: that of the path which stays at it."""
        return getattr(self.component, "of_network", False)

    @property
    def better(self) -> Any:
        """``higher``, ``lower`` or empty."""
        better = self.component.better if self.component else ""
        return _OPPOSITE.get(better, "") if self.less else better

    @property
    def unit(self) -> str:
        """The metric's."""
        return self.component.unit if self.component else ""

    @property
    def words(self) -> str:
        """What it shows, for readers."""
        if self.component is None:
            return self.source
        better = f"{self.better} is better" if self.better else ""
        summary = self.component.summary or self.metric
        shown = f"100 less the {summary}" if self.less else summary
        return ", ".join(filter(None, [shown, self.split.replace(":", " "), better]))
