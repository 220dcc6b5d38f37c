"""Networks as rows: gradients on minibatches and means over the whole data, in any grouping."""

from __future__ import annotations

import pytest
import torch
from networks import Net, linear, problem_of, untrained
from torch import nn

from mcbench import Networks
from mcbench.store.store import Store


def test_dropout_is_active_on_minibatches_and_off_on_the_whole_data(shared_store: Store) -> None:
    layers = (linear(64, 8), nn.ReLU, lambda: nn.Dropout(1.0), linear(8, 10))
    problem = problem_of(shared_store, Net(*layers), "quick[weight_decay=0]")
    a = untrained(problem, 0).params
    networks = Networks(problem, problem.recipe, a, "neb")
    rows = networks.flatten(a)[None]
    batch = problem.splits["train"]
    _, gradients = networks.gradients(rows, [(batch.inputs, batch.targets)], torch.Generator())
    assert not gradients[0, : 64 * 8].any() and gradients[0].any()
    assert networks.mean_gradients(rows)[0, : 64 * 8].any()
    expected = float(problem.loss(a, batch.inputs, batch.targets))
    assert float(networks.mean_losses(rows)) == pytest.approx(expected, rel=1e-5)


def test_resumed_minibatches_are_those_that_would_have_come(shared_store: Store) -> None:
    problem = problem_of(shared_store, Net(linear(64, 10)), "quick[batch_size=449,augment=(flip)]")
    networks = Networks(problem, problem.recipe, untrained(problem, 0).params, "test")
    steps = networks.minibatches(2, 0, "purpose")
    whole = [next(steps) for _ in range(5)]  # Three in a pass.
    counted = problem.samples_seen
    resumed = networks.minibatches(2, 4, "purpose")
    for (x, y), (u, v) in zip(whole[4], next(resumed), strict=True):
        assert torch.equal(x, u) and torch.equal(y, v)
    assert problem.samples_seen == counted + 2 * 449
