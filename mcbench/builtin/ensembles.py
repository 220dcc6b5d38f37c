"""The ensemble of independent networks, with which others are compared."""

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
    """Independently trained networks, unchanged."""

    name = "independent"
    summary = "the networks as they are"

    def start(self, recipe: Recipe) -> Recipe:
        """The whole training of the recipe."""
        return recipe

    def epochs(self, recipe: Recipe) -> tuple[float, ...]:
        """The epochs of the recipe, for the only member."""
        return (float(recipe.last),)

    def collect(self, start: Endpoint, problem: Problem) -> list[Params]:
        """The endpoint's parameters, as the only member."""
        return [start.params]


@hookimpl
def mcbench_ensembles() -> Iterator[Independent]:
    """Independent networks."""
    yield Independent()
