"""The straight line between two endpoints, a random baseline and a warning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import mcbench
from mcbench import Endpoint, Path, Problem

if TYPE_CHECKING:
    from torch import Tensor


class Linear:
    r"""Straight line :math:`\psi(t) = (1 - t)\,A + t\,B`, for any network."""

    name = "linear"
    summary = "the straight line"
    reference = "Goodfellow et al., ICLR 2015; Anokhin & Yarotsky, ICML 2020"
    explicit = True
    baseline = True
    learnable = False
    statistics = "keep"
    route = "one line"
    use = "The baseline: what a method gains, it gains over the straight line."

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """The segment."""
        return mcbench.segment(a.params, b.params)


class RandomDirection:
    r"""Line :math:`\psi(t) = A + t\,|B - A|\,v` with a random unit vector v: a baseline.

    v is uniform on the sphere of all parameters, drawn by the run's seed for the pair; buffers
    stay A's. The path does not end at B.
    """

    name = "random-direction"
    summary = "from A in a random direction, as far as B is: a baseline, which does not reach B"
    reference = "Garipov et al., NeurIPS 2018, sec. 5 (ensembles along a path)"
    explicit = True
    learnable = False
    statistics = "keep"
    route = "one line, away from B"
    use = "A baseline of ensembles along a path (`ensemble-along`); it does not connect A and B."

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """The segment to the random point."""
        import torch

        draws = problem.generator("random direction", a.seed, b.seed)
        names = [n for n, w in problem.module.named_parameters() if w.requires_grad]
        steps = {n: torch.randn(a.params[n].shape, generator=draws) for n in names}
        norm = sum(float(x.double().square().sum()) for x in steps.values()) ** 0.5
        gap = sum(float((b.params[n] - a.params[n]).double().square().sum()) for n in names) ** 0.5
        end = {n: a.params[n] + x.to(a.params[n]) * (gap / norm) for n, x in steps.items()}
        line = mcbench.segment(a.params, a.params | end)
        return mcbench.Path(line.legs, "short")


class Origin:
    r"""Path from A to the network that is 0, and on to B: a warning, not a connection.

    With a scale s from 1 down to 0 and up again, layer i of n of a chain has
    :math:`W_i(s) = s\,W_i` and :math:`b_i(s) = s^i\,b_i`: of A on the first half,
    :math:`s = 1 - 2t`, of B on the second, :math:`s = 2t - 1`. Functions between the layers must
    be positively homogeneous (:math:`f(cx) = c f(x)` for c > 0), as ReLU and pooling are. Then
    the logits are :math:`s^n` times those of A or B, and the accuracy is theirs at every point but
    one: at 0 all logits are 0, and nothing is predicted. The cross-entropy goes to
    :math:`\log C` for C classes, whatever A and B are.

    Raises:
        StructureError: If the network is no chain of affine layers, is normalised, or has other
            functions between them.
    """

    name = "origin"
    summary = "to the network that is 0, and on to B: a warning about accuracy as a criterion"
    reference = "Garipov et al., NeurIPS 2018, appendix A.8"
    needs = frozenset({"affine-chain"})
    explicit = True
    learnable = False
    route = "two rays through 0"
    use = "As a warning: its accuracy is that of the ends, and it connects nothing."

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """The two rays."""
        from mcbench_linear.origin import origin

        return origin(a.params, b.params, problem)


class Straight:
    r"""Line :math:`\theta(t) = (1 - t)\,\theta^A + t\,\theta^B`, which keeps the neurons' mean."""

    name = "linear"
    summary = "a straight line for every neuron, which keeps the neurons' mean"

    def interpolate(self, a: Tensor, b: Tensor, t: float) -> Tensor:
        """The point on the line, shape (n, d)."""
        return (1 - t) * a + t * b


@mcbench.hookimpl
def mcbench_methods() -> Iterator[Linear | RandomDirection | Origin]:
    """The straight line, a baseline of the same length, and a warning."""
    yield Linear()
    yield RandomDirection()
    yield Origin()


@mcbench.hookimpl
def mcbench_interpolations() -> Iterator[Straight]:
    """The straight line as a part of composed methods."""
    yield Straight()
