"""Connection of all hidden layers at once, for composed methods without adjustment."""

from __future__ import annotations

from torch import Tensor

from mcbench.methods.method import Parts
from mcbench.paths.params import Params, combine
from mcbench.paths.path import Leg
from mcbench.problem.problem import Problem
from mcbench.structure.neurons import Hidden


def all_layers(
    a: Params, b: Params, problem: Problem, parts: Parts
) -> tuple[list[Leg], list[Tensor]]:
    r"""One leg from A to B with its hidden neurons matched to A's.

    Layers are matched from the bottom, each after the layer below is permuted. A neuron is its
    incoming weights and scalars; in the last hidden layer also its outgoing weights, which no
    other neuron owns. All layers move by the interpolation at the same time; entries of no neuron
    (the output bias) move straight.

    Returns:
        The leg, and the order of B's neurons in each hidden layer.
    """
    chain = problem.chain
    hiddens = [Hidden.of(chain, a, k) for k in range(len(chain.layers) - 1)]
    last = hiddens[-1] if hiddens else None

    def vectors(hidden: Hidden, params: Params) -> Tensor:
        return hidden.pack(params) if hidden is last else hidden.in_weights(params)

    orders: list[Tensor] = []
    for hidden in hiddens:
        order = parts.matching.match(vectors(hidden, a), vectors(hidden, b), hidden.incoming)
        orders.append(order)
        b = hidden.permute(b, order)
    ends = [(hidden, vectors(hidden, a), vectors(hidden, b)) for hidden in hiddens]

    def between(u: float) -> Params:
        point = combine(a, b, 1 - u, u)
        for hidden, here, there in ends:
            neurons = hidden.between(parts.interpolation, here, there, u)
            point |= hidden.unpack_in(neurons[:, : hidden.outgoing])
            if hidden is last:
                point |= hidden.unpack_out(neurons[:, hidden.outgoing :])
        return point

    return [Leg(a, b, between, title="move the neurons")], orders
