"""The page of a board: its table, protocol, commands, overview and curves."""

from __future__ import annotations

import math
import shlex
from dataclasses import asdict, dataclass
from typing import Any

from mcbench.evaluation.protocol import Protocol
from mcbench.leaderboard.board.board import ENDPOINTS, Row
from mcbench.leaderboard.site.curves import Figure, figure
from mcbench.leaderboard.site.material import Material, Submission, source, state
from mcbench.leaderboard.site.names import slug
from mcbench.leaderboard.table.absence import absence
from mcbench.leaderboard.table.difference import difference
from mcbench.leaderboard.table.overview import overview
from mcbench.leaderboard.table.records import summaries
from mcbench.report.tables import plus_minus
from mcbench.stats.ranking import Rank
from mcbench.stats.summary import Summary


@dataclass(frozen=True)
class Cell:
    """A row's value in a column: measured, published, their difference, its rank.

    Arguments:
        text: Mean ± std, or the reason why it is missing.
        interval: The interval of the mean.
        difference: Measured less published.
        bar: The combined error bar, root(std_measured^2 + std_published^2).
        within: Whether the difference is not larger than the bar.
        tied: Labels of the rows that this one cannot be told apart from.
    """

    text: str
    missing: bool
    sort: float | None
    interval: str
    published: str
    published_sort: float | None
    difference: str
    bar: str
    within: bool | None
    rank: int | None
    rank_text: str
    tied: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """A row of the board's table."""

    anchor: str
    label: str
    method: str
    href: str
    note: str
    cells: tuple[Cell, ...]
    count: str
    count_sort: int
    entries: tuple[tuple[str, str], ...]
    states: tuple[str, ...]

    @property
    def measured(self) -> bool:
        """Whether any of its cells has a number."""
        return not all(cell.missing for cell in self.cells)


def page(material: Material) -> dict[str, Any]:
    """The variables of the template."""
    board = material.board
    lines = [_line(material, row) for row in board.rows]
    return {
        "board": board,
        "columns": [(c, shown.words, shown.unit) for c, shown in board.shown.items()],
        "lines": lines,
        "notes": [line for line in board.note.strip().splitlines() if line],
        "protocol": protocol(material),
        "commands": commands(material),
        "overview": overview(material.board, material.records),
        "figure": curves(material),
        "remarks": material.remarks,
        "entries": [(e.name, entry_name(material, e), len(e.records)) for e in material.entries],
        "downloads": [(kind, f"{slug(board.name)}.{kind}") for kind in ("csv", "json", "tex")],
    }


def entry_name(material: Material, entry: Submission) -> str:
    """The name of an entry's page."""
    return slug(f"{material.board.name}/{entry.name}")


def protocol(material: Material) -> dict[str, Any]:
    """Problem and protocol, as names and values."""
    board = material.board
    names = ("dataset", "architecture", "recipe", "to_recipe", "same_seed", "endpoints")
    problem = {name: getattr(board, name) for name in names}
    return {**{k: v for k, v in problem.items() if v}, **asdict(Protocol(**board.protocol))}


def commands(material: Material) -> list[str]:
    """The commands that measure the board again and show it."""
    name = shlex.quote(material.board.name)
    return [f"mcbench run --leaderboard {name}", f"mcbench leaderboard show {name}"]


def curves(material: Material) -> Figure:
    """The mean curves of all rows that were measured."""
    board, records = material.board, material.records
    labels = {row.method: row.label for row in board.rows}
    lines = {labels[m]: list(records[m].values()) for m in board.methods if m in records}
    return figure(lines, pairs=False)


def _line(material: Material, row: Row) -> Line:
    records = material.records.get(row.method, {}).values()
    sources = {source(material, record) for record in records}
    by_column = summaries(material.board, row, material.records)
    count = next((s.count for s in by_column.values()), 0)
    return Line(
        anchor=f"row-{slug(row.label)}",
        label=row.label,
        method=row.method,
        href=f"{slug(row.method)}.html" if row.method not in ("", ENDPOINTS) else "",
        note=row.note,
        cells=tuple(
            _cell(material, row, column, by_column.get(column)) for column in material.ranks
        ),
        count=f"{count}{' nets' * (row.method == ENDPOINTS)}" if count else "",
        count_sort=count,
        entries=tuple(
            (entry.name, f"{entry_name(material, entry)}.html")
            for entry in material.entries
            if entry.name in sources
        ),
        states=tuple(sorted({state(material, record) for record in records})),
    )


def _cell(material: Material, row: Row, column: str, summary: Summary | None) -> Cell:
    published = row.published.get(column)
    gap, bar = difference(summary, published)
    digits = material.board.digits(column)
    rank = material.ranks[column].get(row.method)
    labels = {r.method: r.label for r in material.board.rows}
    return Cell(
        text=plus_minus(summary.mean, summary.std, digits)
        if summary
        else missing(material, row, column),
        missing=summary is None,
        sort=_number(summary.mean) if summary else None,
        interval=interval(summary, digits),
        published=plus_minus(published.mean, published.std, digits) if published else "",
        published_sort=_number(published.mean) if published else None,
        difference="" if gap is None else f"{gap:+.{digits + 1}f}",
        bar="" if bar is None else f"{bar:.{digits + 1}f}",
        within=None if gap is None or bar is None else abs(gap) <= bar,
        rank=rank.position if rank else None,
        rank_text=rank_text(rank) if rank else "",
        tied=tuple(labels.get(m, m) for m in rank.tied) if rank else (),
    )


def rank_text(rank: Rank) -> str:
    """``2 (1 to 3)``: the rank and its interval."""
    return f"{rank.position}" + (f" ({rank.low} to {rank.high})" if rank.low != rank.high else "")


def missing(material: Material, row: Row, column: str) -> str:
    """The reason why there is no measured value."""
    why = absence(material.board, row, column, material.records, material.failed)
    if why is None:
        return "not defined for networks alone"
    return (
        why.reason
        if why.state == "no method"
        else ": ".join(filter(None, (why.state, why.reason)))
    )


def interval(summary: Summary | None, digits: int = 2) -> str:
    """The interval of the mean, ``[low, high]``; empty for one value."""
    if summary is None or summary.count < 2:
        return ""
    return f"[{summary.low:.{digits}f}, {summary.high:.{digits}f}]"


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
