"""The arc: an interpolation that keeps the mean and the covariance of the neurons."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, pi, sin
from typing import TYPE_CHECKING

import mcbench

if TYPE_CHECKING:
    from torch import Tensor

REFERENCE = "Anokhin & Yarotsky, ICML 2020, Proposition (arc connection)"


class Arc:
    r""":math:`\theta(t) = \mu + \cos(\pi t/2)(\theta^A - \mu) + \sin(\pi t/2)(\theta^B - \mu)`.

    :math:`\mu` is the mean over the neurons of both networks. If :math:`\theta^A` and
    :math:`\theta^B` are independent draws from one distribution, its mean and covariance are
    those of :math:`\theta(t)`; if it is Gaussian, so is the distribution itself.
    """

    name = "arc"
    summary = "an arc for every neuron, which keeps the neurons' mean and covariance"
    reference = REFERENCE

    def interpolate(self, a: Tensor, b: Tensor, t: float) -> Tensor:
        """The point on the arc, shape (n, d); a neuron is one vector with all its weights."""
        mean = (a.double().mean(0) + b.double().mean(0)).to(a.dtype) / 2
        return mean + cos(pi * t / 2) * (a - mean) + sin(pi * t / 2) * (b - mean)


@mcbench.hookimpl
def mcbench_interpolations() -> Iterator[Arc]:
    """The arc as a part of composed methods."""
    yield Arc()


@mcbench.hookimpl
def mcbench_methods() -> Iterator[mcbench.Composition]:
    """The arc as a method."""
    summary = "neurons move on arcs that keep their mean and covariance"
    use = "A formula as cheap as the straight line, for networks whose neurons are not matched."
    yield mcbench.Composition("arc", summary, REFERENCE, use, interpolation="arc", baseline=True)
