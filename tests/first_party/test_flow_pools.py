"""What a fit of a flow or a bijection makes of its pool, and what it says of that."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import mcbench
from mcbench.experiments.connector import POOL
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.store import Store

pytest.importorskip("zuko")
pytest.importorskip("mcbench_flow")

from mcbench_flow.bijection import RealNVPBijection
from mcbench_flow.connection import arc, initial, pooled
from mcbench_flow.drawn import drawn_accuracy
from mcbench_flow.flow import IAFFlow
from mcbench_flow.normalizing import Normalizing

FLOW = IAFFlow(steps=100, lr=1e-3)


@pytest.fixture(scope="module")
def pool(shared_store: Store) -> list[Endpoint]:
    """Networks that none of the pairs is of."""
    seeds = tuple(range(POOL, POOL + 8))
    plan = Plan(architecture="mlp2[width=16]", recipe="quick[epochs=15]", seeds=seeds)
    prepared = Experiment(plan, shared_store)
    assert not prepared.train().failures
    return [prepared.endpoint(seed) for seed in seeds]


@pytest.fixture(scope="module")
def fitted(pool: list[Endpoint], problem: Problem) -> mcbench.Params:
    """Tensors of the flow fitted to the pool."""
    return FLOW.fit(pool, problem)


def gaussian(dimension: int, count: int, seed: int) -> torch.Tensor:
    """Neurons of a normal distribution in which coordinates are strongly correlated."""
    draws = torch.Generator().manual_seed(seed)
    mixing = torch.randn(dimension, dimension, generator=torch.Generator().manual_seed(5))
    return torch.randn(count, dimension, generator=draws) @ mixing


@pytest.mark.parametrize("count", [30, 400])
def test_a_whitened_start_is_the_normal_distribution_of_its_neurons(
    problem: Problem, count: int
) -> None:
    """Against scipy's density with scikit-learn's shrunk covariance; its path is an arc."""
    from scipy.stats import multivariate_normal
    from sklearn.covariance import LedoitWolf

    neurons = gaussian(40, count, 1).double()
    nu = initial(FLOW.build, neurons, problem, "white", whiten=True)
    mean, std = neurons.mean(0), neurons.std(0)
    shrunk = LedoitWolf().fit(((neurons - mean) / std).numpy()).covariance_
    density = multivariate_normal(mean.numpy(), shrunk * torch.outer(std, std).numpy())
    others = gaussian(40, 20, 2).double()
    a, b = others.chunk(2)
    with torch.no_grad():
        expected = torch.from_numpy(density.logpdf(others.numpy()))
        assert torch.allclose(nu.log_density(others), expected, rtol=1e-6)
        assert torch.allclose(nu.inverse(nu(others)), others, atol=1e-8)
        point = nu.inverse(arc(nu(a), nu(b), 0.3))
    assert torch.allclose(point, mean + arc(a - mean, b - mean, 0.3), atol=1e-8)


def test_a_small_pool_starts_from_its_normal_distribution_and_is_fitted_no_worse(
    fitted: mcbench.Params,
    pool: list[Endpoint],
    pair: tuple[Endpoint, Endpoint],
    problem: Problem,
) -> None:
    """128 neurons of 75 coordinates: networks outside the pool are likelier by far than from a
    start without correlations."""
    used = pooled(pool, problem).flatten(0, 1).double()
    outside = pooled(list(pair), problem).flatten(0, 1).double()
    assert "factor" in fitted
    nu = Normalizing.load(FLOW.build, {n: x for n, x in fitted.items() if n not in FLOW.facts})
    with torch.no_grad():
        plain = initial(FLOW.build, used, problem, FLOW.name).log_density(outside).mean()
        assert nu.double().log_density(outside).mean() > plain + 10


def test_a_large_pool_starts_without_correlations(pool: list[Endpoint], problem: Problem) -> None:
    """From 30 neurons per coordinate; so fits that were published keep their numbers."""
    wide = [Endpoint(end.params, end.seed, end.key) for end in pool for _ in range(18)]
    assert len(wide) * 16 >= 30 * 75
    for networks, whitened in ((wide, False), (wide[:140], True)):
        tensors = IAFFlow(steps=1, pool=len(networks)).fit(networks, problem)
        assert ("factor" in tensors) == whitened


def notes_of(method: Any, tensors: mcbench.Params, problem: Problem) -> list[str]:
    return list(method.notes({n: tensors[n] for n in method.facts}, problem))


def test_a_pool_without_anything_to_learn_is_called_too_small(
    fitted: mcbench.Params,
    pair: tuple[Endpoint, Endpoint],
    pool: list[Endpoint],
    problem: Problem,
) -> None:
    """Held-out neurons get no likelier than at the start: the path is an arc, and says so."""
    method = IAFFlow(pool=1, steps=5, lr=1.0)
    tensors = method.fit(pool[:1], problem)
    assert int(tensors["step"]) == 0
    bound = problem.bind(fitted=tensors)
    path = method.connect(*pair, bound)
    mean = pooled(pool[:1], problem)[0][
        torch.randperm(16, generator=problem.generator("held out", method.name))[2:]
    ].mean(0)
    a, b = pooled(list(pair), problem)
    point = pooled([Endpoint(path(0.3), 0, "point")], problem)[0]
    assert torch.allclose(point, mean + arc(a - mean, b - mean, 0.3), atol=1e-4)
    first, _ = bound.workshop.notes
    assert "too few neurons" in first and "iaf-flow[pool=...], here 1" in first
    assert len(notes_of(FLOW, fitted, problem)) == 1


def test_a_pool_of_less_than_eight_neurons_is_refused(store: Store) -> None:
    plan = Plan(
        architecture="mlp2[width=3]",
        recipe="quick[epochs=1]",
        methods=("iaf-flow[pool=2,steps=5]",),
        seeds=(0, 1),
    )
    (reason,) = Experiment(plan, store).run().failures.values()
    assert reason.startswith("the pool has 6 neurons, and 'iaf-flow' needs 8")
    assert "-m 'iaf-flow[pool=...]', here 2" in reason


def test_the_accuracy_of_drawn_networks_is_that_of_plain_torch(
    fitted: mcbench.Params, pool: list[Endpoint], problem: Problem
) -> None:
    """A pool of one neuron n times makes one network: 10 * n copies of it, computed by hand."""
    first = pool[0].params
    same = {n: x.clone() for n, x in first.items()}
    same["1.weight"] = first["1.weight"][:1].expand(16, -1).clone()
    same["1.bias"] = first["1.bias"][:1].expand(16).clone()
    same["3.weight"] = first["3.weight"][:, :1].expand(-1, 16).clone()
    x, y = problem.splits["train"].inputs.flatten(1), problem.splits["train"].targets
    hidden = torch.relu(x @ same["1.weight"].T + same["1.bias"])
    logits = hidden @ same["3.weight"].T + same["3.bias"]
    expected = 100 * float((logits.argmax(1) == y).double().mean())
    drawn = drawn_accuracy([Endpoint(same, 0, "same")] * 3, problem, "test")
    assert drawn == pytest.approx(expected, abs=1e-9)
    accuracy = float(fitted["drawn"])
    assert 10 < accuracy < 95  # Far below the pool's own: 16 neurons are few.
    (note,) = notes_of(FLOW, fitted, problem)
    assert note == (
        f"16 neurons drawn at random from the pool's make a network of {accuracy:.1f} % training "
        "accuracy"
    )


@pytest.mark.parametrize("hidden", [256, 2000])
def test_a_bijection_of_any_width_lowers_the_loss(
    hidden: int, pool: list[Endpoint], problem: Problem
) -> None:
    """Also of the published width, whose fit diverged at the rate of narrow ones."""
    method = RealNVPBijection(steps=60, hidden=hidden)
    tensors = method.fit(pool, problem)
    assert float(tensors["after"]) < 0.8 * float(tensors["before"])
    assert notes_of(method, tensors, problem) == []


def test_a_bijection_that_does_not_lower_the_loss_says_so(
    pair: tuple[Endpoint, Endpoint], pool: list[Endpoint], problem: Problem
) -> None:
    method = RealNVPBijection(steps=10, lr=1.0)
    bound = problem.bind(fitted=method.fit(pool, problem))
    method.connect(*pair, bound)
    (note,) = bound.workshop.notes
    assert note.startswith("the fit did not lower the loss on the pool's paths, ")
    assert note.endswith("take another rate, realnvp-bijection[lr=...], here 1")
