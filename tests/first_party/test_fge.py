"""Ensembles from one training: their learning rates, what they collect and average, budgets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from math import cos, pi
from pathlib import Path
from typing import Any

import pytest
import torch
from mcbench_fge import FGE, SSE, SWA
from mcbench_fge.course import Course, Training, collect, steps_of

import mcbench
from conftest import PLAN, Deep
from mcbench import Endpoint, Problem
from mcbench.ensembles.evaluate import EnsembleExperiment, EnsembleResults
from mcbench.errors import RunError, UsageError
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.figures.ensembles import draw_budgets
from mcbench.paths.params import equal
from mcbench.plugins.host import host
from mcbench.report.ensembles import budgets
from mcbench.store.checkpoint import Workshop
from mcbench.store.store import Store
from mcbench.testing.networks import trained
from programs import run

FAST = "fge[cycles=3,period=2]"
SMALL = ("-a", "mlp2[width=16]", "-r", "quick[epochs=15]", "--endpoints", "3")


def test_fge_goes_down_and_up_and_collects_at_the_lowest_rate(problem: Problem) -> None:
    fge = FGE(cycles=3, period=2, lr_high=0.04, lr_low=0.002)
    course, steps = fge.course(problem), steps_of(problem)
    c = 2 * steps
    for i in range(1, 3 * c):
        t = ((i - 1) % c + 1) / c
        published = (
            (1 - 2 * t) * 0.04 + 2 * t * 0.002
            if t <= 0.5
            else (2 - 2 * t) * 0.002 + (2 * t - 1) * 0.04
        )
        assert course.rate(i) == pytest.approx(published, rel=1e-9)
    assert course.marks == (c // 2, c + c // 2, 2 * c + c // 2)
    assert all(course.rate(i) == pytest.approx(0.002) for i in course.marks)
    # The epochs announced are those of the pretraining and those up to the marks.
    recipe = problem.recipe
    start = fge.start(recipe)
    assert start is not None and start.last == 10 == recipe.last - 5
    assert fge.epochs(recipe) == tuple(10 + m / steps for m in course.marks) == (11, 13, 15)


def test_sse_restarts_and_collects_where_a_cycle_ends(problem: Problem) -> None:
    sse = SSE(cycles=4)
    course, whole = sse.course(problem), 15 * steps_of(problem)
    cycle = -(-whole // 4)
    for i in range(1, whole + 1):
        published = 0.1 / 2 * (cos(pi * ((i - 1) % cycle) / cycle) + 1)
        assert course.rate(i) == pytest.approx(published)
    assert course.marks == (cycle, 2 * cycle, 3 * cycle, whole)
    assert all(course.rate(i) < 1e-3 for i in course.marks) and course.rate(cycle + 1) == 0.1
    assert sse.start(problem.recipe) is None
    assert sse.epochs(problem.recipe) == (3.75, 7.5, 11.25, 15)


def test_swa_is_constant_or_falls_in_each_period(problem: Problem) -> None:
    swa, c = SWA(period=2, lr=0.03, pretrain=9), 2 * steps_of(problem)
    assert {swa.course(problem).rate(i) for i in range(1, 3 * c)} == {0.03}
    assert swa.course(problem).marks == (c, 2 * c, 3 * c)
    assert swa.epochs(problem.recipe) == (15,) and SWA(period=4).epochs(problem.recipe) == (15,)
    falling = replace(swa, lr_low=0.01).course(problem)
    for i in (1, 7, c, c + 1, c + c // 2):
        t = ((i - 1) % c + 1) / c
        assert falling.rate(i) == pytest.approx((1 - t) * 0.03 + t * 0.01)


def fresh(problem: Problem, **changes: Any) -> Problem:
    """The problem with a workshop of its own, and another recipe where that is given."""
    recipe = replace(problem.recipe, **changes)
    return Problem(problem.data, problem.architecture, recipe, identity=problem.identity)


def test_a_step_is_one_of_the_recipes_optimiser(
    problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    task, start = fresh(problem), pair[0]
    course = Course("one", lambda i: 0.05, (1,))
    (after,) = collect(course, start, task)
    inputs, targets = next(task.shuffled(task.recipe, "one", start.seed, 0))
    weights = {n: x.clone().requires_grad_() for n, x in start.params.items()}
    task.loss(weights, inputs, targets).backward()
    for name, weight in weights.items():
        assert weight.grad is not None
        decayed = weight.grad + task.recipe.weight_decay * weight.detach()
        assert torch.allclose(after[name], weight.detach() - 0.05 * decayed, atol=1e-6)


def test_swa_is_the_mean_of_what_is_collected_with_its_own_statistics() -> None:
    network = trained("batch-normalised")
    problem, start = network.problem(), network.endpoint(0)
    swa = SWA(pretrain=2)
    course = swa.course(problem)
    assert len(course.marks) == 4
    points = [start.params, *collect(replace(course, mean=False), start, network.problem())]
    (mean,) = swa.collect(start, problem)
    statistics = mcbench.Statistics(problem, problem.recipe)
    for name, x in mean.items():
        if x.is_floating_point() and name not in statistics.names:
            expected = torch.stack([p[name].double() for p in points]).mean(0)
            assert torch.allclose(x.double(), expected, atol=1e-6)
    again = statistics.renew(mean)
    assert statistics.names and all(again[n].equal(mean[n]) for n in statistics.names)
    assert not any(mean[n].equal(points[-1][n]) for n in statistics.names)


@pytest.mark.parametrize(
    ("ensemble", "changes"),
    [
        (FGE(cycles=3, period=1), {}),
        (SWA(pretrain=3), {}),
        (SSE(cycles=2), {"optimizer": "adam", "lr": 0.001, "epochs": 4}),
    ],
)
def test_a_training_that_was_killed_ends_with_the_same_members(
    ensemble: Any, changes: dict[str, Any], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCBENCH_SAVE_SECONDS", "0")
    network = trained("batch-normalised")
    start = network.endpoint(1)

    def task(workshop: Workshop) -> Problem:
        return fresh(network.problem(), **changes).bind(workshop)

    whole = list(ensemble.collect(start, task(Workshop())))
    real = Training.epoch

    def kill(self: Training, epoch: int) -> float:
        if epoch == 2:
            raise KeyboardInterrupt
        return real(self, epoch)

    monkeypatch.setattr(Training, "epoch", kill)
    with pytest.raises(KeyboardInterrupt):
        ensemble.collect(start, task(Workshop(store, "0" * 32, "killed")))
    begun = []

    def count(self: Training, epoch: int) -> float:
        begun.append(epoch)
        return real(self, epoch)

    monkeypatch.setattr(Training, "epoch", count)
    for _ in range(2):  # The second time it is all there.
        resumed = list(ensemble.collect(start, task(Workshop(store, "0" * 32, "killed"))))
        assert all(equal(x, y) for x, y in zip(resumed, whole, strict=True))
    assert begun and begun == list(range(2, begun[-1] + 1))


def test_members_and_trainings_differ(deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep("mlp2[width=16]")
    task = fresh(problem)
    ensemble = FGE(cycles=2, period=1)
    one, two = ensemble.collect(a, task), ensemble.collect(b, task)
    assert not equal(one[0], one[1]) and not equal(one[0], two[0])
    # The same network with another seed sees the data in another order.
    other = ensemble.collect(replace(a, seed=7), task)
    assert not equal(one[0], other[0]) and equal(one[0], ensemble.collect(a, task)[0])


def test_divergence_is_reported() -> None:
    network = trained("two-layer")
    wild = FGE(cycles=3, period=2, lr_high=1e20, lr_low=1e20)
    with pytest.raises(RunError, match="training of 'fge' from seed 0 diverged: the loss is"):
        wild.collect(network.endpoint(0), network.problem())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fge", "takes 22 epochs for 6 cycles of 4: recipe 'quick' has 15"),
        ("fge[pretrain=16]", "starts from networks trained for 16 epochs: recipe 'quick' has 15"),
        ("sse[cycles=16]", "has 16 cycles: recipe 'quick' has 15 epochs"),
        ("swa[pretrain=15]", "leaves 0 of its 15"),
        ("wa", "no member that one training gives"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_trained(
    text: str, reason: str, store: Store
) -> None:
    with pytest.raises(UsageError, match=reason):
        EnsembleExperiment([Experiment(PLAN, store)], [text], (1,))
    assert not list(store.entries("endpoints"))


def test_only_what_an_ensemble_starts_from_is_trained(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, seeds=(0, 1), recipe="quick[epochs=6]")

    def record_of(*budgets: int) -> dict[str, Any]:
        return EnsembleExperiment([Experiment(plan, store)], [FAST], budgets).run().records[FAST]

    record = record_of(1, 2)
    ends = [store.read_tensors("endpoints", e.key) for e in store.entries("endpoints")]
    assert [end[1]["problem"]["recipe"]["parameters"]["stop"] for end in ends if end] == [1, 1]
    titles = {store.title(entry) for entry in store.entries("trained")}
    network = f"digits/{PLAN.architecture}/quick[epochs=6]"
    assert titles == {f"{network} {FAST} seed {seed}" for seed in (0, 1)}
    assert record["cost"]["collect"]["passes"] == pytest.approx(2 * 5, abs=0.01)
    monkeypatch.setattr(Training, "epoch", None)
    assert record_of(1, 2) == record
    # Other budgets, and the growth, take the members from the store.
    assert record_of(2)["budgets"] == record["budgets"][1:]
    grown = record_of()["sizes"]
    assert [values["members"] for values in grown] == [3, 6]
    assert grown[1]["parameters"] == 3 * grown[1]["independent-parameters"]
    assert grown[1]["accuracy"] == record["budgets"][1]["accuracy"][0]
    full = record["growth"][-1]
    assert full["epochs"] == 6 and full["accuracy"] == record["budgets"][0]["accuracy"]


@pytest.fixture(scope="module")
def results(shared_store: Store) -> EnsembleResults:
    """Independent networks, FGE, and one that takes more than the recipe's epochs."""
    long = "fge[cycles=3,period=2,pretrain=14]"
    experiment = Experiment(PLAN, shared_store)
    results = EnsembleExperiment([experiment], ["independent", FAST, long], (1, 2, 3)).run()
    assert not results.failures
    return results


def test_budgets_pool_all_choices_of_trainings(
    results: EnsembleResults, experiment: Experiment, problem: Problem
) -> None:
    record = results.records["independent"]
    test = problem.splits["test"]
    outputs = [
        problem.forward(experiment.endpoint(seed).params, test.inputs).softmax(1)
        for seed in (0, 1, 2)
    ]
    expected = []
    for choice in ([0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]):
        mean = torch.stack([outputs[i] for i in choice]).mean(0)
        expected.append(100 * float((mean.argmax(1) == test.targets).double().mean()))
    measured = [value for pool in record["budgets"] for value in pool["accuracy"]]
    assert measured == pytest.approx(expected, abs=1e-9)
    assert [pool["epochs"] for pool in record["budgets"]] == [15, 30, 45]
    assert [pool["trainings"] for pool in record["budgets"]] == [1, 2, 3]


def test_what_does_not_fit_into_a_budget_is_not_counted(results: EnsembleResults) -> None:
    _, fast, long = results.records.values()
    assert [pool["trainings"] for pool in fast["budgets"]] == [1, 2, 3]
    assert long["growth"][-1]["epochs"] == 19
    assert [pool["trainings"] for pool in long["budgets"]] == [0, 1, 2]
    shown = budgets(results)
    assert shown.rows[2]["1B"] == "over budget" and shown.rows[2]["epochs"] == "19"
    assert [row["epochs"] for row in shown.data if row["ensemble"] == FAST] == [15, 30, 45]
    assert "1B: 15 epochs" in shown.note
    axes = draw_budgets(results).axes[0]
    assert "15 epochs" in axes.get_xlabel() and "%" in axes.get_ylabel()
    assert [t.get_text() for t in axes.get_legend().get_texts()] == list(results.records)


def test_the_command_prints_budgets_and_draws(
    shared_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCBENCH_HOME", str(shared_store.root))
    chosen = ("ensemble", "-e", "independent", "-e", FAST, *SMALL)
    result = run(*chosen, "--budgets", "2,1", "-o", str(tmp_path / "by"), "--json")
    assert result.exit_code == 0
    rows = json.loads(result.stdout)["budgets"]
    assert [(r["ensemble"], r["budget"], r["networks"], r["choices"]) for r in rows] == [
        ("independent", 1, 1, 3), ("independent", 2, 2, 3), (FAST, 1, 3, 3), (FAST, 2, 6, 3),
    ]  # fmt: skip
    assert (tmp_path / "by.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "by.svg").exists()
    grown = run(*chosen)
    assert f"{FAST}: 3 networks from the training of each" in grown.stdout
    assert f"ensemble {FAST} by budget" in run("store", "list", "--json").stdout
    for wrong in ("0", "1,x", "", "1.5"):
        refused = run(*chosen, "--budgets", wrong)
        assert refused.exit_code == 2 and "no list of whole numbers" in refused.stderr
    more = run(*chosen, "--budgets", "4")
    assert more.exit_code == 2 and "give --endpoints 4 or more" in more.stderr
    several = run(*chosen, "--budgets", "1", "--with-recipe", "quick[epochs=9]")
    assert several.exit_code == 2 and "one recipe" in several.stderr


def test_data_are_loaded_once_for_all_trainings(
    shared_store: Store, monkeypatch: pytest.MonkeyPatch, loads: list[str]
) -> None:
    monkeypatch.setenv("MCBENCH_HOME", str(shared_store.root))
    result = run("ensemble", "-e", FAST, *SMALL, "--with-recipe", "quick[epochs=9]")
    assert result.exit_code == 0, result.stderr
    assert FAST in result.stdout and loads == ["digits"]


def test_several_recipes_bring_members_in_turn(shared_store: Store) -> None:
    recipes = ("quick[epochs=4]", "quick[epochs=5]")
    plans = [Plan(architecture=PLAN.architecture, recipe=r, seeds=(0,)) for r in recipes]
    experiments = [Experiment(plan, shared_store) for plan in plans]
    text = "fge[cycles=2,period=1]"
    record = EnsembleExperiment(experiments, [text]).run().records[text]
    assert [values["members"] for values in record["sizes"]] == [2, 4]


def test_a_failed_pretraining_is_reported(store: Store) -> None:
    plan = replace(PLAN, seeds=(0,), recipe="quick[epochs=6,lr=1e6]")
    results = EnsembleExperiment([Experiment(plan, store)], [FAST]).run()
    ((what, why),) = results.failures.items()
    assert what == "quick[lr=1000000.0,epochs=6,stop=1], seed 0" and "diverged" in why
    assert not results.records and host().get("ensemble", FAST).cycles == 3
