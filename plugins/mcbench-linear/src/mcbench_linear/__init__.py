"""The straight line between two endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import mcbench
from mcbench import Endpoint, Path, Problem

if TYPE_CHECKING:
    from torch import Tensor


class Linear:
    r""":math:`\psi(t) = (1 - t)\,A + t\,B`, for any network."""

    name = "linear"
    summary = "the straight line"
    reference = "Goodfellow et al., ICLR 2015; Anokhin & Yarotsky, ICML 2020"

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """The segment."""
        return mcbench.segment(a.params, b.params)


class Straight:
    r""":math:`\theta(t) = (1 - t)\,\theta^A + t\,\theta^B`: keeps the neurons' mean."""

    name = "linear"
    summary = "a straight line for every neuron, which keeps the neurons' mean"

    def interpolate(self, a: Tensor, b: Tensor, t: float) -> Tensor:
        """The point on the line, shape (n, d)."""
        return (1 - t) * a + t * b


@mcbench.hookimpl
def mcbench_methods() -> Iterator[Linear]:
    """The segment as a method."""
    yield Linear()


@mcbench.hookimpl
def mcbench_interpolations() -> Iterator[Straight]:
    """The straight line as a part of composed methods."""
    yield Straight()
