"""All hidden layers of two networks connected at once: the plain form of composed methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mcbench.methods.method import Parts
from mcbench.paths.params import Params, combine
from mcbench.paths.path import Leg
from mcbench.structure.neurons import Hidden

if TYPE_CHECKING:
    from mcbench.problem.problem import Problem


def simultaneous(
    a: Params, b: Params, problem: Problem, parts: Parts
) -> tuple[list[Leg], list[Tensor]]:
    r"""One leg from A to B with its hidden neurons matched to A's.

    Layers are matched from the bottom, each given the order of the one below. A neuron is its
    incoming weights and scalars; in the last hidden layer also its outgoing weights, which no
    other neuron owns. All layers move by the interpolation at the same time; what is no neuron's
    (the output bias) moves straight.

    Returns:
        The leg, and the order of B's neurons in each hidden layer.
    """
    chain = problem.chain
    hiddens = [Hidden.of(chain, a, k) for k in range(len(chain.layers) - 1)]
    orders: list[Tensor] = []
    for hidden in hiddens:
        last = hidden is hiddens[-1]
        here, there = (_vectors(hidden, p, last) for p in (a, b))
        order = parts.matching.match(here, there, hidden.incoming)
        orders.append(order)
        b = hidden.permute(b, order)
    ends = [
        (hidden, _vectors(hidden, a, hidden is hiddens[-1]),
         _vectors(hidden, b, hidden is hiddens[-1]))
        for hidden in hiddens
    ]  # fmt: skip

    def between(u: float) -> Params:
        point = combine(a, b, 1 - u, u)
        for hidden, here, there in ends:
            moved = hidden.between(parts.interpolation, here, there, u)
            point |= hidden.unpack_in(moved[:, : hidden.outgoing])
            if hidden is hiddens[-1]:
                point |= hidden.unpack_out(moved[:, hidden.outgoing :])
        return point

    return [Leg(a, b, between, title="move the neurons")], orders


def _vectors(hidden: Hidden, params: Params, last: bool) -> torch.Tensor:
    return hidden.pack(params) if last else hidden.in_weights(params)
