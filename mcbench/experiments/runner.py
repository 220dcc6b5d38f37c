"""`Runner`, which computes the record of a run: its path, its curve and its metrics."""

from __future__ import annotations

import logging
import time
from typing import Any

from mcbench.errors import StructureError, UsageError, reason_of
from mcbench.evaluation.evaluate import evaluate
from mcbench.evaluation.losses import Progress
from mcbench.evaluation.metric import Evaluation
from mcbench.experiments import record as records
from mcbench.experiments.connector import Connector
from mcbench.experiments.metrics import Metrics
from mcbench.experiments.record import Record
from mcbench.experiments.run import Run
from mcbench.paths.params import move
from mcbench.paths.path import Path
from mcbench.plugins.host import host
from mcbench.problem.problem import Problem
from mcbench.store.provenance import installed, named, provenance
from mcbench.store.store import Store, save_seconds

log = logging.getLogger("mcbench")


class Runner:
    """Computes the records that the store does not have, each under a lock.

    Arguments:
        connector: Builds the paths.
        metrics: The metrics to measure.
        store: Where records are kept.
    """

    def __init__(self, connector: Connector, metrics: Metrics, store: Store) -> None:
        self.connector, self.metrics, self.store = connector, metrics, store

    def compute(self, run: Run) -> tuple[Run, Record | None, str]:
        """A run's record from the store, completed or computed; or ``None`` and why it failed."""
        record = self._stored(run)
        if record is not None and not self.metrics.missing(record):
            return run, record, ""
        with self.store.lock(run.key):
            record = self._stored(run)
            try:
                record = self._completed(run, record)
            except UsageError:
                raise
            except Exception as error:
                reason = reason_of(error)
                log.debug("run %s failed", run.key, exc_info=True)
                failure = run.failure(reason, applies=not isinstance(error, StructureError))
                self.store.write_record("failures", run.key, failure)
                host().notify("mcbench_run_failed", run=run, error=error)
                return run, None, reason
        self.store.remove("partial", run.key)
        self.store.remove("failures", run.key)
        units = self.metrics.units
        host().notify("mcbench_run_finished", run=run, record=record, units=units)
        return run, record, ""

    def _stored(self, run: Run) -> Record | None:
        """The stored record; a damaged one is treated as missing."""
        return self.store.intact(lambda _, key: records.read(self.store, key), "runs", run.key)

    def _completed(self, run: Run, record: Record | None) -> Record:
        """A run's record with all metrics, stored; its path is built at most once."""
        path = None
        if record is None:
            host().notify("mcbench_run_started", run=run)
            record, path = compute_curve(run, self.connector, self.store)
        if self.metrics.missing(record):
            evaluation = Evaluation(
                self.connector.problem,
                record.curve,
                lambda: self.connector.ends(run),
                lambda: path or self.connector.connect(run),
            )
            record = self.metrics.complete(run, record, evaluation)
            records.write(self.store, record)
        return record


def compute_curve(run: Run, connector: Connector, store: Store) -> tuple[Record, Path]:
    """The record of a run without its metrics, and the path that was evaluated.

    Points that an interrupted run had evaluated are not evaluated again.
    """
    problem = connector.problem
    progress = _restored(run, problem, store)
    start = saved = time.perf_counter()
    connection = connector.build(run)

    def observe(t: float, values: dict[str, Any], progress: Progress) -> None:
        nonlocal saved
        host().notify("mcbench_point_evaluated", run=run, t=t, values=values)
        if time.perf_counter() - saved > save_seconds():
            points = {"points": list(progress.points.items())}
            store.write_tensors("partial", run.key, progress.sums, points)
            saved = time.perf_counter()

    curve = evaluate(connection.metered, problem, run.protocol, observe, progress)
    result = {
        "curve": curve.to_dict(),
        "metrics": {},
        **({"notes": connection.notes} if connection.notes else {}),
        "provenance": {
            **provenance(problem.device),
            "distributions": installed(named(*run.problems, run.identity)),
        },
        "cost": {
            "seconds": time.perf_counter() - start,
            "evaluations": len(curve.t),
            **connection.cost,
        },
    }
    return Record.of(run.fields | result), connection.path


def _restored(run: Run, problem: Problem, store: Store) -> Progress:
    """The points that an interrupted evaluation of the run had measured."""
    partial = store.intact(store.read_tensors, "partial", run.key)
    if partial is None:
        return Progress()
    sums, record = partial
    return Progress({t: values for t, values in record["points"]}, move(sums, problem.device))
