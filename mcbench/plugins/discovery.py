"""Entry points of the installed plugins."""

from __future__ import annotations

from importlib.metadata import Distribution, EntryPoint, distributions

from mcbench.plugins.hookspecs import PROJECT

OWN = "mcbench"
"""The distribution whose entry points are the built-ins: they are always loaded, and first."""


def entry_points() -> list[tuple[Distribution, EntryPoint]]:
    """The entry points of plugins, the built-ins first, then by distribution and name.

    If a distribution is installed more than once, the first on the path counts.
    """
    first: dict[str, tuple[Distribution, list[EntryPoint]]] = {}
    for distribution in distributions():
        entries = [e for e in distribution.entry_points if e.group == PROJECT]
        if entries:
            first.setdefault(distribution.metadata["Name"], (distribution, entries))
    return [
        (first[name][0], entry)
        for name in sorted(first, key=lambda name: (name != OWN, name))
        for entry in sorted(first[name][1], key=lambda entry: (entry.name, entry.value))
    ]
