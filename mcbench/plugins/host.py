"""The plugin host: discovery, isolation, conflicts, listing.

Every plugin is loaded and called on its own, so that one that fails harms no other: its errors
are collected with its name and its distribution, and shown by ``mcbench plugins``.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import pluggy

from mcbench.errors import McbenchError, UsageError, one_line, unknown
from mcbench.plugins import hookspecs, parameters
from mcbench.plugins.capabilities import complete

log = logging.getLogger("mcbench")

OWN = "mcbench"
"""The distribution whose entry points are the built-ins: they are always loaded, and first."""

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


def plural(kind: str) -> str:
    """The plural that the command line uses: ``methods``, ``leaderboards``."""
    return KINDS[kind].removeprefix("mcbench_")


@dataclass
class Plugin:
    """A plugin, the names of its components by kind, and its errors."""

    name: str
    distribution: str
    version: str
    provides: dict[str, list[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def blame(self, doing: str, error: BaseException) -> None:
        """Add ``error``, in one line."""
        text = one_line(error) or "no message"
        self.errors.append(f"{doing}: {type(error).__name__}: {text}")


@dataclass(frozen=True)
class Provided:
    """A component and the plugin that provides it."""

    component: Any  # Plugins' classes inherit nothing: each kind has its protocol.
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
        entries = entry_points(group=hookspecs.PROJECT)
        metadata = {e.dist: e.dist.metadata for e in entries if e.dist}  # Each is read once.
        found = [
            (metadata[e.dist]["Name"], metadata[e.dist]["Version"], e) for e in entries if e.dist
        ]
        for title, version, entry in sorted(found, key=lambda item: (item[0] != OWN, item)):
            absent -= {entry.name, title}
            if title == OWN or only is None or {entry.name, title} & only:
                self.register(Plugin(entry.name, title, version), entry.load)
        if not any(plugin.distribution == OWN for plugin in self.plugins.values()):
            raise McbenchError(
                "the installed mcbench declares no built-ins: it is older than its code; install "
                "it again, as with 'pip install -e .'"
            )
        if absent:
            log.warning("no plugin or distribution is named %s", " or ".join(sorted(absent)))

    def register(self, plugin: Plugin, load: Callable[[], object]) -> None:
        """Load a plugin and register its hooks; errors are added to the plugin."""
        if plugin.name in self.plugins:
            other = self.plugins[plugin.name].distribution
            plugin.name = f"{plugin.name} ({plugin.distribution})"
            plugin.errors.append(
                f"the entry point's name is also taken by {other}: rename one of them"
            )
            self.plugins[plugin.name] = plugin
            return
        self.plugins[plugin.name] = plugin
        doing = "it cannot be imported"
        try:
            module = load()
            doing = "its hooks are wrong"
            self.manager.register(module, plugin.name)
            callers = self.manager.get_hookcallers(module) or []
            strays = [caller.name for caller in callers if not caller.has_spec()]
            if strays:
                hooks = [name for name in vars(hookspecs) if name.startswith("mcbench_")]
                raise unknown("hook", strays[0], hooks)
        except (Exception, SystemExit) as error:
            exits = isinstance(error, SystemExit)
            plugin.blame("it exits when imported" if exits else doing, error)
            if self.manager.has_plugin(plugin.name):
                self.manager.unregister(name=plugin.name)

    def provided(self, kind: str) -> dict[str, list[Provided]]:
        """All components of a kind by name; several of one name are a conflict."""
        if kind not in self._provided:
            components = self._provided[kind] = {}
            for plugin, component in self._components(KINDS[kind]):
                defect = _defect(kind, component)
                if defect:
                    plugin.errors.append(f"{KINDS[kind]}: {defect}")
                    continue
                plugin.provides.setdefault(plural(kind), []).append(component.name)
                components.setdefault(component.name, []).append(Provided(component, plugin))
        return self._provided[kind]

    def _components(self, hook: str) -> Iterator[tuple[Plugin, Any]]:
        for implementation in getattr(self.manager.hook, hook).get_hookimpls():
            plugin = self.plugins.get(implementation.plugin_name)
            if plugin is None:
                continue
            try:
                items = list(implementation.function())
            except Exception as error:
                plugin.blame(f"{hook} failed", error)
            else:
                yield from ((plugin, item) for item in items)

    def names(self, kind: str) -> list[str]:
        """The names without conflict, sorted."""
        return sorted(n for n, claims in self.provided(kind).items() if len(claims) == 1)

    def conflicts(self) -> list[str]:
        """A message for every name that more than one plugin claims."""
        return [
            _conflict(kind, name, claims)
            for kind in KINDS
            for name, claims in self.provided(kind).items()
            if len(claims) > 1
        ]

    def find(self, kind: str, name: str) -> Provided:
        """The component of that name, as declared, with its plugin.

        Raises:
            UsageError: If no plugin provides it, or several do.
        """
        claims = self.provided(kind).get(name, [])
        if len(claims) > 1:
            raise UsageError(_conflict(kind, name, claims))
        if claims:
            return claims[0]
        message = str(unknown(kind, name, self.names(kind), f"mcbench list {plural(kind)}"))
        broken = [p.name for p in self.plugins.values() if p.errors]
        if broken:
            message += f" (plugins with errors: {', '.join(broken)}; see 'mcbench plugins')"
        others = [k for k in KINDS if k != kind and name in self.provided(k)]
        if others:
            message += f"; there is a component of that name of kind {', '.join(others)}"
        raise UsageError(message)

    def get(self, kind: str, text: str) -> Any:
        """The component of a text ``name[p=v]``, with its parameters set.

        A parameter of a part may be given to the whole: ``ot-wa[cost=incoming]`` is
        ``ot-wa[matching=ot[cost=incoming]]``.

        Raises:
            UsageError: If the name is unknown or in conflict, or a parameter is wrong.
        """
        name, values = parameters.parse(text)
        component = self.find(kind, name).component
        declared = parameters.parameters(component)
        own = {k: v for k, v in values.items() if k in declared}
        forwarded = {k: v for k, v in values.items() if k not in declared}
        for field_name, parameter in declared.items():
            if parameter.part is None:
                continue
            part_name, part_values = parameters.parse(own.get(field_name, parameter.default))
            declared_part = self.find(parameter.part, part_name).component
            for key in [k for k in forwarded if k in parameters.parameters(declared_part)]:
                part_values[key] = forwarded.pop(key)
            part = parameters.configure(parameter.part, declared_part, part_values)
            own[field_name] = parameters.text(part, declared_part)
        return parameters.configure(kind, component, own | forwarded)

    def text(self, kind: str, component: Any) -> str:
        """``name[p=v]`` with only what differs from the declared defaults."""
        return parameters.text(component, self.find(kind, component.name).component)

    def identity(self, kind: str, component: Any) -> dict[str, Any]:
        """All that determines a component's results, as JSON has it.

        Its name, its parameters (``later`` ones only if they are set), its distribution and the
        distribution's version.
        """
        source = self.find(kind, component.name).plugin
        values: dict[str, Any] = {}
        for name, p in parameters.parameters(component).items():
            if p.later and p.default == p.unset:
                continue
            if p.part is not None:
                values[name] = self.identity(p.part, self.get(p.part, p.default))
            else:
                values[name] = p.default
        return {
            "name": component.name,
            "parameters": json.loads(json.dumps(values)),
            "distribution": source.distribution,
            "version": source.version,
        }

    def notify(self, event: str, **arguments: Any) -> None:
        """Call an event's hook; the first error of a plugin in it is logged and kept.

        Later ones are ignored: a tracker that fails at every point fails for one reason.
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
        """All plugins, with all their components and errors."""
        for kind in KINDS:
            self.provided(kind)
        return list(self.plugins.values())


def _defect(kind: str, component: Any) -> str:
    """Complete a component (`capabilities.complete`); why it cannot be used, empty if it can."""
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
        return f"the defaults of optional attributes cannot be set on '{name}': {error}"
    return ""


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
    """The process's host, with the plugins in ``MCBENCH_LOAD_PLUGINS``; all if it is unset."""
    names = os.environ.get("MCBENCH_LOAD_PLUGINS")
    if names is None:
        return Host()
    return Host(only={name.strip() for name in names.split(",") if name.strip()})
