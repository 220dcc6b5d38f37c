"""The ensemble that others are measured against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mcbench.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from mcbench.paths.params import Params
    from mcbench.problem.endpoint import Endpoint
    from mcbench.problem.problem import Problem
    from mcbench.problem.recipe import Recipe


class Independent:
    """The networks as they are."""

    name = "independent"
    summary = "the networks as they are"

    def start(self, recipe: Recipe) -> Recipe:
        """As the recipe says."""
        return recipe

    def epochs(self, recipe: Recipe) -> tuple[float, ...]:
        """All of the recipe's."""
        return (float(recipe.last),)

    def collect(self, start: Endpoint, problem: Problem) -> list[Params]:
        """The endpoint."""
        return [start.params]


@hookimpl
def mcbench_ensembles() -> Iterator[Independent]:
    """Independent networks."""
    yield Independent()
