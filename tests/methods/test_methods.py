"""The methods' properties: exact ends, continuity, and what each keeps or optimises."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations
from math import cos, pi, sin
from typing import Any

import pytest
import torch

import mcbench
from conftest import PLAN
from mcbench.errors import RunError
from mcbench.evaluation.ends import check_ends
from mcbench.experiments.experiment import Experiment
from mcbench.methods.unpermute import is_identity
from mcbench.paths.params import distance, equal
from mcbench.plugins.host import Host, Plugin, host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.report.reading import end_values
from mcbench.store.store import Store

METHODS = [
    "linear", "arc", "ot", "linear-wa", "arc-wa", "ot-wa", "ot[cost=incoming]",
    "ot[end=permuted]", "ot-wa[end=permuted]", "arc-wa[matching=ot]", "ot[interpolation=arc]",
]  # fmt: skip


def connect(method: str, pair: tuple[Endpoint, Endpoint], problem: Problem) -> mcbench.Path:
    return host().get("method", method).connect(*pair, problem)


def outputs(problem: Problem, params: mcbench.Params) -> torch.Tensor:
    return problem.forward(params, problem.splits["train"].inputs).detach()


@pytest.mark.parametrize("method", METHODS)
def test_ends_are_exact(method: str, pair: tuple[Endpoint, Endpoint], problem: Problem) -> None:
    path = connect(method, pair, problem)
    check_ends(path, pair[0].params, pair[1].params, problem)
    assert equal(path(0.0), pair[0].params)
    if "permuted" in method:
        assert path.end == "permuted" and not equal(path(1.0), pair[1].params)
    else:
        assert path.end == "b" and equal(path(1.0), pair[1].params)


@pytest.mark.parametrize("method", METHODS)
def test_paths_are_continuous(
    method: str, pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    """Each leg approaches its ends: its start and its stop are limits, not jumps."""
    for leg in connect(method, pair, problem).legs:
        whole = distance(leg.start, leg(0.5)) + distance(leg(0.5), leg.stop)
        assert distance(leg.start, leg(1e-4)) < 0.01 * whole
        assert distance(leg(1 - 1e-4), leg.stop) < 0.01 * whole
        assert distance(leg(0.5), leg(0.5001)) < 0.01 * whole


@pytest.mark.parametrize("method", METHODS)
def test_legs_follow_on_each_other(
    method: str, pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    legs = connect(method, pair, problem).legs
    for one, two in pairwise(legs):
        assert equal(one.stop, two.start)


def test_linear_is_the_segment(pair: tuple[Endpoint, Endpoint], problem: Problem) -> None:
    a, b = pair
    point = connect("linear", pair, problem)(0.3)
    for name, tensor in point.items():
        assert torch.allclose(tensor, 0.7 * a.params[name] + 0.3 * b.params[name], atol=1e-6)


@pytest.mark.parametrize("t", [0.2, 0.5, 0.9])
def test_the_arc_keeps_mean_and_covariance_of_independent_neurons(t: float) -> None:
    generator = torch.Generator().manual_seed(0)
    mix = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    draw = lambda: torch.randn(200_000, 3, generator=generator, dtype=torch.float64) @ mix + 2.0  # noqa: E731
    a, b = draw(), draw()
    point = host().get("interpolation", "arc").interpolate(a, b, t)
    assert torch.allclose(point.mean(0), a.mean(0), atol=0.03)
    assert torch.allclose(point.T.cov(), a.T.cov(), rtol=0.02, atol=0.03)


def test_the_arc_is_what_the_formula_says() -> None:
    a, b = torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [-1.0]])
    point = host().get("interpolation", "arc").interpolate(a, b, 0.25)
    mean = 2.0
    expected = mean + cos(pi / 8) * (a - mean) + sin(pi / 8) * (b - mean)
    assert torch.allclose(point, expected)


def test_a_neuron_is_one_vector_on_the_arc(
    pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    """Incoming weights, bias and outgoing weights all turn by the same angle."""
    a, b = (end.params for end in pair)
    point = connect("arc", pair, problem)(0.5)
    for name, axis in (("1.weight", 0), ("1.bias", 0), ("3.weight", 1)):
        mean = (a[name].mean(axis, keepdim=True) + b[name].mean(axis, keepdim=True)) / 2
        expected = mean + (a[name] - mean + b[name] - mean) * 2**-0.5
        assert torch.allclose(point[name], expected, atol=1e-5)
    assert torch.allclose(point["3.bias"], (a["3.bias"] + b["3.bias"]) / 2, atol=1e-6)


@pytest.mark.parametrize("cost", ["neuron", "incoming"])
def test_transport_is_optimal(cost: str) -> None:
    generator = torch.Generator().manual_seed(3)
    a, b = (torch.randn(6, 5, generator=generator) for _ in "ab")
    order = host().get("matching", f"ot[cost={cost}]").match(a, b, 3)
    used = slice(0, 3 if cost == "incoming" else 5)

    def total(p: Any) -> float:
        return float((a[:, used] - b[list(p)][:, used]).square().sum())

    assert sorted(order.tolist()) == list(range(6))
    assert total(order.tolist()) == pytest.approx(min(map(total, permutations(range(6)))))


def test_transport_recovers_a_permutation() -> None:
    neurons = torch.randn(50, 8, generator=torch.Generator().manual_seed(4))
    order = torch.randperm(50, generator=torch.Generator().manual_seed(5))
    matched = host().get("matching", "ot").match(neurons, neurons[order], 5)
    assert torch.equal(neurons[order][matched], neurons)


def test_a_network_and_its_permutation_are_joined_without_loss(
    pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    from mcbench.structure.neurons import Hidden

    a, _ = pair
    order = torch.randperm(16, generator=torch.Generator().manual_seed(6))
    shuffled = Endpoint(
        Hidden.of(problem.chain, a.params, 0).permute(a.params, order), 9, "shuffled"
    )
    path = connect("ot[end=permuted]", (a, shuffled), problem)
    assert all(
        torch.allclose(outputs(problem, path(t)), outputs(problem, a.params), atol=1e-4)
        for t in (0.3, 0.6, 1.0)
    )
    assert equal(connect("ot", (a, shuffled), problem)(1.0), shuffled.params)


@pytest.mark.parametrize("method", ["linear-wa", "arc-wa", "ot-wa"])
def test_adjusted_outputs_are_the_least_squares_optimum(
    method: str, pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    a, _ = pair
    point = connect(method, pair, problem).legs[0](0.6)
    last = problem.chain.layers[-1]
    inputs = problem.splits["train"].inputs
    features = problem.chain.features(point, inputs, 1).double()
    target = (
        problem.chain.features(a.params, inputs, 1).double() @ a.params[last.weight].double().T
    )
    residual = target - features @ point[last.weight].double().T
    best = target - features @ (torch.linalg.pinv(features) @ target)
    assert float(residual.norm()) <= float(best.norm()) * (1 + 1e-6)
    assert torch.equal(point[str(last.bias)], a.params[str(last.bias)])


def test_adjustment_maps_a_to_itself(pair: tuple[Endpoint, Endpoint], problem: Problem) -> None:
    a, _ = pair
    stage = mcbench.Stage(1, a.params, a.params)
    adjusted = host().get("adjustment", "wa").prepare(stage, problem)(a.params, 0.0)
    assert distance(adjusted, a.params) < 1e-5


def test_adjustment_survives_dead_neurons(
    pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    a, b = pair
    dead = {n: x.clone() for n, x in b.params.items()}
    dead["1.bias"][:5] = -1e4
    path = connect("ot-wa", (a, Endpoint(dead, 9, "dead")), problem)
    for t in (0.1, 0.19, 0.2, 0.3):
        assert float(path(t)["3.weight"].abs().max()) < 100


@pytest.mark.parametrize("bias", ["true", "false"])
@pytest.mark.parametrize("method", ["arc", "ot-wa"])
def test_networks_without_biases(method: str, bias: str, shared_store: Any) -> None:
    from mcbench.experiments.experiment import Experiment
    from mcbench.experiments.plan import Plan

    plan = Plan(
        architecture=f"mlp[widths=(8),bias={bias}]", recipe="quick[epochs=1]", seeds=(0, 1)
    )
    experiment = Experiment(plan, shared_store)
    experiment.train()
    pair = experiment.endpoint(0), experiment.endpoint(1)
    path = connect(method, pair, experiment.problem)
    check_ends(path, pair[0].params, pair[1].params, experiment.problem)


def test_a_path_that_does_not_keep_its_word_is_refused(
    pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    a, b = (end.params for end in pair)
    with pytest.raises(RunError, match="does not start at A"):
        check_ends(mcbench.segment(b, b), a, b, problem)
    with pytest.raises(RunError, match="does not end at B"):
        check_ends(mcbench.segment(a, a), a, b, problem)
    halfway = mcbench.Path(mcbench.segment(a, mcbench.segment(a, b)(0.5)).legs, "permuted")
    with pytest.raises(RunError, match="no permutation of B"):
        check_ends(halfway, a, b, problem)


def test_an_identical_matching_ends_at_b_even_if_it_may_be_permuted(
    pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    assert connect("arc[end=permuted]", pair, problem).end == "b"
    assert is_identity(torch.arange(5)) and not is_identity(torch.arange(5).flip(0))


def test_a_random_direction_goes_as_far_as_b_and_says_nothing_of_b(
    experiment: Experiment, pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    method = host().get("method", "random-direction")
    path, again = method.connect(*pair, problem), method.connect(*pair, problem)
    assert path.end == "short" and equal(path(0.0), pair[0].params)
    assert path.length(0, 1) == pytest.approx(distance(pair[0].params, pair[1].params), rel=1e-5)
    assert equal(path(1.0), again(1.0)) and not equal(path(1.0), pair[1].params)
    plan = replace(PLAN, methods=("random-direction",), seeds=(0, 1))
    results = Experiment(plan, experiment.store).run()
    assert set(end_values(results)) == {pair[0].key}  # The path's end is not B.


def test_what_is_no_path_is_named(fresh_host: Host, store: Store) -> None:
    class Number:
        name = "number"

        def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> int:
            return 3

    class Theirs:
        @mcbench.hookimpl
        def mcbench_methods(self) -> list[Number]:
            return [Number()]

    fresh_host.register(Plugin("number", "third", "1.0"), Theirs)
    plan = replace(PLAN, methods=("number",), seeds=(0, 1), recipe="quick[epochs=1]")
    (reason,) = Experiment(plan, store).run().failures.values()
    assert "gave an object of type int, not a path: return mcbench.segment" in reason
