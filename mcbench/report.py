"""From results to tables."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from mcbench.comparison import ranks
from mcbench.ensembling import EnsembleResults
from mcbench.evaluation import Curve
from mcbench.experiment import Experiment, Results
from mcbench.plugins import host
from mcbench.statistics import summarize
from mcbench.tables import Table, plus_minus

T = TypeVar("T")

END_POINTS = "End Points"


@dataclass(frozen=True)
class Criterion:
    """What methods are ranked by.

    Arguments:
        title: What it is, with its unit.
        quantity: What of the curve it is made from: ``accuracy`` or ``loss``.
        columns: Headings and what they show, as ``worst-accuracy:test``; the last one ranks.
        more: Headings and what they show, behind the rank. All are functions of the curve.
        better: Which direction is better.
        digits: Behind the point.
    """

    title: str
    quantity: Literal["accuracy", "loss"]
    columns: Mapping[str, str]
    more: Mapping[str, str]
    better: Literal["higher", "lower"]
    digits: int

    @property
    def ranked(self) -> str:
        """The column that ranks."""
        return list(self.columns.values())[-1]

    def of(self, record: dict[str, Any]) -> dict[str, float]:
        """What is shown, from the record's curve: whatever metrics were asked for."""
        curve, values = Curve.of(record["curve"]), {}
        for column in (*self.columns.values(), *self.more.values()):
            metric, _, split = column.partition(":")
            values[column] = host().get("metric", metric).formula(curve, split or None)
        return values


ACCURACY = Criterion(
    "Worst accuracy (%)",
    "accuracy",
    {"train": "worst-accuracy:train", "test": "worst-accuracy:test"},
    {"refined test": "worst-accuracy-refined:test"},
    "higher",
    2,
)

LOSS = Criterion(
    "Highest loss",
    "loss",
    {"highest loss": "highest-loss:test"},
    {"mean loss": "mean-loss:test", "length ratio": "length-ratio"},
    "lower",
    4,
)
"""Where the data have no classes, and both splits are the same."""


def columns_of(record: dict[str, Any]) -> dict[str, float]:
    """A record's measured values under names such as ``worst-accuracy:test``."""
    return {
        ":".join(filter(None, (metric, name))): value
        for metric, entry in record["metrics"].items()
        for name, value in entry["values"].items()
    }


def by_method(results: Results) -> dict[str, list[dict[str, Any]]]:
    """The records of each method, over all pairs; methods without any are listed as empty."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for run in results.runs:
        records = grouped.setdefault(run.method, [])
        if run.key in results.records:
            records.append(results.records[run.key])
    return grouped


def ranking(experiment: Experiment, results: Results) -> Table:
    """Methods by what is worst along the path, beside the end points.

    That is the test accuracy, or the loss where the data have no classes.
    """
    criterion = ACCURACY if experiment.problem.data.classes else LOSS
    grouped = by_method(results)
    counts = {len(records) for records in grouped.values() if records}
    heads = ["method", *criterion.columns, "rank", "95% interval", *criterion.more]
    heads += ["path ends at", "s/pair"]
    over = f"{max(counts, default=0)} pair{'s' * (counts != {1})}"
    if len(counts) > 1:  # Means over other pairs: a method that fails on hard ones looks better.
        heads.insert(1, "pairs")
        over = "the pairs that did not fail"
    title = f"{criterion.title} along the path: mean ± std over {over}"
    table = Table("ranking", title, heads, keys=1)
    rows = []
    column = criterion.ranked
    values = {m: _by_pair(records, criterion) for m, records in grouped.items()}
    places = ranks(
        {m: {pair: v[column] for pair, v in of.items()} for m, of in values.items()},
        criterion.better,
    )
    for method, records in grouped.items():
        if records:
            rows.append(_row(method, records, list(values[method].values()), criterion))
            if method in places and len(places) > 1:
                place = places[method]
                rows[-1][1]["rank"] = str(place)
                rank = {"rank": place.position, "rank:low": place.low, "rank:high": place.high}
                rows[-1][2].update(rank)
        else:
            failed = {"method": method, next(iter(criterion.columns)): "failed"}
            rows.append((float("-inf"), failed, {"method": method}))
    for _, cells, numbers in sorted(rows, key=lambda row: -row[0]):
        table.add(cells, numbers)
    for label, ends in end_points(results, criterion.quantity).items():
        cells, numbers = {"method": label}, {"method": label, "count": len(ends)}
        for heading, column in criterion.columns.items():
            split = column.partition(":")[2]
            _show(
                [end[split] for end in ends.values()], heading, column, criterion, cells, numbers
            )
        table.add(cells, numbers)
    if results.recipes:
        table.note = "Paths lead from A, {}, to B, {}.".format(*results.recipes)
    return table


def _by_pair(
    records: list[dict[str, Any]], criterion: Criterion
) -> dict[tuple[Hashable, Hashable], dict[str, float]]:
    """What is shown by pair of endpoints."""
    return {(r["run"]["endpoints"][0], r["run"]["endpoints"][1]): criterion.of(r) for r in records}


def _row(
    method: str,
    records: list[dict[str, Any]],
    values: list[dict[str, float]],
    criterion: Criterion,
) -> tuple[float, dict[str, str], dict[str, Any]]:
    """What sorts a method (the higher the better), its cells and its numbers."""
    cells = {"method": method, "pairs": str(len(records)), "path ends at": _end(records)}
    numbers: dict[str, Any] = {"method": method, "end": _end(records), "count": len(records)}
    for heading, column in criterion.columns.items():
        mean = _show([v[column] for v in values], heading, column, criterion, cells, numbers)
    key = mean if criterion.better == "higher" else -mean  # Of the last, which ranks.
    for heading, column in criterion.more.items():
        s = summarize([v[column] for v in values])
        cells[heading] = plus_minus(s.mean, s.std, criterion.digits)
        numbers[column] = s.mean
    seconds = summarize([r["cost"]["seconds"] for r in records]).mean
    cells["s/pair"] = f"{seconds:.1f}"
    numbers["seconds"] = seconds
    return key, cells, numbers


def _show(
    values: list[float],
    heading: str,
    column: str,
    criterion: Criterion,
    cells: dict[str, str],
    numbers: dict[str, Any],
) -> float:
    """Add mean and deviation to a row, and of the column that ranks the interval; the mean."""
    s, digits = summarize(values), criterion.digits
    cells[heading] = plus_minus(s.mean, s.std, digits)
    numbers |= {column: s.mean, f"{column}:std": s.std}
    if column == criterion.ranked:
        cells["95% interval"] = (
            f"[{s.low:.{digits}f}, {s.high:.{digits}f}]" if s.count > 1 else "-"
        )
        numbers |= {f"{column}:low": s.low, f"{column}:high": s.high}
    return s.mean


def _end(records: list[dict[str, Any]]) -> str:
    ends = {record["curve"]["end"] for record in records}
    return " or ".join(
        {"b": "B", "permuted": "permuted B", "short": "short of B"}[end] for end in sorted(ends)
    )


def end_points(
    results: Results, quantity: Literal["accuracy", "loss"] = "accuracy"
) -> dict[str, dict[str, dict[str, float]]]:
    """`end_values` by row: one of all endpoints, or one each of A and B of two recipes."""
    ends = end_values(results, quantity)
    if not results.recipes:
        return {END_POINTS: ends} if ends else {}
    rows = {}
    for side, letter in enumerate("AB"):
        keys = {run.ends[side] for run in results.runs}
        known = {key: values for key, values in ends.items() if key in keys}
        if known:
            rows[f"{END_POINTS} {letter}"] = known
    return rows


def end_values(
    results: Results, quantity: Literal["accuracy", "loss"] = "accuracy"
) -> dict[str, dict[str, float]]:
    """Accuracy or loss of every endpoint by its content key, as the paths' ends measured it."""
    ends: dict[str, dict[str, float]] = {}
    for record in results.records.values():
        ends |= ends_of(record, record["run"]["endpoints"], quantity)
    return ends


def ends_of(
    record: dict[str, Any],
    names: Sequence[T],
    quantity: Literal["accuracy", "loss"] = "accuracy",
) -> dict[T, dict[str, float]]:
    """Accuracies (or losses) of A and B, under their ``names``, as one record's curve has them.

    A path that stops short of B says nothing of it.
    """
    sides = (0, -1) if record["curve"]["end"] != "short" else (0,)
    measured = record["curve"][quantity]
    return {
        name: {split: values[i] for split, values in measured.items()}
        for name, i in zip(names, sides, strict=False)
    }


def metrics(experiment: Experiment, results: Results) -> Table:
    """The metrics that were asked for, a row for each value, the methods side by side."""
    grouped = {m: rs for m, rs in by_method(results).items() if rs}
    heads = ["metric", "unit", "better", *grouped]
    table = Table("metrics", "All metrics: mean ± std over pairs", heads, keys=3)
    classes = experiment.problem.data.classes
    for text, metric in experiment.metrics.items():
        # A loss without classes is no cross-entropy, and has no unit.
        unit = metric.unit if classes or metric.unit != "nats" else ""
        measured = {m: [_values(r, text) for r in rs] for m, rs in grouped.items()}
        for name in dict.fromkeys(n for values in measured.values() for v in values for n in v):
            title = " ".join(filter(None, (text, name.replace(":", " "))))
            cells = {"metric": title, "unit": unit, "better": metric.better}
            column = ":".join(filter(None, (text, name)))
            numbers: dict[str, Any] = {**cells, "metric": column}
            for method, values in measured.items():
                known = [v[name] for v in values if name in v]
                if known:
                    s = summarize(known)
                    cells[method] = _formatted(s.mean, s.std, metric.unit)
                    numbers |= {method: s.mean, f"{method}:std": s.std}
            table.add(cells, numbers)
    return table


def _values(record: dict[str, Any], metric: str) -> dict[str, float]:
    values: dict[str, float] = record["metrics"].get(metric, {}).get("values", {})
    return values


def _formatted(mean: float, std: float, unit: str) -> str:
    if unit == "%":
        return plus_minus(mean, std)
    if mean >= 1000:
        return f"{mean:,.0f} ± {std:,.0f}" if std > 0 else f"{mean:,.0f}"
    return plus_minus(mean, std, 4 if mean < 10 else 1)


def notes(results: Results) -> Table:
    """What methods said of their paths (`mcbench.Workshop.note`), counted over pairs."""
    table = Table("notes", "What methods say of their paths", ["method", "says", "pairs"])
    for method, records in by_method(results).items():
        said: dict[str, dict[str, str]] = {}
        for record in records:
            for what, detail in record.get("notes", {}).items():
                said.setdefault(what, {})["-".join(map(str, record["pair"]))] = detail
        for what, details in said.items():
            cells = {"method": method, "says": what, "pairs": f"{len(details)} of {len(records)}"}
            table.add(cells, {"method": method, "says": what, "details": details})
    return table


def ensembles(results: EnsembleResults) -> Table:
    """Test accuracy by the number of networks; storage and operations of the whole ensemble."""
    largest = max(len(record["sizes"]) for record in results.records.values())
    columns = ["ensemble", *map(str, range(1, largest + 1)), "loss"]
    columns += ["parameters", "of indep.", "operations", "of indep. "]
    title = "Test accuracy (%) by the number of networks; loss, storage, operations of all"
    table = Table("ensembles", title, columns, keys=1)
    for text, record in results.records.items():
        whole = record["sizes"][-1]
        cells = {"ensemble": text, "loss": f"{whole['loss']:.4f}"}
        cells |= {str(i): f"{v['accuracy']:.2f}" for i, v in enumerate(record["sizes"], 1)}
        for name, share in (("parameters", "of indep."), ("operations", "of indep. ")):
            cells[name] = f"{whole[name]:,.0f}"
            cells[share] = f"{100 * whole[name] / whole[f'independent-{name}']:.1f}%"
        table.rows.append(cells)
        for count, values in enumerate(record["sizes"], start=1):
            table.data.append({"ensemble": text, "networks": count, **values})
    table.note = (
        "Operations: floating-point operations of a forward pass of one input. "
        "Of indep.: relative to as many independent networks."
    )
    for text, record in results.records.items():
        each = record["sizes"][0].get("members", 1)
        if each > 1:
            table.note += f"\n{text}: {each} networks from the training of each."
    return table
