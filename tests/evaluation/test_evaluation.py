"""Evaluation: exact at the ends, refined around the worst, resumed without a difference."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

import mcbench
from mcbench.errors import RunError, UsageError
from mcbench.evaluation.evaluate import curve_of, evaluate, measure_points
from mcbench.evaluation.losses import Progress, measure
from mcbench.evaluation.protocol import Protocol
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem


@pytest.fixture
def path(pair: tuple[Endpoint, Endpoint], problem: Problem) -> mcbench.Path:
    return host().get("method", "linear").connect(*pair, problem)


def test_values_are_those_of_the_whole_data_set(path: mcbench.Path, problem: Problem) -> None:
    values = measure(path(0.4), problem, Protocol())
    for name, split in problem.splits.items():
        logits = problem.forward(path(0.4), split.inputs).double()
        loss = torch.nn.functional.cross_entropy(logits, split.targets)
        accuracy = 100 * (logits.argmax(1) == split.targets).double().mean()
        assert values["loss"][name] == pytest.approx(float(loss), rel=1e-5)
        assert values["accuracy"][name] == pytest.approx(float(accuracy), abs=1e-9)


def test_results_do_not_depend_on_the_batch_size(
    path: mcbench.Path, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = measure(path(0.5), problem, Protocol())
    monkeypatch.setitem(problem.__dict__, "batch_size", 37)
    parts = measure(path(0.5), problem, Protocol())
    assert parts["accuracy"] == whole["accuracy"]
    assert parts["loss"]["train"] == pytest.approx(whole["loss"]["train"], rel=1e-5)


def test_the_grid_is_uniform_and_refinement_halves_beside_the_worst(
    path: mcbench.Path, problem: Problem
) -> None:
    curve = evaluate(path, problem, Protocol(points=5, refine=0))
    assert curve.t == [0, 0.25, 0.5, 0.75, 1] and all(curve.grid)
    finer = evaluate(path, problem, Protocol(points=5, refine=2))
    assert set(curve.t) < set(finer.t)
    assert finer.on_grid(finer.accuracy["test"]) == curve.accuracy["test"]
    assert finer.t == sorted(finer.t)
    worst = curve.t[curve.accuracy["test"].index(min(curve.accuracy["test"]))]
    assert any(0 < abs(t - worst) <= 0.125 for t in finer.t)
    assert min(finer.accuracy["test"]) <= min(curve.accuracy["test"])


def test_refinement_finds_a_dip_between_points(
    pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    """A network that is wrecked near t = 0.55 only: the grid of 11 points sees its slope."""
    a, _ = pair

    def between(t: float) -> mcbench.Params:
        harm = max(0.0, 1 - abs(t - 0.55) / 0.06)
        return {n: x * (1 - harm) for n, x in a.params.items()}

    from mcbench.paths.path import Leg

    path = mcbench.Path([Leg(a.params, a.params, between)])
    curve = evaluate(path, problem, Protocol(points=11, refine=3))
    assert min(curve.accuracy["test"]) < min(curve.on_grid(curve.accuracy["test"])) - 5
    assert 0.55 in [pytest.approx(t) for t in curve.t]


def test_an_interrupted_evaluation_goes_on_with_the_same_numbers(
    path: mcbench.Path, problem: Problem, coarse: Protocol
) -> None:
    whole = evaluate(path, problem, coarse)
    progress = Progress()
    first = list(islice(measure_points(path, problem, coarse, progress), 4))
    assert list(progress.points) == first
    rest = list(measure_points(path, problem, coarse, progress))
    assert curve_of(path, problem, coarse, progress) == whole
    assert len(rest) == len(whole.t) - 4


def test_positions_are_arc_lengths(path: mcbench.Path, problem: Problem) -> None:
    curve = evaluate(path, problem, Protocol(points=5, refine=1))
    assert curve.position[0] == 0
    assert curve.position[-1] == pytest.approx(curve.straight)
    assert curve.position == pytest.approx([t * curve.straight for t in curve.t])


def test_ensembles_average_softmax_outputs(path: mcbench.Path, problem: Problem) -> None:
    curve = evaluate(path, problem, Protocol(points=3, refine=0))
    test = problem.splits["test"]
    points = [problem.forward(path(t), test.inputs).softmax(1) for t in (0, 0.5, 1)]
    for name, members in (("path", points), ("ends", [points[0], points[2]])):
        right = (sum(members).argmax(1) == test.targets).double().mean()
        assert curve.ensembles[name]["test"] == pytest.approx(100 * float(right))


def test_augmented_training_data_are_the_same_at_every_point(
    pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    recipe = host().get("recipe", "quick[augment=(flip,crop)]")
    augmented = Problem(problem.data, problem.architecture, recipe)
    protocol = Protocol(augment=True)
    a = pair[0].params
    one, two = measure(a, augmented, protocol), measure(a, augmented, protocol)
    plain = measure(a, augmented, Protocol())
    assert one == two
    assert one["accuracy"]["train"] < plain["accuracy"]["train"]
    assert one["accuracy"]["test"] == plain["accuracy"]["test"]


def test_augmented_evaluation_needs_an_augmenting_recipe(
    path: mcbench.Path, problem: Problem
) -> None:
    with pytest.raises(UsageError, match="no augmentation"):
        evaluate(path, problem, Protocol(augment=True))


def test_a_path_that_diverges_is_a_failed_run(
    pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    bad = {n: torch.full_like(x, float("nan")) for n, x in pair[0].params.items()}
    with pytest.raises(RunError, match=r"loss at t = 0\.5"):
        evaluate(mcbench.polyline([pair[0].params, bad, pair[1].params]), problem, Protocol(3, 0))


@pytest.mark.parametrize(("points", "refine"), [(1, 0), (5, -1)])
def test_protocols_that_make_no_sense_are_refused(points: int, refine: int) -> None:
    with pytest.raises(UsageError):
        Protocol(points, refine)


def test_the_ensemble_of_a_and_a_point(path: mcbench.Path, problem: Problem) -> None:
    curve = evaluate(path, problem, Protocol(points=5, refine=1))
    test = problem.splits["test"]
    for i, t in enumerate(curve.t):
        both = sum(problem.forward(path(s), test.inputs).softmax(1) for s in (0.0, t))
        accuracy = 100 * float((both.argmax(1) == test.targets).double().mean())
        assert curve.with_start["test"][i] == pytest.approx(accuracy, abs=1e-9)
    assert curve.with_start["train"][0] == curve.accuracy["train"][0]
    assert curve.with_start["train"][-1] == curve.ensembles["ends"]["train"]
