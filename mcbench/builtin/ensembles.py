"""The ensemble that others are measured against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mcbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from mcbench.endpoint import Endpoint
    from mcbench.params import Params
    from mcbench.problem import Problem


class Independent:
    """The networks as they are."""

    name = "independent"
    summary = "the networks as they are"

    def members(self, endpoints: Sequence[Endpoint], problem: Problem) -> Iterator[Params]:
        """The endpoints."""
        return (endpoint.params for endpoint in endpoints)


@hookimpl
def mcbench_ensembles() -> Iterator[Independent]:
    """Independent networks."""
    yield Independent()
