"""`Metrics`, which measures the metrics that a run's record lacks."""

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
        components: The metrics by their text, ``name[p=v]``.
        store: Keeps the state of metrics that compute for long.
    """

    # Metrics are Any: the host gives them the optional attributes that their protocol lacks.
    def __init__(self, components: dict[str, Any], store: Store) -> None:
        self.components, self.store = components, store
        self._by_pair: dict[tuple[str, tuple[str, str]], dict[str, float]] = {}

    @property
    def units(self) -> dict[str, str]:
        """The unit of each metric."""
        return {text: metric.unit for text, metric in self.components.items()}

    def missing(self, record: Record) -> list[str]:
        """The metrics that the record lacks, or has from another version of their plugin."""
        versions = {text: measured.version for text, measured in record.metrics.items()}
        return [
            text
            for text, metric in self.components.items()
            if versions.get(text) != _version(metric)
        ]

    def complete(
        self, run: Run, record: Record, evaluation: Evaluation
    ) -> tuple[Record, dict[str, str]]:
        """The record with the metrics that it lacked, and reasons by "metric M on run R".

        A metric that fails is tried again next time.
        """
        added, failures = dict[str, Measured](), dict[str, str]()
        for text in self.missing(record):
            metric, workshop = self.components[text], self._workshop(run, text)
            entry: dict[str, Any] = {"version": _version(metric), "values": {}}
            key = text, run.ends
            try:
                if metric.ends_only and key in self._by_pair:
                    entry["values"] = self._by_pair[key]
                else:
                    entry["values"] = values_of(metric, evaluation.bind(workshop))
                if metric.ends_only:
                    self._by_pair[key] = entry["values"]
            except StructureError as error:
                entry["inapplicable"] = str(error)
            except Exception as error:  # The run stands.
                host().find("metric", metric.name).plugin.blame(f"metric '{text}' failed", error)
                failures[f"metric '{text}' on {run.title}"] = reason_of(error)
                continue
            added[text] = Measured.of(entry)
            self.store.remove("partial", workshop.key)
        return record.with_metrics(added), failures

    def _workshop(self, run: Run, text: str) -> Workshop:
        """The checkpoint of a metric, kept until the run's record has its values."""
        metric = host().identity("metric", self.components[text])
        key = key_of({"run": run.description, "metric": metric})
        title = f"{text} of {run.title}"
        return Workshop(self.store, key, title, kind="partial", problem=run.problem)


def values_of(metric: Any, evaluation: Evaluation) -> dict[str, float]:
    """The values of a metric under names such as ``test`` or ``bytes``."""
    values = {}
    for split in SPLITS if metric.splits else (None,):
        measured = metric.measure(evaluation, split)
        by_name = measured if isinstance(measured, dict) else {"": measured}
        for name, value in by_name.items():
            values[":".join(filter(None, (name, split)))] = float(value)
    return values


def _version(metric: Any) -> str:
    """The distribution that a metric is of, and its version."""
    source = host().find("metric", metric.name).plugin
    return f"{source.distribution} {source.version}"
