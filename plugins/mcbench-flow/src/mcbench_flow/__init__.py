"""Flow and bijection connections: arcs in the coordinates of a fitted normalising map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import mcbench

if TYPE_CHECKING:
    from mcbench import Endpoint, Params, Path, Problem
    from mcbench_flow.bijection import RealNVPBijection
    from mcbench_flow.flow import IAFFlow

REFERENCE = "Anokhin & Yarotsky, ICML 2020 (connections using a normalising map)"


class FittedMap:
    """Method of arcs in the coordinates of a map, which a subclass builds and fits on a pool.

    Attributes:
        facts: The names of the tensors, beside those of the map, that a fit tells of itself by.
    """

    reference = REFERENCE
    explicit: ClassVar[bool] = False
    learnable: ClassVar[bool] = True
    facts: ClassVar[tuple[str, ...]] = ()

    def build(self, features: int) -> Any:  # A flow of zuko, which ships no types.
        """The map, not fitted."""
        raise NotImplementedError

    def notes(self, facts: Params, problem: Problem) -> Iterator[str]:
        """What users should know of the fit; noted on every path."""
        raise NotImplementedError

    def check(self, problem: Problem) -> None:
        """Refuse networks that have not two affine layers."""
        from mcbench_flow.neurons import hidden_of

        hidden_of(problem.module.state_dict(), problem)

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """The path through the fitted map's coordinates."""
        from mcbench_flow.connection import connect

        facts = {name: x for name, x in problem.fitted.items() if name in self.facts}
        for note in self.notes(facts, problem) if facts else ():
            problem.workshop.note(note)
        tensors = {name: x for name, x in problem.fitted.items() if name not in facts}
        return connect(a.params, b.params, problem.bind(problem.workshop, tensors), self.build)


@mcbench.hookimpl
def mcbench_methods() -> Iterator[RealNVPBijection | IAFFlow]:
    """A flow fitted by likelihood, and a bijection fitted by the loss along its paths."""
    from mcbench_flow.bijection import RealNVPBijection
    from mcbench_flow.flow import IAFFlow

    yield IAFFlow()
    yield RealNVPBijection()
