"""The plugin host: discovery, isolation, conflicts, listing.

Every plugin is loaded and asked on its own, so that one that fails harms no other: its errors
are kept beside its name and its distribution, and shown by ``mcbench plugins``.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any

import pluggy

from mcbench.errors import McbenchError, UsageError, one_line, unknown
from mcbench.plugins import hookspecs, parameters
from mcbench.plugins.capabilities import complete

log = logging.getLogger("mcbench")

KINDS = {
    "architecture": "mcbench_architectures",
    "dataset": "mcbench_datasets",
    "recipe": "mcbench_recipes",
    "method": "mcbench_methods",
    "matching": "mcbench_matchings",
    "interpolation": "mcbench_interpolations",
    "adjustment": "mcbench_adjustments",
    "metric": "mcbench_metrics",
    "ensemble": "mcbench_ensembles",
    "leaderboard": "mcbench_leaderboards",
    "ensemble-board": "mcbench_ensemble_boards",
    "executor": "mcbench_executors",
    "command": "mcbench_commands",
}
"""Kinds of component and the hooks that provide them."""

OWN = "mcbench"
"""The distribution whose entry points are the built-ins; they are always loaded, and first."""


def plural(kind: str) -> str:
    """The plural that the command line uses: ``methods``, ``leaderboards``."""
    return KINDS[kind].removeprefix("mcbench_")


@dataclass
class Plugin:
    """A plugin as ``mcbench plugins`` shows it."""

    name: str
    distribution: str
    version: str
    provides: dict[str, list[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def blame(self, doing: str, error: BaseException) -> None:
        """Keep ``error``, in one line."""
        text = one_line(error) or "no message"
        self.errors.append(f"{doing}: {type(error).__name__}: {text}")


@dataclass(frozen=True)
class Provided:
    """A component and the plugin that provides it."""

    component: Any
    plugin: Plugin


class Host:
    """The loaded plugins and what they provide.

    Arguments:
        only: Names of entry points or distributions to load; ``None`` loads all. The built-ins
            are always loaded.
    """

    def __init__(self, only: set[str] | None = None) -> None:
        self.manager = pluggy.PluginManager(hookspecs.PROJECT)
        self.manager.add_hookspecs(hookspecs)
        self.plugins: dict[str, Plugin] = {}
        self._provided: dict[str, dict[str, list[Provided]]] = {}
        absent = set(only or ())
        for distribution, entry in _entry_points():
            title = distribution.metadata["Name"]
            absent -= {entry.name, title}
            if title == OWN or only is None or {entry.name, title} & only:
                plugin = Plugin(entry.name, title, distribution.version)
                self.register(plugin, entry.load)
        if not any(plugin.distribution == OWN for plugin in self.plugins.values()):
            raise McbenchError(
                "the installed mcbench declares no built-ins: it is older than its code; install "
                "it again, as with 'pip install -e .'"
            )
        if absent:
            log.warning("no plugin is installed that is called %s", " or ".join(sorted(absent)))

    def register(self, plugin: Plugin, load: Any) -> None:
        """Load a plugin and register its hooks; what goes wrong is kept with the plugin."""
        if plugin.name in self.plugins:
            other = self.plugins[plugin.name]
            plugin.name = f"{plugin.name} ({plugin.distribution})"
            message = f"the entry point's name is also taken by {other.distribution}"
            plugin.errors.append(f"{message}: rename one of them")
            self.plugins[plugin.name] = plugin
            return
        self.plugins[plugin.name] = plugin
        try:
            module = load()
        except Exception as error:
            plugin.blame("it cannot be imported", error)
            return
        except SystemExit as error:
            plugin.blame("it exits when imported", error)
            return
        try:
            self.manager.register(module, plugin.name)
            callers = self.manager.get_hookcallers(module) or []
            strays = [caller.name for caller in callers if not caller.has_spec()]
            if strays:
                raise unknown("hook", strays[0], _hook_names())
        except Exception as error:
            plugin.blame("its hooks are wrong", error)
            if self.manager.is_registered(module):
                self.manager.unregister(module)

    def provided(self, kind: str) -> dict[str, list[Provided]]:
        """All components of a kind by name; more than one under a name is a conflict."""
        if kind not in self._provided:
            found: dict[str, list[Provided]] = {}
            for plugin, component in self._ask(KINDS[kind]):
                wrong = _wrong(kind, component)
                if wrong:
                    plugin.errors.append(f"{KINDS[kind]}: {wrong}")
                    continue
                name = component.name
                plugin.provides.setdefault(plural(kind), []).append(name)
                found.setdefault(name, []).append(Provided(component, plugin))
            self._provided[kind] = found
        return self._provided[kind]

    def _ask(self, hook: str) -> Iterator[tuple[Plugin, Any]]:
        for implementation in getattr(self.manager.hook, hook).get_hookimpls():
            plugin = self.plugins.get(implementation.plugin_name)
            if plugin is None:
                continue
            try:
                items = list(implementation.function())
            except Exception as error:
                plugin.blame(f"{hook} failed", error)
                continue
            for item in items:
                yield plugin, item

    def names(self, kind: str) -> list[str]:
        """The names that can be used, in order."""
        return sorted(n for n, claims in self.provided(kind).items() if len(claims) == 1)

    def conflicts(self) -> list[str]:
        """A line for every name that more than one plugin claims."""
        return [
            _conflict(kind, name, claims)
            for kind in KINDS
            for name, claims in self.provided(kind).items()
            if len(claims) > 1
        ]

    def find(self, kind: str, name: str) -> Provided:
        """The component of that name, as it was declared, with its plugin.

        Raises:
            UsageError: If no plugin provides it, or several do.
        """
        claims = self.provided(kind).get(name, [])
        if len(claims) > 1:
            raise UsageError(_conflict(kind, name, claims))
        if not claims:
            error = unknown(kind, name, self.names(kind), f"mcbench list {kind}s")
            broken = [p.name for p in self.plugins.values() if p.errors]
            hint = (
                f" (failed to load: {', '.join(broken)}; see 'mcbench plugins')" if broken else ""
            )
            others = [k for k in KINDS if k != kind and name in self.provided(k)]
            there = f"; of that name there is: {', '.join(others)}"
            raise UsageError(str(error) + hint + (there if others else ""))
        return claims[0]

    def get(self, kind: str, text: str) -> Any:
        """The component that ``text`` (``name[p=v]``) asks for, its parameters set.

        A parameter that the component does not have but one of its parts has is passed on to the
        part: ``ot-wa[cost=incoming]`` is ``ot-wa[matching=ot[cost=incoming]]``.

        Raises:
            UsageError: If the name is unknown or in conflict, or a parameter is wrong.
        """
        name, given = parameters.parse(text)
        component = self.find(kind, name).component
        declared = parameters.parameters(component)
        own = {k: v for k, v in given.items() if k in declared}
        forwarded = {k: v for k, v in given.items() if k not in declared}
        for field_name, parameter in declared.items():
            if parameter.part is None:
                continue
            part_text = own.get(field_name, parameter.default)
            part_name, part_given = parameters.parse(part_text)
            part = self.find(parameter.part, part_name).component
            for key in [k for k in forwarded if k in parameters.parameters(part)]:
                part_given[key] = forwarded.pop(key)
            part = parameters.configure(parameter.part, part, part_given)
            own[field_name] = parameters.text(part, self.find(parameter.part, part_name).component)
        return parameters.configure(kind, component, own | forwarded)

    def text(self, kind: str, component: Any) -> str:
        """``name[p=v]`` with only what differs from the declared defaults."""
        return parameters.text(component, self.find(kind, component.name).component)

    def identity(self, kind: str, component: Any) -> dict[str, Any]:
        """What of a component determines a result, as JSON has it.

        That is its name, all its parameters (those that came later only where they are set), its
        plugin and the plugin's version.
        """
        source = self.find(kind, component.name).plugin
        declared = parameters.parameters(component)
        values = {
            name: value
            for name, value in parameters.values(component).items()
            if not (declared[name].later and value == declared[name].unset)
        }
        identity: dict[str, Any] = {
            "name": component.name,
            "parameters": json.loads(json.dumps(values)),
            "distribution": source.distribution,
            "version": source.version,
        }
        for name, parameter in declared.items():
            if parameter.part is not None and name in values:
                part = self.get(parameter.part, getattr(component, name))
                identity["parameters"][name] = self.identity(parameter.part, part)
        return identity

    def notify(self, event: str, **arguments: Any) -> None:
        """Call a hook of the life of a run; a listener that raises is blamed, not followed.

        It is said once for each event: a tracker that fails at every point fails for one reason.
        """
        for implementation in getattr(self.manager.hook, event).get_hookimpls():
            try:
                implementation.function(*(arguments[name] for name in implementation.argnames))
            except Exception as error:
                plugin = self.plugins.get(implementation.plugin_name)
                doing = f"{event} failed"
                if plugin is not None and not any(e.startswith(doing) for e in plugin.errors):
                    plugin.blame(doing, error)
                    log.warning("plugin '%s': %s", plugin.name, plugin.errors[-1])

    def listing(self) -> list[Plugin]:
        """All plugins, with what they provide and what went wrong."""
        for kind in KINDS:
            self.provided(kind)
        return list(self.plugins.values())


def _entry_points() -> list[tuple[Distribution, EntryPoint]]:
    """The entry points of the group, the built-ins first, then by distribution and name.

    Of a distribution that is installed more than once, the first on the path counts.
    """
    first: dict[str, tuple[Distribution, list[EntryPoint]]] = {}
    for distribution in distributions():
        entries = [e for e in distribution.entry_points if e.group == hookspecs.PROJECT]
        if entries:
            first.setdefault(distribution.metadata["Name"], (distribution, entries))
    order = sorted(first, key=lambda name: (name != OWN, name))
    return [
        (first[name][0], entry)
        for name in order
        for entry in sorted(first[name][1], key=lambda entry: (entry.name, entry.value))
    ]


def _wrong(kind: str, component: Any) -> str:
    """Why a component cannot be used, or nothing; then it has all that its kind may declare."""
    name = getattr(component, "name", None)
    if not isinstance(name, str) or not name or set(name) & set("[](),= "):
        return f"{component!r} has no usable name (a text without space and []()=,)"
    try:
        parameters.parameters(component)
    except Exception as error:
        return f"the parameters of '{name}' are wrong: {error}"
    try:
        complete(kind, component)
    except Exception as error:
        return f"'{name}' does not take the defaults of what it does not declare: {error}"
    return ""


def _hook_names() -> list[str]:
    return [name for name in vars(hookspecs) if name.startswith("mcbench_")]


def _conflict(kind: str, name: str, claims: list[Provided]) -> str:
    owners = " and ".join(
        f"{c.plugin.name} ({c.plugin.distribution} {c.plugin.version})" for c in claims
    )
    return (
        f"the {kind} '{name}' is claimed by {owners}: "
        "uninstall one, or load only one with MCBENCH_LOAD_PLUGINS"
    )


@cache
def host() -> Host:
    """The process's host. ``MCBENCH_LOAD_PLUGINS`` names what to load: unset all, empty none."""
    wanted = os.environ.get("MCBENCH_LOAD_PLUGINS")
    if wanted is None:
        return Host()
    return Host(only={name.strip() for name in wanted.split(",") if name.strip()})
