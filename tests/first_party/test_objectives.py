"""Objectives of curves: exact gradients in expectation, and what each is better at."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from mcbench_curves import TrainedCurve
from mcbench_curves.coefficients import SHAPES, SLOPES
from mcbench_curves.objectives import Maximum, Moment
from mcbench_curves.training import Training, train
from torch import Tensor

from mcbench.builtin.landscapes import Flatland, ring
from mcbench.errors import UsageError
from mcbench.evaluation.evaluate import evaluate
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem

BENDS = torch.tensor([[0.4, 0.7], [1.3, -0.2]], dtype=torch.float64)
ENDS = torch.tensor([[1.0, 0.0], [-0.3, 0.9]], dtype=torch.float64)
PIECES = 96
"""Gauss's rule is exact enough on so many pieces; corners and cells lie between pieces."""


def flat(dtype: torch.dtype = torch.float64) -> Problem:
    recipe = host().get("recipe", "landscape")
    problem = Problem(Flatland().read(Path()), host().get("architecture", "ring"), recipe)
    problem.module = problem.module.to(dtype)
    return problem


def nodes() -> tuple[Tensor, Tensor]:
    """Times and weights, shape (PIECES, 4) each; weights sum to 1."""
    x, w = np.polynomial.legendre.leggauss(4)
    starts = torch.arange(PIECES, dtype=torch.float64)[:, None]
    times = (starts + torch.from_numpy(x + 1) / 2) / PIECES
    return times, torch.from_numpy(w / 2).expand(PIECES, 4) / PIECES


def curve(shape: str, bends: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """Losses and speeds at some times."""
    control = torch.cat([ENDS[:1], bends, ENDS[1:]])
    points, tangents = (kind[shape](t, len(bends)) @ control for kind in (SHAPES, SLOPES))
    return ring(points), tangents.norm(dim=1)


def under_way(shape: str, objective: str) -> tuple[Training, Problem]:
    """A training at the bends above, without momentum: its velocity is the gradient."""
    problem = flat()
    method = TrainedCurve("curve", shape=shape, bends=2, momentum=0.0, objective=objective)  # type: ignore[arg-type]
    training = Training(method, {"w": ENDS[0]}, {"w": ENDS[1]}, problem)
    training.control[1:-1] = BENDS
    training.objective.begin()
    return training, problem


def gradient(training: Training, problem: Problem, moment: Moment) -> Tensor:
    """Gradient of a step at a moment, shape (bends, 2); the curve does not move."""
    batch = problem.splits["train"]
    weights = training.coefficients([moment.t])[0]
    training.descend(weights, batch.inputs[:2], batch.targets[:2], 0.0, moment)
    return training.velocity.clone()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bends", [1, 2, 4])
def test_slopes_are_the_derivatives_of_the_coefficients(shape: str, bends: int) -> None:
    t, h = torch.tensor([0.07, 0.33, 0.58, 0.91], dtype=torch.float64), 1e-6
    expected = (SHAPES[shape](t + h, bends) - SHAPES[shape](t - h, bends)) / (2 * h)
    torch.testing.assert_close(SLOPES[shape](t, bends), expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_by_length_the_mean_step_is_the_gradient(shape: str) -> None:
    """With the objective's own value as J, in finite differences, that of |phi'| included."""
    times, weights = nodes()

    def value(bends: Tensor) -> float:
        losses, speeds = curve(shape, bends, times.flatten())
        share = weights.flatten() * speeds
        return float((losses * share).sum() / share.sum())

    training, problem = under_way(shape, "length")
    known = torch.tensor([value(BENDS), 1.0], dtype=torch.float64)
    total = torch.zeros_like(BENDS)
    for t, weight in zip(times.flatten().tolist(), weights.flatten().tolist(), strict=True):
        training.objective.restore({"sums": known})
        total += weight * gradient(training, problem, training.objective.moment([t]))
    torch.testing.assert_close(total, differences(value), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sharpness", [3.0, 40.0])
def test_for_the_maximum_the_mean_step_is_the_gradient(
    shape: str, sharpness: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the shares of the losses themselves, in finite differences of log-mean-exp."""
    times, weights = nodes()
    training, problem = under_way(shape, "max")
    objective = Maximum(sharpness, bends=2)
    training.objective, objective.cells = objective, PIECES

    def by_cell(bends: Tensor) -> Tensor:
        losses = curve(shape, bends, times.flatten())[0].view(PIECES, 4)
        return (losses * weights).sum(1) * PIECES

    def value(bends: Tensor) -> float:
        mean = (sharpness * by_cell(bends)).logsumexp(0) - math.log(PIECES)
        return float(mean / sharpness)

    p = (sharpness * by_cell(BENDS)).softmax(0)
    monkeypatch.setattr(objective, "shares", lambda: p)
    q = (p + 1 / PIECES) / 2
    drawn = q.cumsum(0) - q / 2
    total, decay = torch.zeros_like(BENDS), 0.0
    for k in range(PIECES):
        for t, weight in zip(times[k].tolist(), weights[k].tolist(), strict=True):
            moment = objective.moment([float(drawn[k]), t * PIECES - k])
            assert moment.t == pytest.approx(t) and max(moment.loss, moment.decay) <= 2
            chance = float(q[k]) * weight * PIECES
            total += chance * gradient(training, problem, moment)
            decay += chance * moment.decay
    torch.testing.assert_close(total, differences(value), rtol=1e-6, atol=1e-8)
    assert decay == pytest.approx(1)


def differences(value: object) -> Tensor:
    """Central differences of a function of the bends."""
    assert callable(value)
    slopes = torch.zeros_like(BENDS)
    for i in range(BENDS.numel()):
        step = torch.zeros(BENDS.numel(), dtype=torch.float64)
        step[i] = 1e-5
        ahead, behind = (value(BENDS + s * step.view_as(BENDS)) for s in (1, -1))
        slopes.view(-1)[i] = (ahead - behind) / 2e-5
    return slopes


def test_the_table_learns_the_losses_and_draws_the_high_ones() -> None:
    objective = Maximum(50.0, bends=3)
    assert objective.intervals % 4 == 0  # The corners have entries.
    assert objective.shares().tolist() == [1 / objective.cells] * objective.cells
    draws = torch.Generator().manual_seed(0)
    peak = 0.3
    for _ in range(1500):
        moment = objective.moment(torch.rand(2, generator=draws, dtype=torch.float64).tolist())
        loss = torch.tensor(1 - abs(moment.t - peak))
        objective.learn(moment, loss, torch.empty(0))
    middles = (torch.arange(objective.cells) + 0.5) / objective.cells
    exact = (50.0 * (1 - (middles - peak).abs())).double().softmax(0)
    assert float((objective.shares() - exact).abs().sum()) < 0.2
    times = [objective.moment([u, 0.5]).t for u in torch.linspace(0, 0.999, 400).tolist()]
    near = sum(abs(t - peak) < 0.05 for t in times) / len(times)
    assert 0.45 < near < 0.6  # Half of the draws follow the losses, half are uniform.


def trained(objective: str, shape: str = "polychain", **more: float) -> tuple[Tensor, Tensor]:
    """Losses at 2,001 times of a trained curve on the ring, over 150 degrees, and their shares
    of the length."""
    half = math.radians(75)
    ends = [torch.tensor([math.cos(half), s * math.sin(half)]) for s in (-1, 1)]
    a, b = (Endpoint({"w": w}, i, str(i)) for i, w in enumerate(ends))
    method = host().get("method", f"{shape}[objective={objective},epochs=60,lr=0.002]")
    problem = flat(torch.float32)
    points = torch.stack([p["w"].double() for p in train(method, a, b, problem)])
    t = (torch.arange(2001, dtype=torch.float64) + 0.5) / 2001
    speeds = (SLOPES[shape](t, 1) @ points).norm(dim=1)
    return ring(SHAPES[shape](t, 1) @ points), speeds / speeds.sum()


def test_each_objective_is_best_at_what_it_minimises() -> None:
    """The best means of chains and Bezier curves with one bend, by quadrature, are 0.0406 and
    0.00538; the best mean by length of the latter is 0.00577."""
    uniform, low = trained("uniform")[0], trained("max,sharpness=100")[0]
    assert float(uniform.mean()) == pytest.approx(0.0406, rel=0.01)
    assert float(low.max()) < 0.8 * float(uniform.max())
    assert float(low.mean()) > float(uniform.mean())
    smoothest = ((100 * low).logsumexp(0) - math.log(len(low))) / 100
    assert float(smoothest) == pytest.approx(0.0677, rel=0.02)
    uniform, weights = trained("uniform", "bezier")
    by_length, shares = trained("length", "bezier")
    assert float(uniform.mean()) == pytest.approx(0.00538, rel=0.01)
    assert float((by_length * shares).sum()) == pytest.approx(0.00577, rel=0.005)
    assert float((by_length * shares).sum()) < float((uniform * weights).sum())
    assert float(by_length.mean()) > float(uniform.mean())


def test_the_maximum_is_lower_on_digits(
    experiment: Experiment, pair: tuple[Endpoint, Endpoint]
) -> None:
    highest = {}
    for objective in ("uniform", "max"):
        method = host().get("method", f"bezier[objective={objective},epochs=40]")
        path = method.connect(*pair, experiment.problem)
        curve = evaluate(path, experiment.problem, Protocol(11, 2))
        highest[objective] = max(curve.loss["train"])
    assert highest["max"] < 0.95 * highest["uniform"]


@pytest.mark.parametrize("objective", ["length", "max"])
def test_a_training_goes_on_where_it_stopped(objective: str) -> None:
    """The table, and the mean by length, belong to the state."""
    method = host().get("method", f"bezier[objective={objective},epochs=4]")
    problem = flat(torch.float32)
    ends = [{"w": w.float()} for w in ENDS]
    whole, first, second = (Training(method, *ends, problem) for _ in range(3))
    for epoch in range(4):
        whole.epoch(epoch)
    for epoch in range(2):
        first.epoch(epoch)
    second.init({name: x.clone() for name, x in first.tensors().items()}, {"epoch": 2})
    for epoch in range(2, 4):
        second.epoch(epoch)
    assert second.control.equal(whole.control)


def test_results_of_before_keep_their_names() -> None:
    """The objective stands in identities only where it is another one."""
    plain = host().identity("method", host().get("method", "polychain"))
    same = host().identity("method", host().get("method", "polychain[objective=uniform]"))
    other = host().identity("method", host().get("method", "polychain[objective=max]"))
    assert "objective" not in plain["parameters"] and plain == same != other
    with pytest.raises(UsageError, match="objective"):
        host().get("method", "bezier[objective=worst]")
    with pytest.raises(UsageError, match="sharpness"):
        host().get("method", "bezier[objective=max,sharpness=0]")
