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
    explicit = True
    learnable = False
    route = "one line"
    use = "The baseline: what a method gains, it gains over the straight line."

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """The segment."""
        return mcbench.segment(a.params, b.params)


class RandomDirection:
    r""":math:`\psi(t) = A + t\,|B - A|\,v` with a random unit vector v, to hold others against.

    v is uniform on the sphere of all parameters, drawn by the run's seed for the pair; buffers
    stay A's. The path does not end at B.
    """

    name = "random-direction"
    summary = "from A in a random direction, as far as B is: a baseline, which does not reach B"
    reference = "Garipov et al., NeurIPS 2018, sec. 5 (ensembles along a path)"
    explicit = True
    learnable = False
    route = "one line, away from B"
    use = "To hold ensembles along a path against (`ensemble-along`); not to connect A and B."

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """The segment to the random point."""
        import torch

        draws = problem.generator("random direction", a.seed, b.seed)
        names = [name for name, _ in problem.module.named_parameters()]
        steps = {n: torch.randn(a.params[n].shape, generator=draws) for n in names}
        norm = sum(float(x.double().square().sum()) for x in steps.values()) ** 0.5
        gap = sum(float((b.params[n] - a.params[n]).double().square().sum()) for n in names) ** 0.5
        end = {n: a.params[n] + x.to(a.params[n]) * (gap / norm) for n, x in steps.items()}
        line = mcbench.segment(a.params, a.params | end)
        return mcbench.Path(line.legs, "short")


class Straight:
    r""":math:`\theta(t) = (1 - t)\,\theta^A + t\,\theta^B`: keeps the neurons' mean."""

    name = "linear"
    summary = "a straight line for every neuron, which keeps the neurons' mean"

    def interpolate(self, a: Tensor, b: Tensor, t: float) -> Tensor:
        """The point on the line, shape (n, d)."""
        return (1 - t) * a + t * b


@mcbench.hookimpl
def mcbench_methods() -> Iterator[Linear | RandomDirection]:
    """The segment as a method, and a baseline of the same length."""
    yield Linear()
    yield RandomDirection()


@mcbench.hookimpl
def mcbench_interpolations() -> Iterator[Straight]:
    """The straight line as a part of composed methods."""
    yield Straight()
