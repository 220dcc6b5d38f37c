"""Connection of all hidden layers at once, for composed methods without adjustment."""

from __future__ import annotations

from torch import Tensor

from mcbench.methods.method import Parts
from mcbench.paths.params import Params, combine
from mcbench.paths.path import Leg
from mcbench.problem.problem import Problem
from mcbench.structure.neurons import Hidden
from mcbench.structure.rows import Rows


def all_layers(
    a: Params, b: Params, problem: Problem, parts: Parts
) -> tuple[list[Leg], list[Tensor]]:
    r"""One leg from A to B with its hidden neurons matched to A's.

    Layers are matched from the bottom, each after the layer below is permuted. A neuron is its
    incoming weights and scalars; in the last hidden layer also its outgoing weights, which no
    other neuron owns, if ``parts.last`` is ``neurons``; if it is ``rows``, outputs are neurons
    too. All layers move by the interpolation at the same time; entries of no neuron move straight.

    Returns:
        The leg, and the order of B's neurons in each hidden layer.
    """
    chain = problem.chain
    count = len(chain.layers) - 1
    layers: list[Hidden | Rows] = [Rows.of(chain, a, k) for k in range(count)]
    if count and parts.last == "neurons":
        layers[-1] = Hidden.of(chain, a, count - 1)
    orders: list[Tensor] = []
    for k, layer in enumerate(layers):
        order = parts.matching.match(layer.pack(a), layer.pack(b), layer.incoming)
        orders.append(order)
        b = Hidden.of(chain, a, k).permute(b, order)
    if parts.last == "rows":
        layers.append(Rows.of(chain, a, count))
    ends = [(layer, layer.pack(a), layer.pack(b)) for layer in layers]

    def between(u: float) -> Params:
        point = combine(a, b, 1 - u, u)
        for layer, here, there in ends:
            rows = layer.rows if isinstance(layer, Hidden) else layer
            point |= layer.unpack(rows.between(parts.interpolation, here, there, u, parts.alone))
        return point

    return [Leg(a, b, between, title="move the neurons")], orders
