"""Ensembles: accuracy, storage and operations as they grow; shared backbones are counted once."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import PLAN, Deep
from mcbench.ensembles.ensemble import by_training
from mcbench.ensembles.evaluate import EnsembleExperiment, grow
from mcbench.errors import UsageError
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.paths.params import equal
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.store import Store
from mcbench.structure.flops import operations
from programs import run

DEEP = "mlp[widths=(24,16)]"


def sizes(name: str, endpoints: list[Endpoint], problem: Problem) -> list[dict[str, float]]:
    return list(grow(by_training(host().get("ensemble", name), endpoints, problem), problem))


def test_values_are_those_of_the_mean_softmax(experiment: Experiment, problem: Problem) -> None:
    endpoints = [experiment.endpoint(seed) for seed in PLAN.seeds]
    grown = sizes("independent", endpoints, problem)
    test = problem.splits["test"]
    outputs = [problem.forward(e.params, test.inputs).double().softmax(1) for e in endpoints]
    for count, values in enumerate(grown, start=1):
        mean = torch.stack(outputs[:count]).mean(0)
        accuracy = 100 * (mean.argmax(1) == test.targets).double().mean()
        loss = torch.nn.functional.nll_loss(mean.log(), test.targets)
        assert values["accuracy"] == pytest.approx(float(accuracy), abs=1e-9)
        assert values["loss"] == pytest.approx(float(loss), rel=1e-4)
        for name in ("parameters", "bytes", "operations"):
            assert values[name] == values[f"independent-{name}"] == count * grown[0][name]
    assert grown[0]["bytes"] == 4 * grown[0]["parameters"]


def test_a_common_backbone_is_stored_and_computed_once(deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep(DEEP)
    # Layers of 64 x 24, 24 x 16 and 16 x 10, with biases.
    weights, biases = [64 * 24, 24 * 16, 16 * 10], [24, 16, 10]
    for head in (1, 2, 3):
        first, second, third = sizes(f"wa[head={head}]", [a, b, b], problem)
        own = sum(weights[-head:]) + sum(biases[-head:])
        assert first["parameters"] == sum(weights) + sum(biases)
        assert second["parameters"] - first["parameters"] == own
        assert third["parameters"] - second["parameters"] == own
        assert first["operations"] == 2 * sum(weights)
        assert second["operations"] - first["operations"] == 2 * sum(weights[-head:])
        assert second["independent-operations"] == 2 * first["operations"]


def test_running_statistics_are_no_parameters(deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep("vgg16[channels=2,head=5,norm=true]")
    parameters, buffers = list(problem.module.parameters()), list(problem.module.buffers())
    first, second = sizes("independent", [a, b], problem)
    assert first["parameters"] == sum(x.numel() for x in parameters)
    assert first["bytes"] == sum(x.nbytes for x in (*parameters, *buffers))
    assert second["parameters"] == 2 * first["parameters"]


def test_a_head_of_all_layers_is_the_independent_ensemble(deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep(DEEP)
    assert sizes("wa[head=3]", [a, b], problem) == sizes("independent", [a, b], problem)


def test_members_keep_their_outputs_on_the_backbone(deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep(DEEP)
    first, second = host().get("ensemble", "wa[head=1]").members([a, b], problem)
    assert equal(first, a.params)
    assert problem.chain.common([first, second], operator.is_) == 2
    inputs = problem.splits["train"].inputs

    def error(params: dict[str, torch.Tensor]) -> float:
        gap = problem.forward(params, inputs) - problem.forward(b.params, inputs)
        return float(gap.square().mean())

    top = problem.chain.layers[-1].weight
    untouched = a.params | {n: b.params[n] for n in problem.chain.layers[-1].entries}
    assert second[top].shape == b.params[top].shape
    assert error(second) < error(a.params) and error(second) < error(untouched)


def test_convolutions_and_their_operations(deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep("conv2fc1[channels=(4,5)]")
    counts = operations(problem.module, torch.zeros(2, *problem.input_shape), problem.chain)
    whole = operations(problem.module, torch.zeros(2, *problem.input_shape))
    assert counts[0] == 2 * 8 * 8 * 4 * 25 and sum(counts) == whole[0]
    _, two = sizes("wa[head=2]", [a, b], problem)
    assert two["operations"] == sum(counts) + sum(counts[1:])


def test_networks_without_a_chain_have_independent_ensembles_alone(
    residual: None, shared_store: Store
) -> None:
    plan = Plan(architecture="residual", recipe="quick[epochs=2]", seeds=(0, 1))
    results = EnsembleExperiment([Experiment(plan, shared_store)], ["independent", "wa"]).run()
    assert "joins or branches off" in results.failures["wa"]
    values = results.records["independent"]["sizes"][1]
    assert values["operations"] == 2 * 2 * (64 * 64 + 64 * 10)


def test_members_of_several_recipes_come_in_turn(
    shared_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes = ("quick[epochs=2]", "quick[epochs=3]")
    experiments = [
        Experiment(Plan(architecture=PLAN.architecture, recipe=r, seeds=(0, 1)), shared_store)
        for r in recipes
    ]
    results = EnsembleExperiment(experiments, ["independent"]).run()
    keys = results.records["independent"]["description"]["endpoints"]
    assert keys == [e.endpoint(seed).key for seed in (0, 1) for e in experiments]

    def refuse(*arguments: Any) -> None:
        raise AssertionError("it was measured before")

    monkeypatch.setattr("mcbench.ensembles.evaluate.grow", refuse)
    assert EnsembleExperiment(experiments, ["independent"]).run().records == results.records


def test_recipes_that_see_other_data_are_refused(shared_store: Store) -> None:
    first = Experiment(Plan(recipe="quick"), shared_store)
    second = Experiment(Plan(recipe="quick"), shared_store)
    object.__setattr__(second.problem, "recipe", _scaled(second.problem.recipe))
    with pytest.raises(UsageError, match="normalise the data differently"):
        EnsembleExperiment([first, second], ["independent"])


def _scaled(recipe: Any) -> Any:
    from dataclasses import replace

    return replace(recipe, normalize="imagenet")


def test_the_command_prints_a_table_and_draws(
    shared_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCBENCH_HOME", str(shared_store.root))
    small = ("-a", DEEP, "-r", "quick[epochs=3,lr=0.02]", "--endpoints", "2")
    result = run("ensemble", "-e", "wa[head=1..4]", "-e", "independent", *small,
                 "-o", str(tmp_path / "grown"), "--json")  # fmt: skip
    assert result.exit_code == 1
    assert (
        "wa[head=4] failed: the network has 3 layers: take a head of 1 to 3, not 4"
        in result.stderr
    )
    rows = json.loads(result.stdout)["ensembles"]
    assert [(r["ensemble"], r["networks"]) for r in rows] == [
        (name, n)
        for name in ("wa[head=1]", "wa[head=2]", "wa[head=3]", "independent")
        for n in (1, 2)
    ]
    assert (tmp_path / "grown.png").read_bytes().startswith(b"\x89PNG")
    shown = run("ensemble", *small)
    assert shown.exit_code == 0 and "independent" in shown.stdout and "100.0%" in shown.stdout
    listed = run("store", "list", "--json")
    assert listed.exit_code == 0 and "ensemble wa[head=1] of 1 to 2" in listed.stdout
