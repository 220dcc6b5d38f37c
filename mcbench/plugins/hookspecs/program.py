"""Hooks that provide executors and commands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mcbench.plugins.hookspecs.markers import hookspec

if TYPE_CHECKING:
    import click


@hookspec
def mcbench_executors() -> Iterable[Any]:  # type: ignore[empty-body]
    """Executors: ``name`` and ``map(function, tasks) -> Iterable[result]``, in any order.

    Tasks are independent, and each returns normally, also if its run failed.

    Example::

        class Backwards:
            name = "backwards"
            summary = "the last task first"

            def map(self, function, tasks):
                return (function(task) for task in reversed(tasks))


        @mcbench.hookimpl
        def mcbench_executors():
            yield Backwards()
    """


@hookspec
def mcbench_commands() -> Iterable[click.Command]:  # type: ignore[empty-body]
    """Further verbs of ``mcbench``, as click commands. A built-in verb's name cannot be taken.

    Example::

        @click.command()
        def hello():
            "Say hello."
            click.echo("hello")


        @mcbench.hookimpl
        def mcbench_commands():
            yield hello
    """
