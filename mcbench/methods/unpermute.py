r"""Path from a network with permuted hidden neurons to the network itself, neuron by neuron.

A permutation of hidden neurons does not change the function, but the straight line between the
two networks does. Anokhin & Yarotsky (ICML 2020, stage 2 of their OT connection) permute the
neurons one by one. Here the function changes on two legs only:

1. The neuron that the others can replace best is silenced: its outgoing weights go to 0 while
   the others' are re-adjusted by least squares. The best is the neuron s with the smallest
   :math:`\|c_s\|^2 / [G^{-1}]_{ss}`, the squared change of the outputs on the training data
   (c: outgoing weights; G: the moments of the features. It is the "optimal brain surgeon" of
   Hassibi & Stork, NeurIPS 1992, for the outgoing weights). Its place is now free.
2. A neuron moves to the free place in two legs: first its incoming weights and bias are copied
   there (the place is silent), then its outgoing weights are handed over (both places compute
   the same feature, and the sum of their outgoing weights is constant). So the function does not
   change, and the neuron's old place is free. This follows the cycles of the permutation; a
   cycle that does not contain the free place takes one more move.
3. The silenced neuron returns to its place, in the reverse of 1.

For a loss that is convex in the outputs, the loss along 1 and 3 is convex: nowhere on the path is
it above the larger of B's and that of B without its most replaceable neuron.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mcbench.methods.least_squares import Gram
from mcbench.paths.params import Params
from mcbench.paths.path import Leg, line
from mcbench.problem.problem import Problem
from mcbench.structure.neurons import Hidden

POSITIONS = 16
"""Positions per image at which a convolution's patches are sampled."""


def is_identity(order: Tensor) -> bool:
    """Whether a permutation is the identity."""
    return torch.equal(order, torch.arange(len(order), device=order.device))


def way_back(b: Params, orders: Sequence[Tensor], problem: Problem) -> list[Leg]:
    """Legs from B with its neurons in the given orders to B, from the last layer down.

    Arguments:
        b: The network B.
        orders: One of shape (n,) per hidden layer: place i holds neuron ``order[i]``.
        problem: The chain and the training data.

    Returns:
        For each layer no leg if its order is the identity, else three: out, moves, home.
    """
    hiddens = [Hidden.of(problem.chain, b, k) for k in range(len(orders))]
    states = [b]  # With the orders of no layer, of the first, of the first two, ...
    for hidden, order in zip(hiddens, orders, strict=True):
        states.append(states[-1] if is_identity(order) else hidden.permute(states[-1], order))
    legs: list[Leg] = []
    for k in reversed(range(len(orders))):
        if not is_identity(orders[k]):
            spare, silenced = silence(states[k], hiddens[k], k, problem)
            places = Places(silenced, orders[k].tolist(), spare, hiddens[k], states[k])
            legs += [
                line(states[k + 1], places(0.0), "silence a neuron"),
                Leg(places(0.0), places(1.0), places, places.length, "permute back"),
                line(places(1.0), states[k], "restore the neuron"),
            ]
    return legs


def silence(b: Params, hidden: Hidden, layer: int, problem: Problem) -> tuple[int, Tensor]:
    """The most replaceable neuron, and the outgoing weights that replace it.

    Returns:
        Its index, and outgoing weights by neuron, shape (n, block x out).
    """
    above, block = hidden.above, hidden.block
    order = hidden.columns.flatten().to(b[above.weight].device)  # Features by neuron.
    weights = above.matrix(b)[:, order].double().T  # A column of features for each output.
    gram = Gram(len(weights), device=weights.device)
    for batch, (inputs, _) in enumerate(problem.batches("train")):
        x = problem.chain.features(b, inputs, layer + 1)
        rows = above.patches(x, problem.positions(above, x, POSITIONS, batch))
        gram.add((rows if above.outer == 1 else rows[:, order]).double())
    inverse = torch.cholesky_inverse(gram.damped())
    blocks = inverse.view(hidden.count, block, hidden.count, block)
    blocks = blocks.diagonal(dim1=0, dim2=2).permute(2, 0, 1)  # Each neuron's, (n, b, b).
    outgoing = weights.view(hidden.count, block, -1)
    cost = (outgoing * torch.linalg.solve(blocks, outgoing)).sum((1, 2))
    spare = int(cost.argmin())
    columns = slice(spare * block, (spare + 1) * block)
    change = torch.linalg.solve(blocks[spare], outgoing[spare])
    adjusted = weights - inverse[:, columns] @ change
    adjusted[columns] = 0
    return spare, adjusted.to(b[above.weight].dtype).reshape(hidden.count, -1)


def plan(order: list[int], spare: int) -> list[tuple[int, int]]:
    """Moves (from place, to place) that put every neuron i in place i.

    The place of neuron ``spare`` is free at first, and place ``spare`` in the end. At most n moves
    plus one for each further cycle.
    """
    place = {neuron: i for i, neuron in enumerate(order)}
    free = place[spare]
    moves: list[tuple[int, int]] = []

    def move(neuron: int) -> None:
        nonlocal free
        moves.append((place[neuron], free))
        place[neuron], free = free, place[neuron]

    while free != spare:
        move(free)
    for neuron in range(len(order)):
        if neuron != spare and place[neuron] != neuron:
            move(neuron)  # To the free place, which opens its cycle.
            while free != spare:
                move(free)
    return moves


class Places:
    """The leg of moves: a polyline of two straight legs per move, computed without storing it.

    Arguments:
        silenced: B's outgoing weights with one neuron silenced, shape (n, block x out).
        order: The starting order.
        spare: The silenced neuron.
        hidden: The hidden layer.
        b: The network B.
    """

    def __init__(
        self, silenced: Tensor, order: list[int], spare: int, hidden: Hidden, b: Params
    ) -> None:
        self._neurons = torch.cat([hidden.rows.pack(b), silenced], dim=1)
        self._hidden, self._rest, self._moves = hidden, b, plan(order, spare)
        self._order, self._spare = order, spare
        self._steps = self._step_lengths()
        self._distance = [0.0, *torch.tensor(self._steps, dtype=torch.float64).cumsum(0).tolist()]

    def _replay(self, count: int) -> tuple[list[int], int]:
        """The neuron in each place after ``count`` moves, and the free place.

        A free place has the incoming weights of the neuron that left it.
        """
        holds = list(self._order)
        free = holds.index(self._spare)
        for source, target in self._moves[:count]:
            holds[target], free = holds[source], source
        return holds, free

    def __call__(self, u: float) -> Params:
        """The point at u in [0, 1]; each half of a move takes the same time."""
        position = u * (2 * len(self._moves) + 1)
        done = min(int(position), 2 * len(self._moves))
        share = position - done
        count, handing = divmod(done, 2)
        holds, free = self._replay(count)
        out = self._hidden.outgoing
        placed = self._neurons[torch.tensor(holds, device=self._neurons.device)]
        placed[free, out:] = 0
        last = count == len(self._moves)
        source = free if last else self._moves[count][0]
        incoming = self._neurons[self._spare, :out] if last else placed[source, :out].clone()
        if handing:
            placed[free, :out] = incoming
            handed = placed[source, out:].clone()
            placed[free, out:] = share * handed
            placed[source, out:] = (1 - share) * handed
        else:
            placed[free, :out] = (1 - share) * placed[free, :out] + share * incoming
        return self._rest | self._hidden.unpack(placed)

    def _step_lengths(self) -> list[float]:
        """The length of each half move, and of the last change of the free place's weights."""
        holds, free = self._replay(0)
        table = self._neurons.double()
        out = self._hidden.outgoing
        steps = []
        for source, target in self._moves:
            neuron = holds[source]
            steps.append(float((table[neuron, :out] - table[holds[target], :out]).norm()))
            steps.append(float(table[neuron, out:].norm()) * 2**0.5)
            holds[target], free = neuron, source
        steps.append(float((table[self._spare, :out] - table[holds[free], :out]).norm()))
        return steps

    def length(self, u: float, v: float) -> float:
        """The exact arc length between two times."""

        def upto(w: float) -> float:
            position = w * len(self._steps)
            done = min(int(position), len(self._steps) - 1)
            return float(self._distance[done] + (position - done) * self._steps[done])

        return upto(v) - upto(u)
