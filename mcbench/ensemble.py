"""`Ensemble`, a way to make one predictor of several networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mcbench.endpoint import Endpoint
    from mcbench.params import Params
    from mcbench.problem import Problem


class Ensemble(Protocol):
    """Makes members of endpoints; their softmax outputs are averaged.

    Optional attributes: ``summary`` (one line), ``reference`` (the paper, section or equation).
    """

    name: str

    def members(self, endpoints: Sequence[Endpoint], problem: Problem) -> Iterator[Params]:
        """One member for each endpoint, in their order.

        What a member has in common with the first one must be the same tensors, not copies: it is
        stored once, and layers at the bottom that are all in common are computed once.

        Raises:
            StructureError: If the network is not of the kind it takes.
        """
        ...
