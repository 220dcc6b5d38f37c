"""Cost: passes over the data, memory and seconds of a method, also of one that was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from conftest import PLAN
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.record import Record
from mcbench.problem.problem import Problem
from mcbench.store.cost import Cost, Meter
from mcbench.store.store import Store

PAIR = replace(PLAN, seeds=(0, 1), protocol=Protocol(points=5, refine=0))


def record_of(method: str, store: Store) -> Record:
    results = Experiment(replace(PAIR, methods=(method,)), store).run()
    assert not results.failures
    return next(iter(results.records.values()))


def test_costs_add_up() -> None:
    assert Cost(1, 2, 3) + Cost(10, 20, 1) == Cost(11, 22, 3)
    assert Cost(1, 2, None) + Cost(0, 0, 5) == Cost(1, 2, 5)
    assert (Cost() + Cost()).memory is None


@pytest.mark.parametrize(
    ("method", "passes"),
    [
        ("linear", 0),
        ("ot[end=permuted]", 0),
        ("ot", 1),  # The way back looks at the neurons' activations once.
        ("polychain[epochs=2]", 2),
        ("bezier[epochs=3,bends=2]", 3),
    ],
)
def test_passes_over_the_data(method: str, passes: float, shared_store: Store) -> None:
    spent = record_of(method, shared_store).cost.path
    assert spent is not None
    assert spent.passes == pytest.approx(passes, abs=1e-9)
    assert spent.seconds >= 0


def test_adjustment_passes_at_every_adjusted_point(shared_store: Store) -> None:
    few = record_of("linear-wa", shared_store).cost.path
    plan = replace(PAIR, methods=("linear-wa",), protocol=Protocol(points=9, refine=0))
    many = next(iter(Experiment(plan, shared_store).run().records.values())).cost.path
    # Of 5 and of 9 points, 1 and 3 lie inside the adjusted leg, which is the first of two; the
    # rest is the same.
    assert many and few and many.passes - few.passes == pytest.approx(2)


def test_memory_is_the_peak_above_what_was_in_use(problem: Problem) -> None:
    meter = Meter(problem.device, len(problem.data.train))
    with meter.running():
        torch.ones(2**25).sum()  # 128 MiB, freed at once.
    if meter.total.memory is None:
        pytest.skip("this system does not tell the peak of a process anew")
    assert 100 < meter.total.memory < 200
    with meter.running():
        pass
    assert meter.total.memory > 100


def test_what_an_interrupted_training_spent_is_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCBENCH_SAVE_SECONDS", "0")
    from mcbench_curves.training import Training

    work: Callable[[Training, int], float] = Training.epoch

    def interrupted(training: Training, epoch: int) -> float:
        if epoch == 3:
            raise KeyboardInterrupt
        return work(training, epoch)

    experiment = Experiment(replace(PAIR, methods=("polychain[epochs=5]",)), store)
    with monkeypatch.context() as patch:
        patch.setattr(Training, "epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            experiment.run()
    spent = record_of("polychain[epochs=5]", store).cost.path
    assert spent is not None and spent.passes == pytest.approx(5)
