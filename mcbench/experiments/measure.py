"""`Metrics`, what is measured of runs and how: those that a record has not are added to it."""

from __future__ import annotations

from typing import Any

from mcbench.errors import StructureError, reason_of
from mcbench.evaluation.metric import Evaluation
from mcbench.experiments.record import Measured, Record
from mcbench.experiments.run import Run
from mcbench.plugins.host import host
from mcbench.problem.problem import SPLITS
from mcbench.store.checkpoint import Workshop
from mcbench.store.key import key_of
from mcbench.store.store import Store


class Metrics:
    """The metrics of an experiment.

    Arguments:
        chosen: By their text.
        store: Where those that compute for long keep their state.

    Attributes:
        failures: Reasons by what failed: a metric on a run.
    """

    def __init__(self, chosen: dict[str, Any], store: Store) -> None:
        self.chosen, self.store = chosen, store
        self.failures: dict[str, str] = {}
        self._of_pairs: dict[tuple[str, tuple[str, str]], dict[str, float]] = {}

    @property
    def units(self) -> dict[str, str]:
        """The metrics' units."""
        return {text: metric.unit for text, metric in self.chosen.items()}

    def missing(self, record: Record) -> list[str]:
        """The metrics that were asked for and that the record has not, in this version."""
        versions = {text: measured.version for text, measured in record.metrics.items()}
        return [
            text for text, metric in self.chosen.items() if versions.get(text) != _version(metric)
        ]

    def added(self, run: Run, record: Record, evaluation: Evaluation) -> Record:
        """A run's record with the metrics that it lacked; what fails is tried again next time."""
        added: dict[str, Measured] = {}
        for text in self.missing(record):
            metric, workshop = self.chosen[text], self._workshop(run, text)
            entry: dict[str, Any] = {"version": _version(metric), "values": {}}
            shared = metric.ends_only
            known = self._of_pairs.get((text, run.ends)) if shared else None
            try:
                entry["values"] = known or values_of(metric, evaluation.bind(workshop))
                if shared:
                    self._of_pairs[text, run.ends] = entry["values"]
            except StructureError as error:
                entry["inapplicable"] = str(error)
            except Exception as error:  # The run stands.
                host().find("metric", metric.name).plugin.blame(f"metric '{text}' failed", error)
                what = f"metric '{text}' on {run.method} {run.pair[0]}-{run.pair[1]}"
                self.failures[what] = reason_of(error)
                continue
            added[text] = Measured.of(entry)
            self.store.remove("partial", workshop.key)
        return record.with_metrics(added)

    def _workshop(self, run: Run, text: str) -> Workshop:
        """Where a metric keeps its state until the run's record has its values."""
        metric = host().identity("metric", self.chosen[text])
        key = key_of({"run": run.description, "metric": metric})
        title = f"{text} of {run.method} {run.pair[0]}-{run.pair[1]}"
        return Workshop(self.store, key, title, kind="partial")


def values_of(metric: Any, evaluation: Evaluation) -> dict[str, float]:
    """What a metric measures, under names such as ``test`` or ``bytes``."""
    values = {}
    for split in SPLITS if metric.splits else (None,):
        measured = metric.measure(evaluation, split)
        named = measured if isinstance(measured, dict) else {"": measured}
        for name, value in named.items():
            values[":".join(filter(None, (name, split)))] = float(value)
    return values


def _version(metric: Any) -> str:
    source = host().find("metric", metric.name).plugin
    return f"{source.distribution} {source.version}"
