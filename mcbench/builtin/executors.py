"""The local executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mcbench.plugins.hookspecs import hookimpl


# Tasks and results are Any: an executor only hands them on.
class Local:
    """One run after another, in this process; torch uses all cores."""

    name = "local"
    summary = "one run after another, in this process"

    def map(self, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        """Results in the order of the tasks."""
        return map(function, tasks)


@hookimpl
def mcbench_executors() -> Iterator[object]:
    """The local executor."""
    yield Local()
