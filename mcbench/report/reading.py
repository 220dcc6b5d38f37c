"""Values of records and results, by column, by method and by end point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from mcbench.experiments.plan import Results
from mcbench.experiments.record import Record

T = TypeVar("T")

Quantity = Literal["accuracy", "loss"]

END_POINTS = "End Points"


def columns_of(record: Record) -> dict[str, float]:
    """A record's measured values under names such as ``worst-accuracy:test``."""
    return {
        ":".join(filter(None, (metric, name))): value
        for metric, measured in record.metrics.items()
        for name, value in measured.values.items()
    }


def metric_unit(metric: Any, classes: bool) -> str:
    """A metric's unit; a loss without classes is no cross-entropy, and has none."""
    unit: str = metric.unit
    return unit if classes or unit != "nats" else ""


def by_method(results: Results) -> dict[str, list[Record]]:
    """The records of each method, over all pairs; methods without any are listed as empty."""
    grouped: dict[str, list[Record]] = {}
    for run in results.runs:
        records = grouped.setdefault(run.method, [])
        if run.key in results.records:
            records.append(results.records[run.key])
    return grouped


def end_points(
    results: Results, quantity: Quantity = "accuracy"
) -> dict[str, dict[str, dict[str, float]]]:
    """`end_values` by row: one of all endpoints, or one each of A and B of two recipes."""
    ends = end_values(results, quantity)
    if not results.recipes:
        return {END_POINTS: ends} if ends else {}
    rows = {}
    for side, letter in enumerate("AB"):
        keys = {run.ends[side] for run in results.runs}
        side_ends = {key: values for key, values in ends.items() if key in keys}
        if side_ends:
            rows[f"{END_POINTS} {letter}"] = side_ends
    return rows


def end_values(results: Results, quantity: Quantity = "accuracy") -> dict[str, dict[str, float]]:
    """Accuracy or loss of every endpoint by its content key, measured at the paths' ends."""
    ends: dict[str, dict[str, float]] = {}
    for record in results.records.values():
        ends |= ends_of(record, record.run.endpoints, quantity)
    return ends


def ends_of(
    record: Record, names: Sequence[T], quantity: Quantity = "accuracy"
) -> dict[T, dict[str, float]]:
    """Accuracies (or losses) of A and B from one record's curve, under the given ``names``.

    A path that stops short of B has no values of it.
    """
    curve = record.curve
    sides = (0, -1) if curve.end != "short" else (0,)
    measured = curve.accuracy if quantity == "accuracy" else curve.loss
    return {
        name: {split: values[i] for split, values in measured.items()}
        for name, i in zip(names, sides, strict=False)
    }
