"""The path that a fitted map gives, and its loss."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING

import torch
from torch import Tensor

import mcbench
from mcbench import Params, Path, Problem
from mcbench_flow.neurons import hidden_of
from mcbench_flow.normalizing import Build, Normalizing

if TYPE_CHECKING:
    from mcbench import Endpoint


def arc(a: Tensor, b: Tensor, t: float) -> Tensor:
    r"""Arc :math:`\cos(\pi t/2)\,a + \sin(\pi t/2)\,b`: standard normal if a and b are."""
    return cos(pi * t / 2) * a + sin(pi * t / 2) * b


def connect(a: Params, b: Params, problem: Problem, build: Build) -> Path:
    r"""Path :math:`\nu^{-1}[\cos(\pi t/2)\,\nu(\theta^A) + \sin(\pi t/2)\,\nu(\theta^B)]`.

    All neurons of a point are mapped in one batch, in float64. The output bias moves straight.
    The ends are A and B, exactly; points between approach them up to the difference of
    :math:`\nu^{-1}(\nu(\theta))` and :math:`\theta`.

    Raises:
        StructureError: If the network is no chain of two affine layers.
        RunError: If a point is not finite.
    """
    from mcbench import Leg, combine, finite

    hidden = hidden_of(a, problem)
    nu = Normalizing.load(build, problem.fitted).to(problem.device, torch.float64)
    with torch.no_grad():
        here, there = (nu(hidden.pack(p).double()) for p in (a, b))

    def between(u: float) -> Params:
        with torch.no_grad():
            neurons = nu.inverse(arc(here, there, u)).to(a[hidden.below.weight].dtype)
        point = combine(a, b, 1 - u, u) | hidden.unpack(neurons)
        if not finite(point):
            raise mcbench.RunError(f"the point at t = {u:g} is not finite")
        return point

    return Path([Leg(a, b, between, title="move the neurons")])


def path_loss(
    nu: Normalizing,
    a: Params,
    b: Params,
    times: list[float],
    problem: Problem,
    batch: tuple[Tensor, Tensor],
) -> Tensor:
    r"""Mean of :math:`L(\psi(t))` over ``times`` on a batch of inputs and targets.

    It is differentiable by the parameters of ``nu``.
    """
    from mcbench import combine

    hidden = hidden_of(a, problem)
    here, there = nu(torch.cat([hidden.pack(a), hidden.pack(b)])).chunk(2)
    total = torch.zeros((), device=here.device)
    for t in times:
        neurons = nu.inverse(arc(here, there, t))
        total = total + problem.loss(combine(a, b, 1 - t, t) | hidden.unpack(neurons), *batch)
    return total / len(times)


def pooled(pool: list[Endpoint], problem: Problem) -> Tensor:
    """Neurons of all networks of a pool, shape (networks, n, d).

    Raises:
        StructureError: If the network is no chain of two affine layers.
    """
    hidden = hidden_of(pool[0].params, problem)
    return torch.stack([hidden.pack(end.params) for end in pool])


def initial(
    build: Build, neurons: Tensor, problem: Problem, purpose: str, whiten: bool = False
) -> Normalizing:
    """Map that a fit starts from, which only standardises, or whitens."""
    seed = problem.generator("init", purpose).initial_seed()
    return Normalizing.of(build, neurons, seed, whiten)
