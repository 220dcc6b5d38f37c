"""The measured values of every run: a tidy table, and the JSON document of all results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Results
from mcbench.experiments.record import Record
from mcbench.plugins.host import host
from mcbench.plugins.identity import identity_text, subject
from mcbench.problem.problem import SPLITS
from mcbench.report.headline import headline
from mcbench.report.reading import by_method, metric_unit
from mcbench.report.tables import Table
from mcbench.report.untrained import untrained
from mcbench.version import VERSION

SCHEMA = 1
"""The version of the JSON document."""


def values(experiment: Experiment, results: Results) -> Table:
    """A tidy table: a row for each run and value of a metric, for ``pandas.read_csv``."""
    classes = bool(experiment.problem.data.classes)
    shown = headline(experiment.plan.protocol, classes)
    table = Table("values", "Values of all runs", [])
    for records in by_method(results).values():
        for record in records:
            about = _about(record)
            measured = {text: record.values_of(text) for text in experiment.metrics}
            for metric, name, value in _rows(measured, shown.values(record.curve)):
                component = host().get("metric", metric)
                rest, _, last = name.rpartition(":")
                split = last if last in SPLITS else ""
                table.data.append({
                    **about, "metric": metric, "value name": rest if split else name,
                    "split": split, "value": value, "unit": metric_unit(component, classes),
                    "better": component.better,
                })  # fmt: skip
    return table


def _about(record: Record) -> dict[str, Any]:
    """The columns that tell runs apart."""
    dataset, architecture, recipe = subject(record.problem.to_json())
    to_recipe = record.to_recipe
    return {
        "dataset": dataset,
        "architecture": architecture,
        "recipe": recipe,
        "to recipe": identity_text("recipe", to_recipe.to_json()) if to_recipe else recipe,
        "points": record.protocol.points,
        "refine": record.protocol.refine,
        "method": record.method,
        "seed a": record.pair[0],
        "seed b": record.pair[1],
        "end": record.measured.end,
        "run": record.key,
    }


def _rows(
    measured: dict[str, dict[str, float]], computed: dict[str, float]
) -> Iterator[tuple[str, str, float]]:
    """Metric, name and value of what was measured, and of what is computed from the curve."""
    for metric, by_name in measured.items():
        for name, value in by_name.items():
            yield metric, name, value
    for column, value in computed.items():
        metric, _, name = column.partition(":")
        if name not in measured.get(metric, {}):
            yield metric, name, value


def document(experiment: Experiment, results: Results) -> dict[str, Any]:
    """What the JSON of ``mcbench run`` has beside its tables.

    ``records`` are those of the store, as the page of the record describes them: values of all
    metrics, the curve, seeds and keys of A and B, versions of all software, cost.
    """
    titles = {run.key: run.title for run in results.runs}
    return {
        "schema": SCHEMA,
        "mcbench": VERSION,
        "problem": results.problem,
        "recipes": list(results.recipes),
        "protocol": asdict(experiment.plan.protocol),
        "headline": headline(
            experiment.plan.protocol, bool(experiment.problem.data.classes)
        ).ranked,
        "untrained": [asdict(one) for one in untrained(results, experiment.problem.data)],
        "failures": {titles.get(key, key): reason for key, reason in results.failures.items()},
        "values": values(experiment, results).data,
        "records": [r.to_json() for rs in by_method(results).values() for r in rs],
    }
