"""A run builds its path once, for its curve and for its metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conftest import PLAN
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.plugins.host import host
from mcbench.store.store import Store


def test_a_path_is_built_once_and_anew_for_metrics_that_are_added(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear = type(host().get("method", "linear"))
    metric = type(host().get("metric", "length"))
    built: list[Any] = []
    connect, seen = linear.connect, list[Any]()

    def counted(self: Any, *given: Any) -> Any:
        built.append(connect(self, *given))
        return built[-1]

    def measure(self: Any, evaluation: Any, split: Any) -> float:
        seen.append(evaluation.path)
        return 1.0

    monkeypatch.setattr(linear, "connect", counted)
    monkeypatch.setattr(metric, "measure", measure)
    plan = replace(PLAN, recipe="quick[epochs=1]", seeds=(0, 1), methods=("linear",),
                   protocol=Protocol(3, 0), metrics=("length",))  # fmt: skip
    assert not Experiment(plan, store).run().failures
    assert len(built) == 1 and all(path is built[0] for path in seen)
    (entry,) = store.entries("runs")
    record = store.read_record("runs", entry.key)
    assert record is not None
    store.write_record("runs", entry.key, record | {"metrics": {}})
    assert not Experiment(plan, store).run().failures
    assert len(built) == 2 and seen[-1] is built[1]
