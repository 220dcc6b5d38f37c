"""Metrics: their formulas on curves that are known in closed form, and WA-ensembles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch

from conftest import Deep
from mcbench.errors import StructureError
from mcbench.evaluation.curve import Curve
from mcbench.evaluation.evaluate import evaluate
from mcbench.evaluation.metric import Evaluation
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.testing.metrics import evaluation as kit_evaluation


@pytest.fixture
def curve() -> Curve:
    """Loss 4t(1-t) + t at t = 0, 1/4, 1/2, 3/4, 1, refined at 1/8; the path is bent."""
    t = [0, 0.125, 0.25, 0.5, 0.75, 1]
    loss = [4 * x * (1 - x) + x for x in t]
    return Curve(
        t=t,
        grid=[True, False, True, True, True, True],
        position=[0, 1, 2, 4, 5, 6],
        loss={"test": loss},
        accuracy={"test": [98, 80, 90, 85, 90, 96]},
        straight=4.0,
        ensembles={"ends": {"test": 97.0}, "path": {"test": 98.0}},
        with_start={"test": [98, 0, 97, 96, 97, 98]},
        square=[4, 99, 3, 2, 3, 4],
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("worst-accuracy", 85),
        ("worst-accuracy-refined", 80),
        ("end-accuracy", 97),
        ("mean-loss", (0 / 2 + 1 + 1.5 + 1.5 + 1 / 2) / 4),
        ("mean-loss-by-length", (2 * (0 + 1) / 2 + 2 * 1.25 + 1 * 1.5 + 1 * 1.25) / 6),
        ("highest-loss", 1.5),
        ("lowest-loss", 0.0),
        ("highest-accuracy", 98),
        ("mean-accuracy-by-length", (2 * 94 + 2 * 87.5 + 1 * 87.5 + 1 * 93) / 6),
        ("barrier", 1.5 - 0.5),
        ("barrier-linear", 1.0),
        ("barrier-max", 1.5 - 1),
        ("accuracy-a", 98),
        ("accuracy-b", 96),
        ("midpoint-accuracy", 85),
        ("length", 6.0),
        ("length-ratio", 1.5),
        ("ensemble-ends", 97.0),
        ("ensemble-path", 98.0),
        ("ensemble-along", (98 / 2 + 97 + 96 + 97 + 98 / 2) / 4),
    ],
)
def test_formulas(name: str, expected: float, curve: Curve) -> None:
    metric = host().get("metric", name)
    unused: Any = None
    evaluation = Evaluation(unused, curve, unused, unused)
    assert metric.measure(evaluation, "test" if metric.splits else None) == pytest.approx(expected)
    assert metric.better in ("higher", "lower", "")


def test_a_flat_path_has_no_barrier_and_a_point_has_ratio_one(curve: Curve) -> None:
    curve.loss["test"] = [0.5] * 6
    curve.straight = 0.0
    evaluation = Evaluation(None, curve, None, None)  # type: ignore[arg-type]
    assert host().get("metric", "barrier").measure(evaluation, "test") == 0
    assert host().get("metric", "barrier-linear").measure(evaluation, "test") == 0
    assert host().get("metric", "barrier-max").measure(evaluation, "test") == 0
    assert host().get("metric", "mean-loss").measure(evaluation, "test") == pytest.approx(0.5)
    assert host().get("metric", "length-ratio").measure(evaluation, None) == 1


def test_the_loss_with_decay_is_that_of_the_published_table(
    curve: Curve, problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    """On the grid, with half the recipe's decay times the squared norm of all parameters."""
    metric = host().get("metric", "loss-with-decay")
    assert not metric.usual and problem.recipe.weight_decay == 1e-3
    found = metric.measure(Evaluation(problem, curve, lambda: pair, lambda: None), "test")  # type: ignore[arg-type, return-value]
    total = [0 + 2e-3, 1 + 1.5e-3, 1.5 + 1e-3, 1.5 + 1.5e-3, 1 + 2e-3]
    assert found["lowest"] == pytest.approx(min(total))
    assert found["highest"] == pytest.approx(max(total))
    assert found["mean"] == pytest.approx((sum(total) - (total[0] + total[-1]) / 2) / 4)
    pieces = [(x + y) / 2 for x, y in pairwise(total)]
    assert found["by-length"] == pytest.approx(
        (2 * pieces[0] + 2 * pieces[1] + sum(pieces[2:])) / 6
    )


def test_norms_that_were_not_stored_are_those_of_the_path(
    experiment: Experiment, pair: tuple[Endpoint, Endpoint]
) -> None:
    """Records of older versions have none; new ones have those of all parameters."""
    problem = experiment.problem
    path = host().get("method", "linear").connect(*pair, problem)
    curve = evaluate(path, problem, Protocol(5, 1))
    exact = [sum(float(x.double().square().sum()) for x in path(t).values()) for t in curve.t]
    assert curve.square == pytest.approx(exact, rel=1e-6)
    metric = host().get("metric", "loss-with-decay")
    value = metric.measure(Evaluation(problem, curve, lambda: pair, lambda: path), "train")
    older = replace(curve, square=[])
    again = metric.measure(Evaluation(problem, older, lambda: pair, lambda: path), "train")
    assert again == pytest.approx(value, rel=1e-9)


def test_without_classes_there_is_no_accuracy(curve: Curve) -> None:
    curve.accuracy, curve.with_start, curve.ensembles = {}, {}, {}
    evaluation = Evaluation(None, curve, None, None)  # type: ignore[arg-type]
    for name in ("worst-accuracy", "worst-accuracy-refined", "end-accuracy", "highest-accuracy",
                 "ensemble-ends", "ensemble-path", "ensemble-along"):  # fmt: skip
        with pytest.raises(StructureError, match="no classes"):
            host().get("metric", name).measure(evaluation, "test")


def test_a_loss_that_falls_all_the_way_has_no_barrier_of_gotmare(curve: Curve) -> None:
    curve.loss["test"] = [(1 - t) ** 0.5 for t in curve.t]
    evaluation = Evaluation(None, curve, None, None)  # type: ignore[arg-type]
    assert host().get("metric", "barrier-max").measure(evaluation, "test") == 0
    assert host().get("metric", "barrier").measure(evaluation, "test") == 0.5


def test_half_way_is_between_two_points_of_a_grid_of_even_length(curve: Curve) -> None:
    curve.grid = [True] * 6
    evaluation = Evaluation(None, curve, None, None)  # type: ignore[arg-type]
    assert host().get("metric", "midpoint-accuracy").measure(evaluation, "test") == (90 + 85) / 2


def evaluation_of(problem: Problem, pair: tuple[Endpoint, Endpoint]) -> Evaluation:
    return Evaluation(problem, Curve(), lambda: pair, lambda: None)  # type: ignore[arg-type, return-value]


def test_a_wa_ensemble_stands_on_one_backbone(
    problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    from mcbench_wa.ensemble import transplant

    a, b = pair
    moved = transplant(b.params, a.params, 1, problem)
    assert torch.equal(moved["1.weight"], a.params["1.weight"])
    assert torch.equal(moved["3.bias"], b.params["3.bias"])
    inputs = problem.splits["train"].inputs
    features = problem.chain.features(a.params, inputs, 1).double()
    target = problem.forward(b.params, inputs).double() - b.params["3.bias"]
    best = target - features @ (torch.linalg.pinv(features) @ target)
    reached = problem.forward(moved, inputs).double() - b.params["3.bias"]
    assert float((target - reached).norm()) == pytest.approx(float(best.norm()), rel=1e-4)


@pytest.mark.parametrize("head", [1, 2, 3])
def test_a_head_of_n_layers_keeps_its_own_layers(head: int, deep: Callable[[str], Deep]) -> None:
    from mcbench_wa.ensemble import transplant

    problem, (a, b) = deep("conv2fc1[channels=(4,5)]")
    moved = transplant(b.params, a.params, head, problem)
    layers = problem.chain.layers
    for k, layer in enumerate(layers):
        owner = a if k < 3 - head else b
        adjusted = layer.weight if k == 3 - head and head < 3 else None
        for name in layer.entries:
            assert torch.equal(moved[name], owner.params[name]) == (name != adjusted)
    with pytest.raises(StructureError, match="the network has 3"):
        transplant(b.params, a.params, 4, problem)


@pytest.mark.parametrize("head", [1, 2])
def test_the_wa_ensembles_accuracy(
    head: int, problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    """With a head of all layers it is the ensemble of both networks."""
    from mcbench_wa.ensemble import transplant

    a, b = (end.params for end in pair)
    test = problem.splits["test"]
    second = b if head == 2 else transplant(b, a, head, problem)
    members = [problem.forward(p, test.inputs).softmax(1) for p in (a, second)]
    right = ((members[0] + members[1]).argmax(1) == test.targets).double().mean()
    metric = host().get("metric", f"wa-ensemble[head={head}]")
    measured = metric.measure(evaluation_of(problem, pair), "test")
    assert measured == pytest.approx(100 * float(right))


@pytest.mark.parametrize(("head", "extra"), [(1, 16 * 10 + 10), (2, 64 * 16 + 16 + 170)])
def test_wa_storage_counts_one_backbone_and_two_heads(
    head: int, extra: int, problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    whole = 64 * 16 + 16 + 16 * 10 + 10
    metric = host().get("metric", f"wa-storage[head={head}]")
    assert metric.measure(evaluation_of(problem, pair), None) == {
        "parameters": whole + extra,
        "bytes": 4 * (whole + extra),
        "independent-parameters": 2 * whole,
        "independent-bytes": 8 * whole,
    }


def test_wa_storage_counts_running_statistics_apart_and_by_their_type() -> None:
    """Plain torch: parameters and buffers of the module, a counter of 8 bytes for each norm."""
    evaluation = kit_evaluation("batch-normalised")
    network = evaluation.problem.module
    parameters, buffers = list(network.parameters()), list(network.buffers())
    measured = host().get("metric", "wa-storage").measure(evaluation, None)
    assert any(x.dtype is torch.int64 for x in buffers)
    assert measured["independent-parameters"] == 2 * sum(x.numel() for x in parameters)
    assert measured["independent-statistics"] == 2 * sum(x.numel() for x in buffers)
    assert measured["independent-bytes"] == 2 * sum(x.nbytes for x in (*parameters, *buffers))
    last = sum(x.numel() for x in list(network.modules())[-1].parameters())
    assert measured["parameters"] == measured["independent-parameters"] // 2 + last
    assert measured["statistics"] == measured["independent-statistics"] // 2
    assert measured["bytes"] == measured["independent-bytes"] // 2 + 4 * last
    with pytest.raises(StructureError, match="take a head of 1 to"):
        host().get("metric", "wa-storage[head=99]").measure(evaluation, None)
