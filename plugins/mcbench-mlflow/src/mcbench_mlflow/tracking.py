"""`Tracker`, which logs events of mcbench to MLflow through its client."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcbench import Endpoint, Record, Run

KEY = "mcbench.key"
"""Tag of the content key: an MLflow run belongs to one training or run of mcbench."""

STEPS = 10_000
"""MLflow's steps are whole numbers: the step of a point of a path is t in ten-thousandths."""

EXPERIMENT = "mcbench"
"""The MLflow experiment, unless ``MLFLOW_EXPERIMENT_NAME`` names another."""

AT_ONCE = 1000
"""Most values that MLflow takes in one call."""

LONGEST = 500
"""Tags and parameters are cut to so many characters, which every store of MLflow takes."""


@dataclass
class Open:
    """An open MLflow run: its id, and the steps of the points that were logged."""

    id: str
    steps: set[int] = field(default_factory=set)


class Tracker:
    """Logs to one tracking server or store.

    Failures raise; mcbench reports them and goes on. A run that was not opened is not logged.

    Arguments:
        uri: MLflow's tracking URI; empty for MLflow's own settings.

    Attributes:
        lost: Whether it failed and is not to be used any more.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.lost = False
        self._open: dict[str, Open] = {}

    # Events of mcbench ---------------------------------------------------------------------

    def training_started(
        self, problem: dict[str, Any], seeds: tuple[int, ...], keys: tuple[str, ...]
    ) -> None:
        """Open an MLflow run for each endpoint."""
        for seed, key in zip(seeds, keys, strict=True):
            self._begin(
                key,
                f"endpoint {seed}",
                params=_flat(problem) | {"seed": seed},
                tags={"mcbench.kind": "endpoint"} | _sources(problem),
            )

    def epoch_finished(self, keys: tuple[str, ...], epoch: int, loss: float) -> None:
        """Log the loss, the mean over the endpoints that train together."""
        for key in keys:
            if key in self._open:
                self._log(key, [("training-loss", loss, epoch)])

    def endpoint_trained(self, endpoint: Endpoint) -> None:
        """Close the endpoint's MLflow run."""
        if endpoint.key in self._open:
            record = endpoint.record
            self._log(endpoint.key, [("cost/seconds", record["cost"]["seconds"], 0)])
            self._end(endpoint.key, "FINISHED", _provenance(record["provenance"]))

    def run_started(self, run: Run) -> None:
        """Open the run's MLflow run."""
        a, b = run.pair
        described = {
            "method": run.identity,
            "pair": f"{a}-{b}",
            "protocol": run.description["protocol"],
        }
        if run.to_recipe:
            described["to_recipe"] = run.to_recipe
        ends = dict(zip(("mcbench.endpoint.a", "mcbench.endpoint.b"), run.ends, strict=True))
        self._begin(
            run.key,
            f"{run.method} {a}-{b}",
            params=_flat(run.problem) | _flat(described),
            tags={"mcbench.kind": "run", "mcbench.method": run.method}
            | ends
            | _sources(run.problem | {"method": run.identity}),
        )

    def point_evaluated(self, run: Run, t: float, values: dict[str, Any]) -> None:
        """Log loss and accuracy at t."""
        if run.key not in self._open:
            return
        step = round(t * STEPS)
        points = [
            (f"path/{quantity}/{split}", values[quantity][split], step)
            for quantity in ("loss", "accuracy")
            for split in values[quantity]
        ]
        self._log(run.key, points)
        self._open[run.key].steps.add(step)

    def run_finished(self, run: Run, record: Record, units: dict[str, str]) -> None:
        """Log metrics and the points not logged so far, and close the MLflow run."""
        if run.key not in self._open:
            # Nothing was evaluated: the run was done before, and lacked a metric.
            self.run_started(run)
        logged = self._open[run.key].steps
        self._log(run.key, [*_points(record, logged), *_results(record)])
        tags = {f"mcbench.unit.{_plain(metric)}": unit for metric, unit in units.items() if unit}
        self._end(run.key, "FINISHED", _provenance(record.provenance.to_json()) | tags)

    def run_failed(self, run: Run, error: Exception) -> None:
        """Close the MLflow run as failed; one that failed before its start is opened for it."""
        if run.key not in self._open:
            self.run_started(run)
        self.failed(run.key, error)

    def failed(self, key: str, error: Exception) -> None:
        """Close an MLflow run with the reason."""
        if key in self._open:
            reason = " ".join(str(error).split()) or type(error).__name__
            self._end(key, "FAILED", {"mcbench.error": f"{type(error).__name__}: {reason}"})

    # Calls of MLflow -----------------------------------------------------------------------

    @cached_property
    def _client(self) -> Any:  # MLflow is imported when it is first needed.
        # MLflow sends usage statistics to its makers unless this is set: that is not for a
        # benchmark to decide.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient

        # The creation of a database is logged line by line to mcbench's own standard error.
        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
        return MlflowClient(tracking_uri=self.uri or None)

    @cached_property
    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            return str(self._client.create_experiment(name))
        return str(experiment.experiment_id)

    def _begin(self, key: str, name: str, params: dict[str, Any], tags: dict[str, str]) -> None:
        """Open the MLflow run of a key: the last one unless it failed, else a new one."""
        from mlflow.entities import Param

        query = f"tags.`{KEY}` = '{key}' and attributes.status != 'FAILED'"
        runs = self._client.search_runs([self._experiment], query, max_results=1)
        if runs:
            run_id = runs[0].info.run_id
            self._client.update_run(run_id, status="RUNNING")
        else:
            short = {k: str(v)[:LONGEST] for k, v in ({KEY: key} | tags).items()}
            run_id = self._client.create_run(
                self._experiment, run_name=name, tags=short
            ).info.run_id
            shown = [Param(k, str(v)[:LONGEST]) for k, v in params.items()]
            self._client.log_batch(run_id, params=shown)
        self._open[key] = Open(run_id)

    def _log(self, key: str, values: list[tuple[str, float, int]]) -> None:
        """Add values, each a name, a number and a step."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        for start in range(0, len(values), AT_ONCE):
            part = [Metric(n, float(v), now, s) for n, v, s in values[start : start + AT_ONCE]]
            self._client.log_batch(self._open[key].id, metrics=part)

    def _end(self, key: str, status: str, tags: dict[str, str]) -> None:
        """Close the MLflow run of a key."""
        from mlflow.entities import RunTag

        run_id = self._open.pop(key).id
        shown = [RunTag(k, str(v)[:LONGEST]) for k, v in tags.items()]
        self._client.log_batch(run_id, tags=shown)
        self._client.set_terminated(run_id, status)


def _flat(described: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Parameters by dotted names: ``method`` is ``ot``, ``method.matching.cost`` its detail."""
    flat: dict[str, Any] = {}
    for name, value in described.items():
        if isinstance(value, dict) and "parameters" in value:
            flat[prefix + name] = value["name"]
            flat |= _flat(value["parameters"], f"{prefix}{name}.")
        elif isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _sources(described: dict[str, Any]) -> dict[str, str]:
    """Tags of each component's distribution and version, and of the data's fingerprint."""
    tags = {}
    for name, value in described.items():
        tags[f"mcbench.version.{name}"] = f"{value['distribution']} {value['version']}"
        if "fingerprint" in value:
            tags[f"mcbench.fingerprint.{name}"] = value["fingerprint"]
    return tags


def _provenance(provenance: dict[str, Any]) -> dict[str, str]:
    """Tags of versions and hardware."""
    tags = {f"mcbench.package.{name}": v for name, v in provenance["packages"].items()}
    for name in ("python", "system", "device"):
        tags[f"mcbench.{name}"] = provenance[name]
    return tags


def _points(record: Record, logged: set[int]) -> Iterator[tuple[str, float, int]]:
    """Points of the curve that were not logged while they were evaluated."""
    curve = record.curve
    for quantity, by_split in (("loss", curve.loss), ("accuracy", curve.accuracy)):
        for split, values in by_split.items():
            for t, value in zip(curve.t, values, strict=True):
                if round(t * STEPS) not in logged:
                    yield f"path/{quantity}/{split}", value, round(t * STEPS)


def _results(record: Record) -> Iterator[tuple[str, float, int]]:
    """Metrics as ``worst-accuracy/test``, and costs as ``cost/path/passes``."""
    for metric, measured in record.metrics.items():
        for name, value in measured.values.items():
            yield _plain(f"{metric}/{name}" if name else metric), value, 0
    for name, value in _flat(record.cost.to_json()).items():
        if value is not None:
            yield f"cost/{name.replace('.', '/')}", value, 0


def _plain(name: str) -> str:
    """Name in characters that MLflow takes: a metric may have parameters in brackets."""
    return re.sub(r"[^\w\-. /]", "_", name.replace(":", "/"))
