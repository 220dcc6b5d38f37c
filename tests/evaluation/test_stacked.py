"""Stacked networks give what each gives alone."""

from __future__ import annotations

import torch
from networks import problem_of

from mcbench.evaluation.stacked import outputs as outputs_of
from mcbench.evaluation.stacked import stack, together, unstack
from mcbench.paths.params import equal
from mcbench.store.store import Store


def test_outputs_and_gradients_are_those_of_each_alone(shared_store: Store) -> None:
    problem = problem_of(shared_store, "mlp2[width=5]")
    networks = [dict(problem.build(seed).state_dict()) for seed in range(3)]
    stacked = stack(networks)
    assert all(equal(a, b) for a, b in zip(unstack(stacked), networks, strict=True))
    inputs, _ = next(problem.batches("train", 32))
    outputs = outputs_of(problem, stacked, inputs)
    for network, each in zip(networks, outputs, strict=True):
        assert torch.allclose(each, problem.forward(network, inputs), atol=1e-5)
    batches = torch.stack([inputs, inputs.flip(0), -inputs])
    own = outputs_of(problem, stacked, batches, shared=False)
    for network, batch, each in zip(networks, batches, own, strict=True):
        assert torch.allclose(each, problem.forward(network, batch), atol=1e-5)


def test_as_many_go_together_as_fit(shared_store: Store) -> None:
    small, large = (problem_of(shared_store, f"mlp2[width={n}]") for n in (8, 4000))
    assert together(small, 64) > together(large, 64) >= 1
    assert together(small, 64) > together(small, 64, gradients=True)
    assert together(small, 64) > together(small, 4096)
    convolutions = problem_of(shared_store, "conv2fc1[channels=(2,2)]")
    assert (together(convolutions, 8) == 1) == (convolutions.device.type == "cpu")
