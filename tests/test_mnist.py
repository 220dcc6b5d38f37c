"""Real MNIST, where ``MCBENCH_DATA`` names a directory that has it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.plugins.host import host
from mcbench.problem import loading
from mcbench.store.store import Store

pytestmark = pytest.mark.mnist


def test_mnist_is_what_torchvision_reads(store: Store, mnist_dir: str) -> None:
    from torchvision.datasets import MNIST

    loaded, _ = loading.load(host().get("dataset", "mnist"), Path(mnist_dir), store)
    theirs = MNIST(mnist_dir, train=False)
    assert loaded.train.inputs.shape == (60000, 1, 28, 28)
    assert torch.equal(loaded.test.inputs[:, 0], theirs.data)
    assert torch.equal(loaded.test.targets, theirs.targets)


def test_the_methods_order_on_mnist(store: Store, mnist_dir: str) -> None:
    plan = Plan(
        dataset="mnist",
        architecture="mlp2[width=64]",
        recipe="anokhin2020-mnist[epochs=2]",
        methods=("linear", "ot", "ot-wa"),
        seeds=(0, 1),
        protocol=Protocol(11, 0),
        metrics=("worst-accuracy",),
    )
    results = Experiment(plan, store, Path(mnist_dir)).run()
    assert not results.failures
    worst = {
        record.method: record.metrics["worst-accuracy"].values["test"]
        for record in results.records.values()
    }
    assert worst["ot-wa"] >= worst["ot"] - 0.2 > worst["linear"]
