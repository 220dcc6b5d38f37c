"""Table of methods, ranked by the worst point along the path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Results
from mcbench.experiments.record import Record
from mcbench.report.headline import BARRIER, Headline, headline
from mcbench.report.reading import by_method, end_points
from mcbench.report.tables import Table, plus_minus
from mcbench.report.untrained import Untrained, untrained
from mcbench.stats.jackknife import Pair
from mcbench.stats.ranking import Rank, ranks
from mcbench.stats.summary import Summary, summarize

ByPair = Mapping[Pair, float]

INTERVAL = "95% interval"

RANKS = (
    "rank: the places a method may have; methods that share a letter cannot be told apart, "
    "the best are bold."
)


@dataclass
class _Row:
    """One row of the table, as text and as numbers."""

    headline: Headline
    cells: dict[str, str]
    numbers: dict[str, Any]
    best: list[str] = field(default_factory=list)

    def add(self, heading: str, column: str, summary: Summary, digits: int) -> None:
        """Add mean and deviation, and the interval if the column ranks."""
        self.cells[heading] = plus_minus(summary.mean, summary.std, digits)
        self.numbers |= {column: summary.mean, f"{column}:std": summary.std}
        self.numbers |= {f"{column}:low": summary.low, f"{column}:high": summary.high}
        if column == self.headline.ranked:
            self.cells[INTERVAL] = summary.interval(digits) or "-"

    def add_records(self, records: list[Record], values: dict[str, ByPair]) -> None:
        """Add a method's columns."""
        shown = self.headline
        self.cells |= {"pairs": str(len(records))}
        self.numbers |= {"end": ends_at(records), "count": len(records)}
        for heading, column in columns(shown).items():
            s = summarize(values[column], shown.within)
            self.add(heading, column, s, shown.digits)
        self.add("barrier", BARRIER, summarize(values[BARRIER]), 4)
        self.numbers["seconds"] = sum(r.cost.seconds for r in records) / len(records)
        self.cells["s/pair"] = f"{self.numbers['seconds']:.1f}"

    def add_rank(self, place: Rank, bold: bool) -> None:
        """Add the rank."""
        self.cells["rank"] = str(place)
        self.numbers |= {"rank": place.position, "rank:low": place.low, "rank:high": place.high}
        self.numbers |= {"rank:groups": place.groups, "rank:best": place.best}
        if bold:
            self.best = ["method", list(columns(self.headline))[-1]]


def columns(shown: Headline) -> dict[str, str]:
    """The columns of the headline by heading."""
    if len(shown.splits) == 1:
        return {shown.name: shown.ranked}
    return {split: f"{shown.metric}:{split}" for split in shown.splits}


def ranking(experiment: Experiment, results: Results, rank_untrained: bool = False) -> Table:
    """Methods ranked by the worst point along the path, beside the end points.

    Arguments:
        experiment: The experiment.
        results: Its results.
        rank_untrained: Whether pairs with endpoints that learned nothing count for ranks.
    """
    data = experiment.problem.data
    shown = headline(experiment.plan.protocol, bool(data.classes))
    grouped = by_method(results)
    table = Table("ranking", _title(shown, grouped), ["method", *columns(shown)], keys=1)
    table.columns += [INTERVAL, "barrier", "s/pair"]
    if len({len(records) for records in grouped.values() if records}) > 1:
        # Means over other pairs: a method that fails on hard ones looks better.
        table.columns.insert(1, "pairs")
    values = {m: _by_column(shown, records) for m, records in grouped.items() if records}
    failed = untrained(results, data)
    barred = set() if rank_untrained else {one.key for one in failed}
    by_pair = {
        m: {pair: x for pair, x in v[shown.ranked].items() if not barred & {*pair}}
        for m, v in values.items()
    }
    places = ranks(by_pair, shown.better, shown.unit)
    if len(places) > 1:
        table.columns.insert(-1, "rank")
    for method in sorted(grouped, key=lambda m: _order(places.get(m), m in values)):
        row = _Row(shown, {"method": method}, {"method": method})
        if method in values:
            row.add_records(grouped[method], values[method])
        else:
            row.cells[table.columns[1]] = "failed"
        if method in places and len(places) > 1:
            tied = all(place.best for place in places.values())
            row.add_rank(places[method], places[method].best and not tied)
        table.add(row.cells, row.numbers, row.best)
    for label, ends in end_points(results, shown.quantity).items():
        row = _Row(shown, {"method": label}, {"method": label, "count": len(ends)})
        for (heading, column), split in zip(columns(shown).items(), shown.splits, strict=True):
            s = summarize([end[split] for end in ends.values()], shown.within)
            row.add(heading, column, s, shown.digits)
        table.add(row.cells, row.numbers)
    lines = [_legend(shown), *([RANKS] if len(places) > 1 else [])]
    lines += [_constants(experiment, grouped), *_untrained_lines(failed, rank_untrained)]
    if results.recipes:
        lines.append("Paths lead from A, {}, to B, {}.".format(*results.recipes))
    table.note = "\n".join(lines)
    return table


def _title(shown: Headline, grouped: Mapping[str, list[Record]]) -> str:
    counts = {len(records) for records in grouped.values() if records}
    over = f"{max(counts, default=0)} pair{'s' * (counts != {1})}"
    if len(counts) > 1:
        over = "the pairs that did not fail"
    unit = f" ({shown.unit})" if shown.unit else ""
    return f"{shown.name.capitalize()}{unit} {shown.where}: mean ± std over {over}"


def _legend(shown: Headline) -> str:
    """What the columns are."""
    heads = ", ".join(columns(shown))
    return (
        f"{heads}: {shown.metric}. 95% interval: of the mean on {shown.splits[-1]}.\n"
        "barrier: highest test loss less the mean of both ends'."
    )


def _by_column(shown: Headline, records: list[Record]) -> dict[str, ByPair]:
    """The values of a method by column and pair of endpoints."""
    values = {r.run.endpoints: shown.values(r.curve) for r in records}
    names = [*columns(shown).values(), BARRIER]
    return {name: {pair: v[name] for pair, v in values.items()} for name in names}


def _order(place: Rank | None, measured: bool) -> tuple[int, ...]:
    """What sorts the rows: ranked ones, then those that no rank is known of, then failed ones."""
    if place:
        return 0, place.low, place.position
    return (1,) if measured else (2,)


def _constants(experiment: Experiment, grouped: Mapping[str, list[Record]]) -> str:
    """What holds for all rows: where paths end, how they were evaluated."""
    ends = {method: ends_at(records) for method, records in grouped.items() if records}
    common = max(ends.values(), key=list(ends.values()).count, default="B")
    others = [f"{method}: {end}" for method, end in ends.items() if end != common]
    protocol = experiment.plan.protocol
    how = "the worst searched on all legs"
    if protocol.refine != "search":
        rounds = protocol.refine
        how = f"{rounds} round{'s' * (rounds != 1)} of refinement"
    lines = f"Paths end at {common}{''.join(f'; {other}' for other in others)}. "
    lines += f"{protocol.points} points, {how}."
    return lines + (" Train: augmented." if protocol.augment else "")


def _untrained_lines(failed: list[Untrained], ranked: bool) -> list[str]:
    """A line for each endpoint that learned nothing, and what follows for ranks."""
    lines = list(map(str, failed))
    if lines and not ranked:
        lines.append("Ranks are without its pairs; --rank-untrained counts them.")
    return lines


def ends_at(records: list[Record]) -> str:
    """Where the paths of some records end."""
    names = {"b": "B", "permuted": "permuted B", "short": "short of B"}
    return " or ".join(names[end] for end in sorted({r.measured.end for r in records}))
