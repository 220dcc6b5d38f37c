"""`Check`, a property that components of a kind must have, and the exceptions that it raises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TypeAlias

from mcbench.errors import UsageError, one_line, unknown
from mcbench.testing.subject import Subject

Test: TypeAlias = Callable[[Subject], None]

MODULES = (
    *("components", "methods", "paths", "needs", "devices", "runs", "metrics", "datasets"),
    *("architectures", "ensembles", "parts", "leaderboards"),
)
"""Modules with checks, in the order in which these are carried out."""


class Fault(Exception):
    """A property does not hold.

    Arguments:
        found: The observation, with its values.
        fix: The change that mends it; empty: that of the check.
    """

    def __init__(self, found: str, fix: str = "") -> None:
        super().__init__(f"{found}; {fix}")
        self.found, self.fix = found, fix


class Inapplicable(Exception):
    """The property cannot be tested here, or means nothing for this component; with the reason."""


@dataclass(frozen=True)
class Check:
    """A property of a kind of component.

    Arguments:
        kind: The kind; empty for all.
        title: Its name in reports, in pytest's ids and among expected failures.
        function: Raises `Fault` or `Inapplicable`; its docstring is the property.
        fix: The change that mends a fault which names none of its own.
    """

    kind: str
    title: str
    function: Test
    fix: str = ""

    @property
    def property(self) -> str:
        """The property in words, on one line."""
        return one_line((self.function.__doc__ or "").partition("\n\n")[0])


_CHECKS: list[Check] = []


def check(kind: str, title: str, fix: str = "") -> Callable[[Test], Test]:
    """Make a function a check of a kind; an empty kind stands for all."""

    def add(function: Test) -> Test:
        _CHECKS.append(Check(kind, title, function, fix))
        return function

    return add


def checks(kind: str) -> list[Check]:
    """The checks of a kind, those of all kinds first."""
    for name in MODULES:
        import_module(f"mcbench.testing.{name}")
    return [check for group in ("", kind) for check in _CHECKS if check.kind == group]


def expected_titles(kind: str, expected: dict[str, str]) -> None:
    """Test that expected failures name checks of the kind, and say why.

    Raises:
        UsageError: If not.
    """
    titles = [c.title for c in checks(kind)]
    for title, reason in expected.items():
        if title not in titles:
            raise unknown(f"check of kind {kind}", title, titles)
        if not reason.strip():
            raise UsageError(f"the expected failure of '{title}' needs a reason, not {reason!r}")
