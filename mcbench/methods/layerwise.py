r"""Layer-wise connection: A, AB_2, ..., AB_n, B (Anokhin & Yarotsky, ICML 2020).

:math:`\Theta^{AB}_k` has the layers of B below layer k, those of A above it, and in layer k the
weights that preserve A's outputs of that layer, by an adjustment. Consecutive points differ in two
layers, so the leg between them is a problem of one hidden layer; the last leg takes the last layer
to B's, unless its weights move with the last hidden neurons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import Tensor

from mcbench.methods.method import Adjust, Parts, Stage
from mcbench.paths.params import Params, combine
from mcbench.paths.path import Leg, line
from mcbench.problem.problem import Problem
from mcbench.structure.neurons import Hidden
from mcbench.structure.rows import Rows


def layerwise(
    a: Params, b: Params, problem: Problem, parts: Parts
) -> tuple[list[Leg], list[Tensor]]:
    """Legs from A to B with its hidden neurons matched to those that they replace.

    Returns:
        The legs, one for each hidden layer and, unless ``parts.last`` is ``neurons``, one for the
        last layer; and the order of B's neurons in each hidden layer.
    """
    here, legs, orders = a, [], []
    for k in range(len(problem.chain.layers) - 1):
        leg, order = _stage(a, b, here, k, problem, parts)
        b = Hidden.of(problem.chain, b, k).permute(b, order)
        here = leg.stop
        legs.append(leg)
        orders.append(order)
    if parts.last != "neurons" or not legs:
        legs.append(_last_leg(here, b, problem, parts))
    return legs, orders


def _last_leg(start: Params, b: Params, problem: Problem, parts: Parts) -> Leg:
    """The leg on which the last layer becomes B's."""
    leg = line(start, b, "undo the last adjustment")
    if parts.last != "rows":
        return leg
    rows = Rows.of(problem.chain, b, -1)
    here, there = rows.pack(start), rows.pack(b)

    def move(u: float) -> Params:
        moved = rows.between(parts.interpolation, here, there, u, parts.alone)
        return start | rows.unpack(moved)

    return Leg(start, b, move, title=leg.title)


def _stage(
    a: Params, b: Params, start: Params, k: int, problem: Problem, parts: Parts
) -> tuple[Leg, Tensor]:
    """The leg on which the neurons of hidden layer k become B's, and their order."""
    hidden = Hidden.of(problem.chain, a, k)
    last = k + 2 == len(problem.chain.layers)
    whole = last and parts.last == "neurons"
    prepared = None if whole else parts.adjustment.prepare(Stage(k + 1, start, a), problem)
    adjust = prepared or (lambda params, u: params)
    rest = [name for name in hidden.above.entries if whole and name != hidden.above.weight]
    entries = hidden.below.entries + [hidden.above.weight] * last + rest
    # The layer above still has A's neurons, unless it is the last one: outgoing weights are then
    # not B's, but those that preserve A's outputs.
    replaced = start | {name: b[name] for name in entries}
    if not last:
        replaced = adjust(replaced, 1.0)
    order = parts.matching.match(hidden.pack(start), hidden.pack(replaced), hidden.incoming)
    replaced = hidden.permute(replaced, order)
    stop = adjust(replaced, 1.0) if last else replaced
    along = parts.adjustment.along and not whole
    several = parts.adjustment.several or _one_by_one
    here, there = hidden.pack(start), hidden.pack(replaced if along else stop)

    def move(u: float) -> Params:
        moved = hidden.rows.between(parts.interpolation, here, there, u, parts.alone)
        one, two = ({name: x[name] for name in rest} for x in (start, stop))
        return start | hidden.unpack(moved) | combine(one, two, 1 - u, u)

    def adjusted(times: Sequence[float]) -> list[Params]:
        return several(adjust, move, times)

    leg = Leg(start, stop, move, title=f"layer {k + 1}")
    if along:
        leg = replace(leg, between=lambda u: adjusted([u])[0], several_between=adjusted)
    return leg, order


def _one_by_one(
    adjust: Adjust, move: Callable[[float], Params], times: Sequence[float]
) -> list[Params]:
    return [adjust(move(u), u) for u in times]
