"""`Runner`, which computes the record of a run: its path, its curve and its metrics."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from mcbench.errors import StructureError, UsageError, reason_of
from mcbench.evaluation.evaluate import PathEvaluation
from mcbench.evaluation.losses import Progress
from mcbench.evaluation.metric import Evaluation
from mcbench.evaluation.search import scan_times
from mcbench.experiments import record as records
from mcbench.experiments.connector import Connector
from mcbench.experiments.metrics import Metrics
from mcbench.experiments.record import Record
from mcbench.experiments.run import Run
from mcbench.paths.params import move
from mcbench.paths.path import Path
from mcbench.plugins.host import host
from mcbench.store.checkpoint import Workshop
from mcbench.store.provenance import installed, named, provenance
from mcbench.store.store import Store

log = logging.getLogger("mcbench")


@dataclass(frozen=True)
class RunResult:
    """The end of a run: its record, or why there is none.

    Arguments:
        run: The run.
        record: Its record; ``None`` if the run failed.
        failures: Reasons, by the key of a run that failed and by "metric M on run R".
    """

    run: Run
    record: Record | None
    failures: dict[str, str]


class Runner:
    """Computes the records that the store does not have, each under a lock.

    Arguments:
        connector: Builds the paths.
        metrics: The metrics to measure.
        store: Where records are kept.
    """

    def __init__(self, connector: Connector, metrics: Metrics, store: Store) -> None:
        self.connector, self.metrics, self.store = connector, metrics, store

    def compute(self, run: Run) -> RunResult:
        """A run's record from the store, completed or computed; or why it failed."""
        record = records.intact(self.store, run.key)
        if record is not None and not self.metrics.missing(record):
            return RunResult(run, record, {})
        with self.store.lock(run.key):
            record = records.intact(self.store, run.key)
            try:
                record, failures = self._completed(run, record)
            except UsageError:
                raise
            except Exception as error:
                reason = reason_of(error)
                log.debug("run %s failed", run.key, exc_info=True)
                failure = run.failure(reason, applies=not isinstance(error, StructureError))
                self.store.write_record("failures", run.key, failure)
                host().notify("mcbench_run_failed", run=run, error=error)
                return RunResult(run, None, {run.key: reason})
        self.store.remove("partial", run.key)
        self.store.remove("failures", run.key)
        units = self.metrics.units
        host().notify("mcbench_run_finished", run=run, record=record, units=units)
        return RunResult(run, record, failures)

    def _completed(self, run: Run, record: Record | None) -> tuple[Record, dict[str, str]]:
        """A run's record with all metrics, stored, and the metrics that failed.

        The path is built at most once.
        """
        path, failures = None, dict[str, str]()
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
            record, failures = self.metrics.complete(run, record, evaluation)
            records.write(self.store, record)
        return record, failures


def compute_curve(run: Run, connector: Connector, store: Store) -> tuple[Record, Path]:
    """The record of a run without its metrics, and the path that was evaluated.

    Points that an interrupted run had evaluated are not evaluated again.
    """
    start = time.perf_counter()
    connection, problem = connector.build(run), connector.problem
    title = f"evaluation of {run.title}"
    checkpoint = Workshop(store, run.key, title, kind="partial", problem=run.problem)
    sums, partial = checkpoint.load() or ({}, {"points": [], "scan": []})
    points, scan = ({t: x for t, x in partial[name]} for name in ("points", "scan"))
    progress = Progress(points, move(sums, problem.device), scan, connection.meter.running)
    evaluation = PathEvaluation(connection.path, problem, run.protocol, progress)
    reported = False
    for times in evaluation.points():
        reported = reported or checkpoint.due  # A scan that takes seconds is not worth a line.
        if not times and reported:
            highest = max(values["loss"]["train"] for values in scan.values())
            checkpoint.report(len(scan), len(scan_times(len(connection.path.legs))), highest)
        for t in times:
            host().notify("mcbench_point_evaluated", run=run, t=t, values=points[t])
        lists = {"points": list(points.items()), "scan": list(scan.items())}
        checkpoint.save(progress.sums, lists)
    curve = evaluation.curve()
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
