r"""Layer-wise connection: A, AB_2, ..., AB_n, B (Anokhin & Yarotsky, ICML 2020).

:math:`\Theta^{AB}_k` has the layers of B below layer k, those of A above it, and in layer k the
weights that keep A's outputs of that layer, by an adjustment. Two such points that follow each
other differ in two layers, so the leg between them is a problem of one hidden layer; the last leg
takes the last layer straight to B's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor

from mcbench.methods.method import Interpolation, Parts, Stage
from mcbench.paths.params import Params
from mcbench.paths.path import Leg, line
from mcbench.structure.neurons import Hidden

if TYPE_CHECKING:
    from mcbench.problem.problem import Problem


def layerwise(
    a: Params, b: Params, problem: Problem, parts: Parts
) -> tuple[list[Leg], list[Tensor]]:
    """Legs from A to B with its hidden neurons matched to those that they replace.

    Arguments:
        a, b: The networks.
        problem: Gives the chain and the data.
        parts: Of the method.

    Returns:
        The legs, the last of them for the last layer; and the order of B's neurons in each
        hidden layer.
    """
    here, legs, orders = a, [], []
    for k in range(len(problem.chain.layers) - 1):
        leg, order = _stage(a, b, here, k, problem, parts)
        b = Hidden.of(problem.chain, b, k).permute(b, order)
        here = leg.stop
        legs.append(leg)
        orders.append(order)
    return [*legs, line(here, b, "undo the last adjustment")], orders


def _stage(
    a: Params, b: Params, start: Params, k: int, problem: Problem, parts: Parts
) -> tuple[Leg, Tensor]:
    """The leg on which the neurons of hidden layer k become B's, and their order."""
    hidden = Hidden.of(problem.chain, a, k)
    adjust = parts.adjustment.prepare(Stage(k + 1, start, a), problem) or _unadjusted
    last = k + 2 == len(problem.chain.layers)
    taken = hidden.below.entries + ([hidden.above.weight] if last else [])
    # The layer above has A's neurons yet, unless it is the last one: what B's neurons send there
    # is then not B's own outgoing weights, but what keeps A's outputs.
    replaced = start | {name: b[name] for name in taken}
    if not last:
        replaced = adjust(replaced, 1.0)
    order = parts.matching.match(hidden.pack(start), hidden.pack(replaced), hidden.incoming)
    replaced = hidden.permute(replaced, order)
    stop = adjust(replaced, 1.0) if last else replaced
    along = getattr(parts.adjustment, "along", True)
    move = _moving(hidden, start, replaced if along else stop, parts.interpolation)
    between = _between(move, adjust) if along else move
    return Leg(start, stop, between, title=f"layer {k + 1}"), order


def _between(
    move: Callable[[float], Params], adjust: Callable[[Params, float], Params]
) -> Callable[[float], Params]:
    """The points of a leg that are adjusted one and all; an adjustment may know a better way."""
    own: Callable[..., Callable[[float], Params]] | None = getattr(adjust, "between", None)
    return own(move) if own else lambda u: adjust(move(u), u)


def _unadjusted(params: Params, u: float) -> Params:
    return params


def _moving(
    hidden: Hidden, start: Params, stop: Params, interpolation: Interpolation
) -> Callable[[float], Params]:
    here, there = hidden.pack(start), hidden.pack(stop)

    def move(u: float) -> Params:
        return start | hidden.unpack(hidden.between(interpolation, here, there, u))

    return move
