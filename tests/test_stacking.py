"""Stacked networks give what each gives alone."""

from __future__ import annotations

import torch

from mcbench import data, stacking
from mcbench.params import equal
from mcbench.plugins import host
from mcbench.problem import Problem
from mcbench.store import Store


def problem_of(store: Store, architecture: str) -> Problem:
    loaded, _ = data.load(host().get("dataset", "digits"), None, store)
    return Problem(loaded, host().get("architecture", architecture), host().get("recipe", "quick"))


def test_outputs_and_gradients_are_those_of_each_alone(shared_store: Store) -> None:
    problem = problem_of(shared_store, "mlp2[width=5]")
    networks = [dict(problem.build(seed).state_dict()) for seed in range(3)]
    stacked = stacking.stack(networks)
    assert all(equal(a, b) for a, b in zip(stacking.unstack(stacked), networks, strict=True))
    inputs, _ = next(problem.batches("train", 32))
    outputs = stacking.outputs(problem, stacked, inputs)
    for network, each in zip(networks, outputs, strict=True):
        assert torch.allclose(each, problem.forward(network, inputs), atol=1e-5)
    batches = torch.stack([inputs, inputs.flip(0), -inputs])
    own = stacking.outputs(problem, stacked, batches, shared=False)
    for network, batch, each in zip(networks, batches, own, strict=True):
        assert torch.allclose(each, problem.forward(network, batch), atol=1e-5)


def test_as_many_go_together_as_fit(shared_store: Store) -> None:
    small, large = (problem_of(shared_store, f"mlp2[width={n}]") for n in (8, 4000))
    assert stacking.together(small, 64) > stacking.together(large, 64) >= 1
    assert stacking.together(small, 64) > stacking.together(small, 64, gradients=True)
    assert stacking.together(small, 64) > stacking.together(small, 4096)
    convolutions = problem_of(shared_store, "conv2fc1[channels=(2,2)]")
    assert (stacking.together(convolutions, 8) == 1) == (convolutions.device.type == "cpu")
