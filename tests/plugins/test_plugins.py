"""The host: isolation of plugins that fail, conflicts, choice, parameters of parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import mcbench
from mcbench.errors import UsageError
from mcbench.plugins.capabilities import EVERY, OPTIONAL
from mcbench.plugins.host import KINDS, Host, Plugin


class Straight:
    name = "straight"

    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        return mcbench.segment(a.params, b.params)


class Good:
    @mcbench.hookimpl
    def mcbench_methods(self) -> list[Any]:
        return [Straight()]


def added(host: Host, name: str, module: Any, distribution: str = "third") -> Plugin:
    plugin = Plugin(name, distribution, "1.0")
    host.register(plugin, lambda: module)
    return plugin


def test_builtins_and_installed_plugins_provide_what_the_suite_needs() -> None:
    host = Host()
    assert {"linear", "arc", "ot", "linear-wa", "arc-wa", "ot-wa"} <= set(host.names("method"))
    assert {"digits", "mnist", "cifar10", "imagefolder"} <= set(host.names("dataset"))
    assert not [plugin for plugin in host.listing() if plugin.errors]
    assert host.conflicts() == []
    assert host.find("method", "ot").plugin.distribution == "mcbench-ot"


def test_what_a_plain_class_does_not_declare_has_the_default() -> None:
    host = Host(only=set())
    added(host, "good", Good())
    plain = host.get("method", "straight")
    assert (plain.summary, plain.needs, plain.check) == ("", frozenset(), None)
    assert "needs" not in vars(Straight)


def test_a_copy_with_other_parameters_has_the_defaults_too() -> None:
    @dataclass(frozen=True)
    class Stepped(Straight):
        steps: int = mcbench.parameter(2, "how many")
        needs = frozenset({"data"})

        @property
        def reference(self) -> str:
            raise AssertionError("it is not asked for when the plugin is loaded")

    class Plugin:
        @mcbench.hookimpl
        def mcbench_methods(self) -> list[Any]:
            return [Stepped()]

    host = Host(only=set())
    added(host, "stepped", Plugin())
    copy = host.get("method", "straight[steps=3]")
    assert (copy.steps, copy.needs, copy.explicit) == (3, {"data"}, None)


def test_all_that_may_be_declared_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
    section = page.partition("## What a component may declare")[2].partition("\n## ")[0]
    rows = [row.split("|")[1:3] for row in section.splitlines() if row.startswith("| ")]
    told = {
        (kind.strip(), name)
        for kinds, names in rows
        for kind in kinds.split(",")
        for name in re.findall(r"`(\w+)", names)
    }
    table = {"any": EVERY} | OPTIONAL
    assert told == {(kind, name) for kind, row in table.items() for name in row}


def test_a_plugin_that_cannot_be_imported_is_named_and_harms_nothing() -> None:
    host = Host()

    def load() -> None:
        raise ImportError("No module named 'absent'")

    broken = Plugin("broken", "third", "1.0")
    host.register(broken, load)
    assert "ImportError: No module named 'absent'" in broken.errors[0]
    assert "ot-wa" in host.names("method")
    with pytest.raises(UsageError, match=r"plugins with errors: broken"):
        host.find("method", "theirs")


def test_a_plugin_that_exits_when_imported_is_named() -> None:
    host = Host()

    def load() -> None:
        raise SystemExit(3)

    plugin = Plugin("leaver", "third", "1.0")
    host.register(plugin, load)
    assert "exits" in plugin.errors[0]


def test_a_wrong_hook_signature_is_reported_and_the_plugin_left_out() -> None:
    class Wrong:
        @mcbench.hookimpl
        def mcbench_methods(self, colour: str) -> list[Any]:
            return [Straight()]

    host = Host()
    plugin = added(host, "wrong", Wrong())
    assert "colour" in plugin.errors[0]
    assert "straight" not in host.names("method")


def test_an_unknown_hook_is_reported_with_the_nearest_known() -> None:
    class Stray:
        @mcbench.hookimpl
        def mcbench_method(self) -> list[Any]:
            return [Straight()]

    plugin = added(Host(), "stray", Stray())
    assert "did you mean 'mcbench_methods'?" in plugin.errors[0]


def test_a_hook_that_raises_is_blamed_and_the_others_are_asked() -> None:
    class Raising:
        @mcbench.hookimpl
        def mcbench_methods(self) -> list[Any]:
            raise ZeroDivisionError("by zero")

    host = Host()
    plugin = added(host, "raising", Raising())
    added(host, "good", Good())
    assert "straight" in host.names("method")
    assert plugin.errors == ["mcbench_methods failed: ZeroDivisionError: by zero"]


@pytest.mark.parametrize("name", [None, "", "a b", "x[y]", "a,b"])
def test_a_component_without_a_usable_name_is_reported(name: Any) -> None:
    class Nameless:
        @mcbench.hookimpl
        def mcbench_metrics(self) -> list[Any]:
            return [SimpleNamespace(name=name)]

    host = Host()
    plugin = added(host, "nameless", Nameless())
    host.listing()
    assert "no usable name" in plugin.errors[0]


def test_two_claims_of_one_name_are_a_conflict_not_a_choice() -> None:
    host = Host()
    added(host, "first", Good(), "one")
    added(host, "second", Good(), "two")
    assert "straight" not in host.names("method")
    (conflict,) = host.conflicts()
    assert "one 1.0" in conflict and "two 1.0" in conflict
    with pytest.raises(UsageError, match="is claimed by"):
        host.get("method", "straight")
    assert "linear" in host.names("method")


def test_one_entry_point_name_in_two_distributions_is_reported() -> None:
    host = Host()
    added(host, "same", Good(), "one")
    second = added(host, "same", Good(), "two")
    assert "also taken by one" in second.errors[0]
    assert second.name in host.plugins and "straight" in host.names("method")


def test_loading_none_or_some() -> None:
    none = Host(only=set())
    assert none.names("method") == []
    assert {plugin.distribution for plugin in none.plugins.values()} == {"mcbench"}
    assert "digits" in none.names("dataset") and not none.listing()[0].errors
    lines = ["linear", "origin", "random-direction"]
    assert Host(only={"mcbench-linear"}).names("method") == lines
    assert Host(only={"linear"}).names("method") == lines


def test_parameters_of_a_part_are_passed_on() -> None:
    host = Host()
    short = host.get("method", "ot-wa[cost=incoming,end=permuted]")
    long = host.get("method", "ot-wa[matching=ot[cost=incoming],end=permuted]")
    assert short == long
    assert host.identity("method", short) == host.identity("method", long)
    assert host.text("method", short) == "ot-wa[matching=ot[cost=incoming],end=permuted]"


@pytest.mark.parametrize(
    "text", ["ot-wa[cost=dear]", "ot-wa[matching=nearest]", "ot-wa[end=c]", "linear[x=1]"]
)
def test_wrong_parameters_of_methods_and_parts_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Host().get("method", text)


def test_identity_has_every_parameter_and_the_parts_versions() -> None:
    host = Host()
    identity = host.identity("method", host.get("method", "ot-wa"))
    assert identity["distribution"] == "mcbench-wa"
    assert identity["parameters"]["matching"]["distribution"] == "mcbench-ot"
    assert identity["parameters"]["adjustment"]["parameters"]["cutoff"] == 1e-12
    other = host.identity("method", host.get("method", "ot-wa[cutoff=1e-6]"))
    assert other != identity


def test_a_later_parameter_is_in_identities_only_where_it_is_set() -> None:
    """What was stored before the parameter existed stays valid, unless a component sets it."""

    @dataclass(frozen=True)
    class Net:
        name: str
        width: int = mcbench.parameter(8, "units")
        gain: float = mcbench.parameter(1.0, "came later", later=True)

        def build(self, shape: Any, classes: int) -> None: ...

    class Nets:
        @mcbench.hookimpl
        def mcbench_architectures(self) -> Any:
            yield from (Net("one"), Net("two", gain=2.0))

    host = Host()
    added(host, "nets", Nets())

    def given(text: str) -> dict[str, Any]:
        return host.identity("architecture", host.get("architecture", text))["parameters"]

    assert given("one") == {"width": 8} == given("one[gain=1]")
    assert given("one[gain=3]") == {"width": 8, "gain": 3.0}
    assert given("two") == {"width": 8, "gain": 2.0}
    assert given("two[gain=1]") == {"width": 8}


def test_a_listener_that_raises_is_blamed_once_and_the_run_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[int] = []

    class Raising:
        @mcbench.hookimpl
        def mcbench_epoch_finished(self, epoch: int) -> None:
            raise OSError("no disk")

    class Listener:
        @mcbench.hookimpl
        def mcbench_epoch_finished(self, epoch: int, loss: float) -> None:
            heard.append(epoch)

    host = Host()
    plugin = added(host, "tracker", Raising())
    added(host, "listener", Listener())
    for epoch in (1, 2):
        host.notify(
            "mcbench_epoch_finished", seeds=(0,), keys=("k",), epoch=epoch, epochs=2, loss=0.5
        )
    assert heard == [1, 2]
    assert plugin.errors == ["mcbench_epoch_finished failed: OSError: no disk"]
    assert [r.getMessage() for r in caplog.records] == [f"plugin 'tracker': {plugin.errors[0]}"]


def test_every_kind_has_its_hook() -> None:
    from mcbench.plugins import hookspecs

    assert all(hasattr(hookspecs, hook) for hook in KINDS.values())


def test_a_name_to_load_that_is_not_installed_is_said(caplog: pytest.LogCaptureFixture) -> None:
    Host(only={"linear", "linaer"})
    assert "no plugin or distribution is named linaer" in caplog.text
