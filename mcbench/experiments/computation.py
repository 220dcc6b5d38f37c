"""`Computation`, what makes the record of a run: its curve and its metrics, under a lock."""

from __future__ import annotations

import logging

from mcbench.errors import StructureError, UsageError, reason_of
from mcbench.evaluation.metric import Evaluation
from mcbench.experiments import record as records
from mcbench.experiments.connect import Connector
from mcbench.experiments.curve import compute_curve
from mcbench.experiments.measure import Metrics
from mcbench.experiments.record import Record
from mcbench.experiments.run import Run
from mcbench.plugins.host import host
from mcbench.store.store import Store

log = logging.getLogger("mcbench")


class Computation:
    """Computes runs that the store does not have.

    Arguments:
        connector: Builds their paths.
        metrics: What is measured of them.
        store: Where records are.
    """

    def __init__(self, connector: Connector, metrics: Metrics, store: Store) -> None:
        self.connector, self.metrics, self.store = connector, metrics, store

    def record(self, run: Run) -> tuple[Run, Record | None, str]:
        """A run's record from the store, completed or computed; or ``None`` and why it failed."""
        record = self._known(run)
        if record is not None and not self.metrics.missing(record):
            return run, record, ""
        with self.store.lock(run.key):
            record = self._known(run)
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

    def _known(self, run: Run) -> Record | None:
        """The stored record; a damaged one counts as not there."""
        return self.store.intact(lambda _, key: records.read(self.store, key), "runs", run.key)

    def _completed(self, run: Run, record: Record | None) -> Record:
        """A run's record with all metrics, stored; its path is built once, if at all."""
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
            record = self.metrics.added(run, record, evaluation)
            records.write(self.store, record)
        return record
