"""The page of the hooks, from their specifications."""

from __future__ import annotations

import inspect

from docs.pages import text
from mcbench.plugins import hookspecs
from mcbench.plugins.host import KINDS

INTRODUCTION = """# Hooks

A plugin is a module with functions named after hooks and marked `@mcbench.hookimpl`;
[Write a plugin](../plugins.md) tells how it is packaged and found. An implementation takes the
arguments it needs, by name, and may leave out the others. This page is made from the
specifications in `mcbench.plugins.hookspecs`; its examples are executed by the tests.
"""

PROVIDING = """## Hooks that provide components

They yield components: objects with a `name`."""

LISTENING = """## Hooks that listen

They are called while results are computed, for trackers, logs and notifications. What they return
is ignored. One that raises is named once on standard error and in `mcbench plugins`, and harms no
run. Print to standard error: standard output is for results. The package
[mcbench-mlflow](../../plugins/mcbench-mlflow/README.md) is a whole example."""


def names() -> list[str]:
    """All hooks, in the order of their specifications."""
    return [name for name in vars(hookspecs) if name.startswith("mcbench_")]


def page() -> str:
    """All hooks, those that provide first."""
    providing = [name for name in names() if name in KINDS.values()]
    listening = [name for name in names() if name not in KINDS.values()]
    parts = [INTRODUCTION, PROVIDING, *map(section, providing)]
    return "\n\n".join([*parts, LISTENING, *map(section, listening)])


def section(name: str) -> str:
    """One hook: its arguments with their types, its description, its example."""
    function = getattr(hookspecs, name)
    signature = inspect.signature(function)
    arguments = ", ".join(signature.parameters)
    typed = ", ".join(str(p).replace("'", "") for p in signature.parameters.values())
    parts = [f"### {name}({arguments})"]
    if typed:
        parts.append(text.fenced(f"{name}({typed})", "python"))
    return "\n\n".join([*parts, text.docstring(function.__doc__ or "")])
