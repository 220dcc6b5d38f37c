"""The way back from a permuted network: the function kept, the end exact, the length exact."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from conftest import Deep
from mcbench.methods.unpermute import plan, silence, way_back
from mcbench.paths.params import distance, equal
from mcbench.paths.path import Path
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.structure.neurons import Hidden


def orders() -> list[torch.Tensor]:
    shuffled = torch.randperm(16, generator=torch.Generator().manual_seed(2))
    swapped = torch.arange(16)
    swapped[[3, 9]] = swapped[[9, 3]]
    return [shuffled, swapped, torch.arange(16).roll(1)]


def hidden_of(problem: Problem, b: Endpoint) -> Hidden:
    return Hidden.of(problem.chain, b.params, 0)


def legs_for(problem: Problem, b: Endpoint, order: torch.Tensor) -> Path:
    return Path(way_back(b.params, [order], problem))


@pytest.mark.parametrize("spare", [0, 7, 15])
@pytest.mark.parametrize("order", orders())
def test_the_plan_puts_every_neuron_in_its_place(order: torch.Tensor, spare: int) -> None:
    holds: list[int | None] = [None if n == spare else n for n in order.tolist()]
    moves = plan(order.tolist(), spare)
    for source, target in moves:
        assert holds[target] is None and holds[source] is not None
        holds[source], holds[target] = None, holds[source]
    assert holds == [None if i == spare else i for i in range(16)]
    assert len(moves) <= 16 + 8


@pytest.mark.parametrize("order", orders())
def test_it_starts_at_the_permutation_and_ends_at_b_exactly(
    problem: Problem, pair: tuple[Endpoint, Endpoint], order: torch.Tensor
) -> None:
    b = pair[1]
    path = legs_for(problem, b, order)
    assert equal(path(0.0), hidden_of(problem, b).permute(b.params, order))
    assert equal(path(1.0), b.params)


@pytest.mark.parametrize("order", orders())
def test_the_function_stays_the_same_while_neurons_move(
    problem: Problem, pair: tuple[Endpoint, Endpoint], order: torch.Tensor
) -> None:
    moving = legs_for(problem, pair[1], order).legs[1]
    inputs, _ = next(problem.batches("test"))
    expected = problem.forward(moving.start, inputs)
    for i in range(101):
        assert torch.allclose(problem.forward(moving(i / 100), inputs), expected, atol=1e-3)


def test_the_moves_are_continuous_and_their_length_is_exact(
    problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    moving = legs_for(problem, pair[1], orders()[0]).legs[1]
    assert moving.length is not None
    steps = 6000
    chords = [distance(moving(i / steps), moving((i + 1) / steps)) for i in range(steps)]
    assert sum(chords) == pytest.approx(moving.length(0.0, 1.0), rel=1e-2)
    assert max(chords) < 0.02 * sum(chords)
    assert moving.length(0.2, 0.7) == pytest.approx(sum(chords[1200:4200]), rel=2e-2)


def test_the_silenced_neuron_is_the_one_that_costs_least(
    problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    b = pair[1]
    above = problem.chain.layers[1]
    spare, outgoing = silence(b.params, hidden_of(problem, b), 0, problem)
    assert float(outgoing[spare].abs().max()) == 0.0
    inputs = problem.splits["train"].inputs
    features = problem.chain.features(b.params, inputs, 1).double()
    outputs = features @ b.params[above.weight].double().T

    def cost(neuron: int) -> float:
        rest = [i for i in range(16) if i != neuron]
        best = features[:, rest] @ (torch.linalg.pinv(features[:, rest]) @ outputs)
        return float((outputs - best).square().sum())

    costs = [cost(i) for i in range(16)]
    assert spare == min(range(16), key=costs.__getitem__)
    reached = features @ outgoing.double()
    assert float((outputs - reached).square().sum()) == pytest.approx(costs[spare], rel=1e-3)


def test_the_identity_needs_no_way_back(problem: Problem, pair: tuple[Endpoint, Endpoint]) -> None:
    assert way_back(pair[1].params, [torch.arange(16)], problem) == []


DEEP = ["mlp[widths=(7,6)]", "conv2fc1[channels=(5,6)]", "vgg16[channels=4,head=6,norm=true]"]


@pytest.mark.parametrize("text", DEEP)
def test_every_layer_of_a_deep_network_is_undone(text: str, deep: Callable[[str], Deep]) -> None:
    """Blocks of outgoing weights, several layers, and a batch normalisation."""
    problem, (_, b) = deep(text)
    count = len(problem.chain.layers) - 1
    draws = torch.Generator().manual_seed(0)
    hiddens = [Hidden.of(problem.chain, b.params, k) for k in range(count)]
    orders = [torch.randperm(h.count, generator=draws) for h in hiddens]
    permuted = b.params
    for hidden, order in zip(hiddens, orders, strict=True):
        permuted = hidden.permute(permuted, order)
    legs = way_back(b.params, orders, problem)
    assert len(legs) == 3 * count
    assert equal(legs[0].start, permuted) and equal(legs[-1].stop, b.params)
    inputs = problem.splits["test"].inputs[:50]
    for leg, following in pairwise(legs):
        assert equal(leg.stop, following.start)
    for moving in legs[1::3]:
        expected = problem.forward(moving.start, inputs)
        scale = float(expected.abs().max())
        for u in (0.0, 0.21, 0.5, 0.77, 1.0):
            gap = float((problem.forward(moving(u), inputs) - expected).abs().max())
            assert gap < 1e-3 * scale
