"""Neutral parts of composed methods: the identity matching and no adjustment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mcbench.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from mcbench.methods.method import Stage
    from mcbench.problem.problem import Problem


class Identity:
    """The identity: neuron i of A is matched with neuron i of B."""

    name = "identity"
    summary = "neuron i of A goes with neuron i of B"

    def match(self, a: Tensor, b: Tensor, incoming: int) -> Tensor:
        """The indices 0, 1, ..., n - 1."""
        import torch

        return torch.arange(len(a), device=a.device)


class Unadjusted:
    """No adjustment: points of the path stay as they are."""

    name = "none"
    summary = "points of the path stay as they are"

    def prepare(self, stage: Stage, problem: Problem) -> None:
        """``None``: nothing is adjusted."""


@hookimpl
def mcbench_matchings() -> Iterator[object]:
    """The identity."""
    yield Identity()


@hookimpl
def mcbench_adjustments() -> Iterator[object]:
    """No adjustment."""
    yield Unadjusted()
