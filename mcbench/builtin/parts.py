"""The parts of composed methods that leave things as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mcbench.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from mcbench.methods.method import Stage
    from mcbench.problem.problem import Problem


class Identity:
    """Neuron i of A goes with neuron i of B."""

    name = "identity"
    summary = "neuron i of A goes with neuron i of B"

    def match(self, a: Tensor, b: Tensor, incoming: int) -> Tensor:
        """0, 1, ..., n - 1."""
        import torch

        return torch.arange(len(a), device=a.device)


class Unadjusted:
    """Points of the path stay as they are."""

    name = "none"
    summary = "points of the path stay as they are"

    def prepare(self, stage: Stage, problem: Problem) -> None:
        """Nothing to do."""
        return None


@hookimpl
def mcbench_matchings() -> Iterator[Any]:
    """The identity."""
    yield Identity()


@hookimpl
def mcbench_adjustments() -> Iterator[Any]:
    """None."""
    yield Unadjusted()
