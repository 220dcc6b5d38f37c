"""Every check of the conformance kit is seen to fail, on a component that breaks one property."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import mcbench
from faulty import FAULTY
from faulty_paths import Short
from mcbench.plugins.host import KINDS, Host, Plugin, host
from mcbench.testing import Outcome, carry_out, checks, conformance, subject


def registered(kind: str, component: Any) -> None:
    """A host that has the component, as the plugin 'theirs'."""
    host.cache_clear()
    module = SimpleNamespace(**{KINDS[kind]: mcbench.hookimpl(lambda: [component])})
    host().register(Plugin("theirs", "mcbench-theirs", "1.0"), lambda: module)


@pytest.fixture(autouse=True)
def own_host(fresh_host: Host) -> Iterator[None]:
    yield


def outcome(kind: str, title: str, component: Any) -> Outcome:
    registered(kind, component)
    check = next(c for c in checks(kind) if c.title == title)
    return carry_out(check, subject(kind, component.name), {})


# Tests -------------------------------------------------------------------------------------

CASES = [
    pytest.param(kind, title, component, id=f"{kind or 'any'}: {title} {i}")
    for (kind, title), components in FAULTY.items()
    for i, component in enumerate(components, start=1)
]


@pytest.mark.parametrize(("kind", "title", "component"), CASES)
def test_a_broken_component_fails(
    kind: str, title: str, component: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if title == "GPU":  # A device that every machine has, and whose tensors mix with no others.
        monkeypatch.setattr("mcbench.testing.devices.GPU", "meta")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    result = outcome(kind or "method", title, component)
    assert result.state == "failed", result
    assert result.found and result.fix


def test_every_check_is_seen_to_fail() -> None:
    tried = {title for kind, title in FAULTY if kind == ""} | {"light import"}
    for kind in KINDS:
        for check in checks(kind):
            assert (kind, check.title) in FAULTY or check.title in tried, (kind, check.title)
            assert check.property.endswith(".") and "\n" not in check.property


def test_every_check_is_documented() -> None:
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from docs.pages import components, text

    for kind in components.TITLES:
        page = components.index(kind)
        for check in checks(kind):
            assert f"| {text.cell(check.title)} | {text.cell(check.property)} |" in page


def test_a_heavy_import_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "heavy_plugin.py").write_text(
        "import torch\nimport mcbench\n"
        "class Straight:\n    'The line.'\n    name = 'theirs'\n"
        "@mcbench.hookimpl\ndef mcbench_methods():\n    yield Straight()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import heavy_plugin

    host().register(Plugin("heavy", "heavy", "1.0"), lambda: heavy_plugin)
    check = next(c for c in checks("method") if c.title == "light import")
    result = carry_out(check, subject("method", "theirs"), {})
    assert result.state == "failed" and "torch" in result.found and "heavy_plugin" in result.found


# pytest ------------------------------------------------------------------------------------


def case(test: Any, title: str) -> tuple[str, Any]:
    """The arguments of one of the tests that `conformance` made, by its id."""
    cases = {c.id: c.values for c in test.pytestmark[0].args[1]}
    name, check = cases[f"method theirs: {title}"]
    return name, check


def test_a_fault_fails_a_test_and_says_what_to_fix() -> None:
    registered("method", Short())
    test = conformance("method", "theirs")
    test(*case(test, "path(0) is A"))
    with pytest.raises(pytest.fail.Exception, match="to fix: end the last leg"):
        test(*case(test, "path(1) is the declared end"))
    with pytest.raises(pytest.skip.Exception, match="it needs no pool"):
        test(*case(test, "needs a pool as it says"))


def test_an_expected_failure_carries_its_reason_and_has_to_come() -> None:
    registered("method", Short())
    expected = {"path(1) is the declared end": "so it is", "path(0) is A": "who knows"}
    test = conformance("method", "theirs", expected=expected)
    with pytest.raises(pytest.xfail.Exception, match="so it is"):
        test(*case(test, "path(1) is the declared end"))
    with pytest.raises(pytest.fail.Exception, match="expected to fail"):
        test(*case(test, "path(0) is A"))


@pytest.mark.parametrize(
    ("kind", "expected", "said"),
    [
        ("methods", {}, "did you mean 'method'"),
        ("method", {"path(0) is B": "no"}, "did you mean 'path\\(0\\) is A'"),
        ("method", {"float64": " "}, "needs a reason"),
    ],
)
def test_wrong_usage_is_told_at_collection(kind: str, expected: Any, said: str) -> None:
    with pytest.raises(mcbench.UsageError, match=said):
        conformance(kind, "theirs", expected=expected)
