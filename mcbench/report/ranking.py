"""Table of methods, ranked by the worst point along the path."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Results
from mcbench.experiments.record import Record
from mcbench.plugins.host import host
from mcbench.report.reading import Quantity, by_method, end_points
from mcbench.report.tables import Table, plus_minus
from mcbench.stats.ranking import ranks
from mcbench.stats.summary import summarize


@dataclass(frozen=True)
class Criterion:
    """The columns that methods are ranked by.

    Arguments:
        title: What is ranked, with its unit.
        quantity: The quantity of the curve that it is computed from.
        columns: Metrics by heading, ``worst-accuracy:test``; the last one ranks.
        more: Metrics by heading, behind the rank. All are functions of the curve.
        better: Which direction is better.
        digits: Decimal places.
    """

    title: str
    quantity: Quantity
    columns: Mapping[str, str]
    more: Mapping[str, str]
    better: Literal["higher", "lower"]
    digits: int

    @property
    def ranked(self) -> str:
        """The column that ranks."""
        return list(self.columns.values())[-1]

    def values(self, record: Record) -> dict[str, float]:
        """The metrics of a record by column, computed from its curve."""
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
"""The criterion for data without classes, whose splits are the same."""


@dataclass
class _Row:
    """One row of the table, as text and as numbers."""

    criterion: Criterion
    cells: dict[str, str]
    numbers: dict[str, Any]

    def add(self, heading: str, column: str, values: list[float]) -> float:
        """Add mean and deviation, and the interval if the column ranks; returns the mean."""
        s, digits = summarize(values), self.criterion.digits
        self.cells[heading] = plus_minus(s.mean, s.std, digits)
        self.numbers |= {column: s.mean, f"{column}:std": s.std}
        if column == self.criterion.ranked:
            self.cells["95% interval"] = s.interval(digits) or "-"
            self.numbers |= {f"{column}:low": s.low, f"{column}:high": s.high}
        return s.mean

    def add_records(self, records: list[Record], values: list[dict[str, float]]) -> float:
        """Add a method's columns; returns what sorts the methods, the higher the better."""
        self.cells |= {"pairs": str(len(records)), "path ends at": _ends_at(records)}
        self.numbers |= {"end": _ends_at(records), "count": len(records)}
        for heading, column in self.criterion.columns.items():
            mean = self.add(heading, column, [v[column] for v in values])
        for heading, column in self.criterion.more.items():
            s = summarize([v[column] for v in values])
            self.cells[heading] = plus_minus(s.mean, s.std, self.criterion.digits)
            self.numbers[column] = s.mean
        self.numbers["seconds"] = summarize([r.cost.seconds for r in records]).mean
        self.cells["s/pair"] = f"{self.numbers['seconds']:.1f}"
        return mean if self.criterion.better == "higher" else -mean  # The last column ranks.


def ranking(experiment: Experiment, results: Results) -> Table:
    """Methods ranked by the worst point along the path, beside the end points.

    Worst is the lowest test accuracy, or the highest loss where the data have no classes.
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
    values = {m: {r.run.endpoints: criterion.values(r) for r in rs} for m, rs in grouped.items()}
    by_pair: dict[str, dict[tuple[Hashable, Hashable], float]]
    by_pair = {m: {p: v[criterion.ranked] for p, v in vs.items()} for m, vs in values.items()}
    places = ranks(by_pair, criterion.better)
    rows = []
    for method, records in grouped.items():
        row, key = _Row(criterion, {"method": method}, {"method": method}), float("-inf")
        if records:
            key = row.add_records(records, list(values[method].values()))
        else:
            row.cells[next(iter(criterion.columns))] = "failed"
        if records and method in places and len(places) > 1:
            place = places[method]
            row.cells["rank"] = str(place)
            row.numbers |= {
                "rank": place.position, "rank:low": place.low, "rank:high": place.high
            }  # fmt: skip
        rows.append((key, row))
    for _, row in sorted(rows, key=lambda pair: -pair[0]):
        table.add(row.cells, row.numbers)
    for label, ends in end_points(results, criterion.quantity).items():
        row = _Row(criterion, {"method": label}, {"method": label, "count": len(ends)})
        for heading, column in criterion.columns.items():
            split = column.partition(":")[2]
            row.add(heading, column, [end[split] for end in ends.values()])
        table.add(row.cells, row.numbers)
    if results.recipes:
        table.note = "Paths lead from A, {}, to B, {}.".format(*results.recipes)
    return table


def _ends_at(records: list[Record]) -> str:
    """Where the paths of some records end."""
    names = {"b": "B", "permuted": "permuted B", "short": "short of B"}
    return " or ".join(names[end] for end in sorted({r.measured.end for r in records}))
