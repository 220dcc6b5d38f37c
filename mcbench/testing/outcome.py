"""`Outcome`, the result of a check, and how checks are carried out."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch

from mcbench.errors import one_line
from mcbench.testing.check import Check, Fault, Inapplicable, checks, expected_titles
from mcbench.testing.subject import Subject

log = logging.getLogger("mcbench")

State = Literal["ok", "failed", "skipped", "expected failure"]


@dataclass(frozen=True)
class Outcome:
    """The result of a check.

    Arguments:
        check: The check.
        state: ``ok``, ``failed``, ``skipped`` or ``expected failure``.
        found: The observation, if it failed.
        fix: The change that mends it, if it failed.
        reason: Why it was skipped, or why the failure is expected.
        seconds: Duration of the check.
    """

    check: Check
    state: State
    found: str = ""
    fix: str = ""
    reason: str = ""
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:  # As JSON has it.
        """The outcome as JSON."""
        values = {"check": self.check.title, "property": self.check.property}
        own = {name: value for name, value in vars(self).items() if name != "check"}
        return values | own | {"seconds": round(self.seconds, 3)}


def carry_out(check: Check, subject: Subject, expected: Mapping[str, str]) -> Outcome:
    """Check one property; one that is expected to fail and holds counts as failed."""
    began = time.perf_counter()
    reason = expected.get(check.title, "")
    try:
        with _one_thread():
            check.function(subject)
    except Inapplicable as why:
        return Outcome(check, "skipped", reason=one_line(why))
    except Exception as error:
        log.debug("%s: %s", subject.title, check.title, exc_info=True)
        found = f"it raised {type(error).__name__}: {one_line(error) or 'no message'}"
        fix = "'mcbench --verbose plugin check' shows where"
        if isinstance(error, Fault):
            found, fix = error.found, error.fix or check.fix
        state: State = "expected failure" if reason else "failed"
        return Outcome(check, state, found, fix, reason, time.perf_counter() - began)
    seconds = time.perf_counter() - began
    if reason:
        found = f"it was expected to fail ({reason}) and holds"
        return Outcome(check, "failed", found, "expect its failure no longer", seconds=seconds)
    return Outcome(check, "ok", seconds=seconds)


def examine(subject: Subject, expected: Mapping[str, str] | None = None) -> Iterator[Outcome]:
    """Outcomes of all checks of a component, one after another.

    Arguments:
        subject: The component.
        expected: Reasons by check, in addition to those that the component declares.

    Raises:
        UsageError: If an expected failure names no check.
    """
    allowed = subject.expected | dict(expected or {})
    expected_titles(subject.kind, allowed)
    for check in checks(subject.kind):
        yield carry_out(check, subject, allowed)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one thread of torch: networks this small are slower with more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
