"""Methods by what is worst along the path."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Results
from mcbench.experiments.record import Record
from mcbench.plugins.host import host
from mcbench.report.reading import by_method, end_points
from mcbench.report.tables import Table, plus_minus
from mcbench.stats.ranking import ranks
from mcbench.stats.summary import summarize


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

    def of(self, record: Record) -> dict[str, float]:
        """What is shown, from the record's curve: whatever metrics were asked for."""
        curve, values = record.curve, {}
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
    records: list[Record], criterion: Criterion
) -> dict[tuple[Hashable, Hashable], dict[str, float]]:
    """What is shown by pair of endpoints."""
    return {r.run.endpoints: criterion.of(r) for r in records}


def _row(
    method: str,
    records: list[Record],
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
    seconds = summarize([r.cost.seconds for r in records]).mean
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


def _end(records: list[Record]) -> str:
    ends = {record.measured.end for record in records}
    return " or ".join(
        {"b": "B", "permuted": "permuted B", "short": "short of B"}[end] for end in sorted(ends)
    )
