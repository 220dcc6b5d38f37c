"""The register of faulty components, and those that break what is asked of every component."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import mcbench

FAULTY: dict[tuple[str, str], list[Any]] = {}
"""Components by the check that they fail: its kind and its title."""


def fails(kind: str, *titles: str, **options: Any) -> Callable[[Any], Any]:
    """Register a class's instance as one that fails these checks."""

    def add(cls: Any) -> Any:
        for title in titles:
            FAULTY.setdefault((kind, title), []).append(cls(**options))
        return cls

    return add


class Straight:
    """The straight line."""

    name = "theirs"

    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        return mcbench.segment(a.params, b.params)


@fails("", "summary")
class Silent(Straight):
    __doc__ = None


@fails("", "frozen")
@dataclass
class Thawed(Straight):
    """May change."""

    steps: int = mcbench.parameter(3, "how many")


@fails("", "parameters")
@dataclass(frozen=True)
class Helpless(Straight):
    """Says nothing of its parameter."""

    steps: int = mcbench.parameter(3, "")


@fails("", "parameters")
@dataclass(frozen=True)
class OutOfBounds(Straight):
    """Its default is none of the values that it allows."""

    steps: int = mcbench.parameter(3, "how many", gt=5)


@fails("", "wrong values")
@dataclass(frozen=True)
class Credulous(Straight):
    """Takes anything."""

    steps: Any = mcbench.parameter(3, "how many")


@fails("", "parameters read back")
@dataclass(frozen=True)
class Unreadable(Straight):
    """Its trial cannot be written."""

    steps: int | None = mcbench.parameter(3, "how many")
    trial: ClassVar[dict[str, Any]] = {"steps": None}
