"""Trained curves: formulas, gradients, exact ends, resumed trainings, batch norm, dropout."""

from __future__ import annotations

from math import comb
from typing import Any

import pytest
import torch
from mcbench_curves import TrainedCurve
from mcbench_curves.coefficients import SHAPES
from mcbench_curves.route import bezier_leg, route
from mcbench_curves.training import Training
from networks import Double, Net, linear, problem_of, untrained
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from killing import Fragile, Killed
from mcbench import Endpoint, RunError, Statistics, UsageError
from mcbench.evaluation.ends import check_ends
from mcbench.paths.params import combine, distance, equal
from mcbench.plugins.host import host
from mcbench.problem.problem import Problem
from mcbench.store.store import Store

SHORT = "quick[epochs=2]"


@pytest.fixture
def normed(shared_store: Store) -> Problem:
    return problem_of(
        shared_store,
        Net(linear(64, 8), lambda: nn.BatchNorm1d(8), nn.ReLU, linear(8, 10)),
        "quick[epochs=2,batch_size=449]",
    )


# Formulas ----------------------------------------------------------------------------------


@pytest.mark.parametrize("bends", [1, 2, 3])
def test_coefficients_are_the_papers_formulas(bends: int) -> None:
    points = torch.randn(bends + 2, 5, dtype=torch.float64)
    n = bends + 1
    for t in torch.linspace(0, 1, 13, dtype=torch.float64):
        i = min(int(t * n), n - 1)
        chain = n * ((t - i / n) * points[i + 1] + ((i + 1) / n - t) * points[i])
        curve = sum(comb(n, k) * t**k * (1 - t) ** (n - k) * points[k] for k in range(n + 1))
        for shape, expected in (("polychain", chain), ("bezier", curve)):
            weights = SHAPES[shape](t[None], bends)
            assert weights.shape == (1, bends + 2)
            assert torch.allclose(weights[0] @ points, expected)


@pytest.mark.parametrize("shape", ["polychain", "bezier"])
@pytest.mark.parametrize("bends", [1, 2, 3])
def test_the_path_is_the_curve_that_was_trained(problem: Problem, shape: str, bends: int) -> None:
    """Training and path have the same network at t; the ends are the same objects."""
    points = [untrained(problem, seed).params for seed in range(bends + 2)]
    path = route(shape, points, problem, problem.recipe)
    for t in (0.1, 0.35, 0.5, 0.8):
        weights = SHAPES[shape](torch.tensor([t], dtype=torch.float64), bends)[0].tolist()
        for name, x in path(t).items():
            expected = sum(w * p[name] for w, p in zip(weights, points, strict=True))
            assert torch.allclose(x, expected, atol=1e-6)
    assert path(0.0) is points[0] and path(1.0) is points[-1] and path.end == "b"


def test_lengths_are_exact_or_integrated(problem: Problem) -> None:
    a, w, b = (untrained(problem, seed).params for seed in range(3))
    chain = route("polychain", [a, w, b], problem, problem.recipe)
    assert chain.length(0, 1) == pytest.approx(distance(a, w) + distance(w, b))
    leg = bezier_leg([a, w, b])
    chords = sum(distance(leg(i / 500), leg((i + 1) / 500)) for i in range(500))
    assert leg.length is not None
    assert leg.length(0, 1) == pytest.approx(chords, rel=1e-4)
    assert leg.length(0, 0.3) + leg.length(0.3, 1) == pytest.approx(leg.length(0, 1), rel=1e-6)


# Training ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["polychain", "bezier"])
@pytest.mark.parametrize("bends", [1, 3])
def test_a_step_is_the_gradient_through_the_whole_formula(
    shared_store: Store, shape: str, bends: int
) -> None:
    problem = problem_of(shared_store, Net(Double), SHORT)
    a, b = (untrained(problem, seed).params for seed in (0, 1))
    curve = TrainedCurve("curve", shape=shape, bends=bends, weight_decay=0.1, momentum=0.5)
    training = Training(curve, a, b, problem)
    train = problem.splits["train"]
    trained = {n for n, _ in problem.module.named_parameters()}
    count = bends + 1
    points = [combine(a, b, 1 - i / count, i / count) for i in range(count + 1)]
    momentum = [{n: torch.zeros_like(a[n]) for n in trained} for _ in points]
    for k, t in enumerate((0.3, 0.9)):
        inputs, targets = train.inputs[k * 50 : k * 50 + 50], train.targets[k * 50 : k * 50 + 50]
        leaves = [{n: p[n].clone().requires_grad_() for n in trained} for p in points]
        weights = SHAPES[shape](torch.tensor([t], dtype=torch.float64), bends)[0]
        phi = {n: sum(w * x[n] for w, x in zip(weights, leaves, strict=True)) for n in trained}
        buffers = combine(a, b, 1 - t, t)
        state = {"1.shift": buffers["1.shift"], **phi}
        loss = cross_entropy(functional_call(problem.module, state, (inputs,)), targets)
        (loss + 0.05 * sum(x.square().sum() for x in phi.values())).backward()
        for point, leaf, velocity in list(zip(points, leaves, momentum, strict=True))[1:-1]:
            for n in trained:
                velocity[n] = 0.5 * velocity[n] + leaf[n].grad
                point[n] = point[n] - 0.2 * velocity[n]
        assert training.descend(weights, inputs, targets, 0.2) == pytest.approx(loss.item(), 1e-12)
        for row, point in zip(training.control, points, strict=True):
            reached = training.network.unflatten(row, a)
            assert reached.keys() == a.keys() and int(reached["1.count"]) == 3
            for n in trained:
                assert torch.allclose(reached[n], point[n], rtol=1e-10, atol=1e-12)
            assert torch.equal(reached["1.again.weight"], reached["1.below.weight"])


@pytest.mark.parametrize("method", ["polychain[bends=2]", "bezier", "garipov-3", "garipov-5"])
def test_trained_bends_lower_the_mean_loss(
    problem: Problem, pair: tuple[Endpoint, Endpoint], method: str
) -> None:
    path = host().get("method", method).connect(*pair, problem)
    check_ends(path, pair[0].params, pair[1].params, problem)
    batch = problem.splits["train"]

    def mean_loss(point: Any) -> float:
        losses = [problem.loss(point(i / 10), batch.inputs, batch.targets) for i in range(11)]
        return float(sum(losses)) / 11

    line = mean_loss(lambda t: combine(pair[0].params, pair[1].params, 1 - t, t))
    assert mean_loss(path) < 0.7 * line


def test_garipov_3_is_a_polychain_with_one_bend(
    problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    one = host().get("method", "garipov-3[epochs=2]").connect(*pair, problem)
    same = host().get("method", "polychain[bends=1,epochs=2,rate=1]").connect(*pair, problem)
    other = host().get("method", "bezier[epochs=2]").connect(*pair, problem)
    for t in (0.25, 0.5, 0.75):
        assert equal(one(t), same(t))
    assert not equal(one(0.5), other(0.5))
    with pytest.raises(UsageError, match="no parameter 'bends'"):
        host().get("method", "garipov-3[bends=2]")


@pytest.mark.parametrize(
    "layers",
    [
        (linear(64, 8), nn.ReLU, nn.Dropout, linear(8, 10)),
        (linear(64, 8), lambda: nn.BatchNorm1d(8), nn.ReLU, linear(8, 10)),
    ],
)
def test_a_resumed_training_ends_with_the_same_curve(
    shared_store: Store, store: Store, monkeypatch: pytest.MonkeyPatch, layers: tuple[Any, ...]
) -> None:
    monkeypatch.setenv("MCBENCH_SAVE_SECONDS", "0")
    recipe = "quick[epochs=4,batch_size=225,augment=(flip,crop)]"
    problem = problem_of(shared_store, Net(*layers), recipe)
    a, b = untrained(problem, 0), untrained(problem, 1)
    curve = TrainedCurve("curve", bends=2)
    before = torch.get_rng_state()
    whole = curve.connect(a, b, problem)
    assert torch.equal(torch.get_rng_state(), before)
    killed = Fragile(store, "key")
    killed.last = 2  # Once an epoch it is saved.
    with pytest.raises(Killed):
        curve.connect(a, b, problem.bind(killed))
    resumed = Fragile(store, "key")
    path = curve.connect(a, b, problem.bind(resumed))
    assert resumed.steps == 2
    done = Fragile(store, "key")
    again = curve.connect(a, b, problem.bind(done))
    assert done.steps == 0
    for t in (0.0, 0.2, 1 / 3, 0.5, 1.0):
        assert equal(whole(t), path(t)) and equal(whole(t), again(t))


def test_training_is_the_recipes_unless_parameters_differ(shared_store: Store) -> None:
    problem = problem_of(shared_store, Net(linear(64, 10)), "quick[epochs=7,lr=0.2]")
    recipe = TrainedCurve("curve").recipe(problem)
    assert recipe.epochs == 7 and recipe.lr == pytest.approx(0.06)
    assert recipe.weight_decay == problem.recipe.weight_decay > 0
    given = TrainedCurve("curve", epochs=3, lr=0.5, weight_decay=0.0, batch_size=9)
    recipe = given.recipe(problem)
    assert (recipe.epochs, recipe.lr, recipe.weight_decay, recipe.batch_size) == (3, 0.5, 0.0, 9)
    problem = problem_of(shared_store, Net(linear(64, 10)), "quick[optimizer=adam]")
    with pytest.raises(RunError, match=r"curve\[lr="):
        TrainedCurve("curve").recipe(problem)


def test_divergence_is_reported(problem: Problem, pair: tuple[Endpoint, Endpoint]) -> None:
    with pytest.raises(RunError, match="lower learning rate"):
        TrainedCurve("curve", epochs=3, lr=1e12).connect(*pair, problem)


def test_two_floating_point_types_are_refused(shared_store: Store) -> None:
    class Double(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.double())

    layers = (linear(64, 8), lambda: Double(8, 10, dtype=torch.float64))
    problem = problem_of(shared_store, Net(*layers), SHORT)
    a, b = untrained(problem, 0), untrained(problem, 1)
    with pytest.raises(RunError, match=r"not in torch\.float32, torch\.float64"):
        TrainedCurve("curve").connect(a, b, problem)


def test_dropout_is_active_in_training(shared_store: Store) -> None:
    problem = problem_of(
        shared_store, Net(linear(64, 8), nn.ReLU, lambda: nn.Dropout(1.0), linear(8, 10)), SHORT
    )
    a, b = untrained(problem, 0), untrained(problem, 1)
    training = Training(TrainedCurve("curve", weight_decay=0.0), a.params, b.params, problem)
    batch = problem.splits["train"]
    weights = torch.tensor([0.25, 0.5, 0.25])
    training.descend(weights, batch.inputs, batch.targets, 0.1)
    moved = training.network.unflatten(training.velocity[0], a.params)
    assert not moved["1.weight"].any() and moved["4.bias"].any()


# Batch norm --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["polychain", "bezier"])
def test_running_statistics_are_estimated_anew_between_the_ends(
    normed: Problem, shape: str
) -> None:
    a, b = untrained(normed, 0), untrained(normed, 1)
    copies = [{n: x.clone() for n, x in e.params.items()} for e in (a, b)]
    path = TrainedCurve("curve", shape=shape).connect(a, b, normed)
    inputs = normed.splits["train"].inputs.flatten(1)
    for t in (0.2, 0.5, 0.9):
        point = path(t)
        assert list(point) == list(a.params)
        hidden = inputs @ point["1.weight"].T + point["1.bias"]
        # The batches differ a little in their means, which the mean of variances leaves out.
        assert torch.allclose(point["2.running_mean"], hidden.mean(0), atol=1e-5)
        assert torch.allclose(point["2.running_var"], hidden.var(0), rtol=0.02)
        assert torch.equal(point["2.num_batches_tracked"], a.params["2.num_batches_tracked"])
        assert equal(path(t), point)
    check_ends(path, a.params, b.params, normed)
    assert equal(a.params, copies[0]) and equal(b.params, copies[1])
    assert path.length(0, 1) >= distance(a.params, b.params)


def test_batches_count_by_their_size(normed: Problem) -> None:
    """1347 samples in batches of 1000: the mean is that over all samples all the same."""
    recipe = host().get("recipe", "quick[batch_size=1000]")
    params = untrained(normed, 0).params
    renewed = Statistics(normed, recipe).renew(params)
    hidden = normed.splits["train"].inputs.flatten(1) @ params["1.weight"].T + params["1.bias"]
    assert torch.allclose(renewed["2.running_mean"], hidden.mean(0), atol=1e-5)
    assert not params["2.running_mean"].any()


def test_training_normalises_by_the_batch(normed: Problem) -> None:
    """The loss of a step does not depend on running statistics."""
    a, b = untrained(normed, 0).params, untrained(normed, 1).params
    odd = {n: x + 100 if "running" in n else x for n, x in a.items()}
    batch = normed.splits["train"]
    weights = torch.tensor([0.5, 0.5, 0.0])
    losses = [
        Training(TrainedCurve("curve"), start, b, normed).descend(
            weights, batch.inputs, batch.targets, 0.1
        )
        for start in (a, odd)
    ]
    assert losses[0] == losses[1]
