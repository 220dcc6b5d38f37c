"""The way back from a permuted network: the function kept, the end exact, the length exact."""

from __future__ import annotations

import pytest
import torch

from mcbench.endpoint import Endpoint
from mcbench.params import distance, equal
from mcbench.path import Path
from mcbench.problem import Problem
from mcbench.structure.neurons import Hidden
from mcbench.wayback import plan, silence, way_back


def orders() -> list[torch.Tensor]:
    shuffled = torch.randperm(16, generator=torch.Generator().manual_seed(2))
    swapped = torch.arange(16)
    swapped[[3, 9]] = swapped[[9, 3]]
    return [shuffled, swapped, torch.arange(16).roll(1)]


def legs_for(problem: Problem, b: Endpoint, order: torch.Tensor) -> Path:
    below, above = problem.chain.layers
    hidden = Hidden(below, above, b.params[below.weight].shape[1])
    return Path(way_back(b.params, order, hidden, problem))


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
    below, above = problem.chain.layers
    hidden = Hidden(below, above, 64)
    assert equal(path(0.0), hidden.permute(b.params, order))
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
    below, above = problem.chain.layers
    spare, outgoing = silence(b.params, Hidden(below, above, 64), problem)
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
    below, above = problem.chain.layers
    hidden = Hidden(below, above, 64)
    assert way_back(pair[1].params, torch.arange(16), hidden, problem) == []
