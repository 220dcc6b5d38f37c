"""Trainings and runs in MLflow, read back with its own client from a store of its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mcbench_mlflow
import pytest

from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.plugins.host import Host, Plugin
from mcbench.store.store import Store
from programs import environment

if importlib.util.find_spec("mlflow") is None:
    pytest.skip("MLflow is not installed: pip install mlflow-skinny", allow_module_level=True)

PLAN = Plan(
    dataset="digits",
    architecture="mlp2[width=4]",
    recipe="quick[epochs=2]",
    methods=("linear", "ot[cost=incoming]"),
    seeds=(0, 1),
    protocol=Protocol(3, 1),
    metrics=("worst-accuracy", "barrier", "length"),
)

Rows = dict[str, Any]


@pytest.fixture
def listening(fresh_host: Host) -> Iterator[Host]:
    """The host with the plugin, whether it is installed here or not."""
    if "mlflow" not in fresh_host.plugins:
        fresh_host.register(Plugin("mlflow", "mcbench-mlflow", "0.1.0"), lambda: mcbench_mlflow)
    yield fresh_host
    mcbench_mlflow.tracker.cache_clear()


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty database of MLflow: to make one takes seconds."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path.read_bytes()


@pytest.fixture
def uri(tmp_path: Path, database: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """Tracking URI of the database that the plugin logs to."""
    (tmp_path / "mlflow.db").write_bytes(database)
    where = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MCBENCH_MLFLOW", where)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    return where


def logged(uri: str) -> Rows:
    """The MLflow runs by name, the latest of each."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("mcbench")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"])
    return {run.info.run_name: run for run in runs}


def test_a_run_is_logged_whole(listening: Host, uri: str, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    experiment = Experiment(PLAN, Store(tmp_path))
    results = experiment.run()
    assert results.failures == {}
    assert listening.plugins["mlflow"].errors == []
    rows = logged(uri)
    assert set(rows) == {"endpoint 0", "endpoint 1", "linear 0-1", "ot[cost=incoming] 0-1"}
    assert {row.info.status for row in rows.values()} == {"FINISHED"}

    run = next(r for r in results.runs if r.method.startswith("ot"))
    record, row = results.records[run.key], rows["ot[cost=incoming] 0-1"]
    params = row.data.params
    assert params["dataset"] == "digits" and params["architecture.width"] == "4"
    assert params["method"] == "ot" and params["method.matching.cost"] == "incoming"
    assert params["protocol.points"] == "3" and params["pair"] == "0-1"
    tags = row.data.tags
    assert tags["mcbench.key"] == run.key and tags["mcbench.endpoint.b"] == run.ends[1]
    assert tags["mcbench.version.method"].startswith("mcbench-ot ")
    assert tags["mcbench.package.torch"] == record.provenance.packages["torch"]
    assert tags["mcbench.unit.worst-accuracy"] == "%" and tags["mcbench.unit.barrier"] == "nats"
    metrics = row.data.metrics
    assert metrics["worst-accuracy/test"] == record.metrics["worst-accuracy"].values["test"]
    assert metrics["length"] == record.metrics["length"].values[""]
    assert metrics["cost/path/seconds"] == record.cost.path.seconds

    history = MlflowClient(uri).get_metric_history(row.info.run_id, "path/loss/train")
    curve = record.curve
    expected = {(round(t * 10_000), x) for t, x in zip(curve.t, curve.loss["train"], strict=True)}
    assert {(point.step, point.value) for point in history} == expected
    assert len(history) == len(curve.t)

    endpoint = rows["endpoint 1"]
    assert endpoint.data.tags["mcbench.key"] == run.ends[1] and endpoint.data.params["seed"] == "1"
    losses = MlflowClient(uri).get_metric_history(endpoint.info.run_id, "training-loss")
    assert [point.step for point in losses] == [1, 2]


def test_what_is_found_is_not_logged_and_a_later_metric_is_added(
    listening: Host, uri: str, tmp_path: Path
) -> None:
    from dataclasses import replace

    plan = replace(PLAN, methods=("linear",), metrics=("barrier",))
    Experiment(plan, Store(tmp_path)).run()
    first = logged(uri)["linear 0-1"]
    Experiment(plan, Store(tmp_path)).run()
    assert logged(uri)["linear 0-1"].info.end_time == first.info.end_time
    Experiment(replace(plan, metrics=("length",)), Store(tmp_path)).run()
    second = logged(uri)["linear 0-1"]
    assert second.info.run_id == first.info.run_id and second.info.status == "FINISHED"
    assert {"barrier/test", "length"} <= set(second.data.metrics)


def test_failures_have_the_status_and_the_reason(
    listening: Host, uri: str, tmp_path: Path, residual_network: None
) -> None:
    plan = Plan(
        dataset="digits",
        architecture="residual",
        recipe="quick[epochs=1]",
        methods=("arc",),
        seeds=(0, 1),
        protocol=Protocol(3, 0),
    )
    results = Experiment(plan, Store(tmp_path)).run()
    (reason,) = results.failures.values()
    row = logged(uri)["arc 0-1"]
    assert row.info.status == "FAILED"
    assert row.data.tags["mcbench.error"] == f"StructureError: {reason}"
    diverging = Plan(
        dataset="digits",
        architecture="mlp2[width=4]",
        recipe="quick[epochs=2,lr=1e9]",
        methods=(),
        seeds=(5,),
    )
    Experiment(diverging, Store(tmp_path)).train()
    row = logged(uri)["endpoint 5"]
    assert row.info.status == "FAILED" and "diverged" in row.data.tags["mcbench.error"]


@pytest.fixture
def residual_network(listening: Host) -> None:
    """A network that `arc` does not take."""
    import mcbench
    from conftest import Residual

    class Theirs:
        @mcbench.hookimpl
        def mcbench_architectures(self) -> list[Any]:
            return [Residual()]

    listening.register(Plugin("residual", "third", "1.0"), Theirs)


def test_points_from_before_an_interruption_are_logged_too(uri: str) -> None:
    """A tracker that was told of no point logs the whole curve from the record, once."""
    from mcbench_mlflow.tracking import Tracker
    from mlflow import MlflowClient

    from mcbench.evaluation.curve import Curve
    from mcbench.experiments.record import Provenance, RunCost
    from mcbench.experiments.run import Run

    part = {"name": "x", "parameters": {}, "distribution": "d", "version": "1"}
    problem = {"dataset": part, "architecture": part, "recipe": part}
    run = Run(problem, (0, 1), "linear", part, Protocol(3, 0))
    values = {"loss": {"test": 0.5}, "accuracy": {"test": 90.0}}
    Tracker(uri).run_started(run)  # That process was killed.
    tracker = Tracker(uri)
    tracker.run_started(run)
    tracker.point_evaluated(run, 1.0, values)
    curve = Curve(
        [0.0, 0.5, 1.0],
        loss={"test": [0.1, 0.7, 0.5]},
        accuracy={"test": [95.0, 80.0, 90.0]},
    )
    provenance = Provenance.model_construct(packages={}, python="3", system="s", device="cpu")
    record = SimpleNamespace(
        curve=curve, metrics={}, cost=RunCost.model_construct(), provenance=provenance
    )
    tracker.run_finished(run, record, {})
    (row,) = logged(uri).values()
    history = MlflowClient(uri).get_metric_history(row.info.run_id, "path/accuracy/test")
    assert sorted((p.step, p.value) for p in history) == [(0, 95.0), (5000, 80.0), (10_000, 90.0)]


def test_a_store_that_cannot_be_used_fails_no_run(
    listening: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("MCBENCH_MLFLOW", "nonsense://nowhere")
    results = Experiment(PLAN, Store(tmp_path)).run()
    assert results.failures == {} and len(results.records) == 2
    messages = [r.getMessage() for r in caplog.records if "mlflow" in r.getMessage()]
    assert len(messages) == 1 and "mcbench_training_started failed" in messages[0]


@pytest.mark.parametrize("where", ["", "off"])
def test_it_does_nothing_unless_it_is_switched_on(where: str, tmp_path: Path) -> None:
    """Nothing is imported and nothing written, also where MLflow's own variables are set."""
    code = (
        "import sys, mcbench_mlflow as m\n"
        "m.mcbench_training_started({}, (0,), ('k',))\n"
        "m.mcbench_run_failed(None, ValueError('x'))\n"
        "heavy = {'mlflow', 'torch', 'sqlalchemy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    variables = environment(
        MCBENCH_MLFLOW=where, MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path / 'other.db'}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
