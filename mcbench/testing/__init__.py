"""The conformance kit: checks of the properties that mcbench relies on in every component.

In a plugin's own tests::

    import mcbench.testing

    test_conformance = mcbench.testing.conformance("method", "straight")

or on the command line: ``mcbench plugin check straight``. Both make the same checks, on small
networks that train in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mcbench.plugins.host import KINDS
from mcbench.testing.check import Check, Fault, Inapplicable, checks, expected_titles
from mcbench.testing.outcome import Outcome, carry_out, examine
from mcbench.testing.subject import Subject, subject

__all__ = [
    "Check",
    "Fault",
    "Inapplicable",
    "Outcome",
    "Subject",
    "carry_out",
    "checks",
    "conformance",
    "examine",
    "subject",
]


def conformance(
    kind: str, *names: str, expected: Mapping[str, str] | None = None
) -> Callable[..., None]:
    """A parametrised pytest function: one test for each check of each component.

    Its ids read ``method straight: path(0) is A``.

    Arguments:
        kind: ``method``, ``metric``, ``dataset``, ``architecture``, ``ensemble``, ...
        names: Components as ``name[p=v]``; choose parameters that are quick.
        expected: Reasons, by the names of checks that are known to fail; one that holds after all
            fails the test.

    Raises:
        UsageError: If there is no such kind or check.

    Example:
        >>> test = conformance("method", "straight", expected={"float64": "sums in float32"})
    """
    import pytest

    from mcbench.errors import UsageError, unknown

    if kind not in KINDS:
        raise unknown("kind", kind, KINDS)
    if not names:
        raise UsageError(f"conformance('{kind}') needs the name of at least one {kind}")
    reasons = dict(expected or {})
    expected_titles(kind, reasons)
    cases = [
        pytest.param(name, check, id=f"{kind} {name}: {check.title}")
        for name in names
        for check in checks(kind)
    ]

    @pytest.mark.parametrize(("name", "check"), cases)
    def test_conformance(name: str, check: Check) -> None:
        """The component has the property."""
        component = subject(kind, name)
        outcome = carry_out(check, component, component.expected | reasons)
        if outcome.state == "failed":
            text = f"{check.property}\nfound: {outcome.found}\nto fix: {outcome.fix}"
            pytest.fail(text, pytrace=False)
        if outcome.state == "skipped":
            pytest.skip(outcome.reason)
        if outcome.state == "expected failure":
            pytest.xfail(outcome.reason)

    return test_conformance
