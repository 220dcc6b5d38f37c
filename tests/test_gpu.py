"""On a CUDA device: the same results as on the CPU, up to rounding."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.paths.params import distance
from mcbench.store.store import Store

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


@pytest.mark.parametrize("architecture", ["mlp2[width=16]", "conv2fc1[channels=(4,5)]"])
def test_a_run_on_the_gpu_agrees_with_one_on_the_cpu(architecture: str, tmp_path: Path) -> None:
    plan = Plan(
        architecture=architecture,
        recipe="quick[epochs=3]",
        methods=("linear", "arc", "ot-wa"),
        seeds=(0, 1),
        protocol=Protocol(11, 0),
    )
    accuracy, ends = {}, {}
    for device in ("cpu", "cuda"):
        experiment = Experiment(plan, Store(tmp_path / device), device=device)
        results = experiment.run()
        assert not results.failures
        ends[device] = {n: x.cpu() for n, x in experiment.endpoint(0).params.items()}
        accuracy[device] = {r.method: r.curve.accuracy["test"] for r in results.records.values()}
    assert distance(ends["cpu"], ends["cuda"]) < 0.05
    for method, values in accuracy["cpu"].items():
        for one, two in zip(values, accuracy["cuda"][method], strict=True):
            assert abs(one - two) < 3
