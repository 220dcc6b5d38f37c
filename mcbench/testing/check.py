"""`Check`, one property that a component has to have; and how a check says what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from mcbench.errors import UsageError, one_line, unknown

if TYPE_CHECKING:
    from mcbench.testing.subject import Subject

MODULES = {
    "": ("components",),
    "method": ("methods", "paths", "needs", "devices", "runs"),
    "metric": ("metrics",),
    "dataset": ("datasets",),
    "architecture": ("architectures",),
    "ensemble": ("ensembles",),
    "matching": ("parts",),
    "interpolation": ("parts",),
    "adjustment": ("parts",),
    "leaderboard": ("leaderboards",),
}
"""Where the checks of a kind are; those under the empty name are for all kinds."""


class Fault(Exception):
    """A property does not hold.

    Arguments:
        found: What was seen.
        fix: What to change.
    """

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(f"{found}; {fix}")
        self.found, self.fix = found, fix


class Inapplicable(Exception):
    """The property cannot be tested here, or means nothing for this component; says why."""


@dataclass(frozen=True)
class Check:
    """A property of a kind of component.

    Arguments:
        kind: The kind; empty for all.
        title: Its name in reports, in pytest's ids and among expected failures.
        function: Raises `Fault` or `Inapplicable`; its docstring is the property.
    """

    kind: str
    title: str
    function: Callable[[Subject], None]

    @property
    def property(self) -> str:
        """What has to hold, on one line."""
        return one_line((self.function.__doc__ or "").partition("\n\n")[0])


_CHECKS: list[Check] = []


def check(
    kind: str, title: str
) -> Callable[[Callable[[Subject], None]], Callable[[Subject], None]]:
    """Make a function a check of a kind; an empty kind stands for all."""

    def add(function: Callable[[Subject], None]) -> Callable[[Subject], None]:
        _CHECKS.append(Check(kind, title, function))
        return function

    return add


def checks(kind: str) -> list[Check]:
    """The checks of a kind, those of all kinds first."""
    for name in (*MODULES[""], *MODULES.get(kind, ())):
        import_module(f"mcbench.testing.{name}")
    return [c for wanted in ("", kind) for c in _CHECKS if c.kind == wanted]


def expected_titles(kind: str, expected: dict[str, str]) -> None:
    """Test that expected failures name checks of the kind, and say why.

    Raises:
        UsageError: If not.
    """
    known = [c.title for c in checks(kind)]
    for title, reason in expected.items():
        if title not in known:
            raise unknown(f"check of kind {kind}", title, known)
        if not reason.strip():
            raise UsageError(f"the expected failure of '{title}' needs a reason")
