"""A leaderboard as a table: measured beside published, ranks, and why cells are empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from mcbench.leaderboard.board.board import ENDPOINTS, Board
from mcbench.leaderboard.entry.entry import title
from mcbench.leaderboard.entry.sources import Sourced, conflicts, other_endpoints
from mcbench.leaderboard.entry.verification import entries
from mcbench.leaderboard.table.absence import Failures, absence
from mcbench.leaderboard.table.conditions import conditions
from mcbench.leaderboard.table.ranking import bold, ordered, ranking_column, ranks_of
from mcbench.leaderboard.table.records import Records, method_finder
from mcbench.leaderboard.table.summaries import summaries
from mcbench.report.tables import Table, plus_minus

RANKS = (
    "Rank: the places that a method may have; two methods that share a letter cannot be told "
    "apart. Bold: no method is\nsurely better; nothing is bold where all are tied. Of all that is "
    "said to be surely better, 5 % is wrong on average.\nRows are in the order of their ranks by "
    "{column}."
)
INTERVALS = (
    "Intervals: 95 %, of means over pairs by leaving out endpoints in turn, as pairs that share "
    "one are not independent."
)


def table(board: Board, records: Records, failed: Failures | None = None) -> Table:
    """Table of a board: measured beside published, and why a value is missing; rows by rank.

    Arguments:
        records: As `mcbench.leaderboard.table.records.collect` gives them.
        failed: As `mcbench.leaderboard.table.absence.failures` gives it.
    """
    failed = failed or {}
    shown = Table("leaderboard", f"{board.title} ({board.reference})", [], keys=1)
    ranks = ranks_of(board, records)
    board = ordered(board, ranks)
    for row in board.rows:
        by_column = summaries(board, row, records)
        cells = {"method": row.label, "mcbench method": row.method or "none yet"}
        data: dict[str, Any] = {"row": row.label, "method": row.method}
        best = []
        for column in board.columns:
            summary, digits = by_column.get(column), board.digits(column)
            if summary:
                cells[column] = plus_minus(summary.mean, summary.std, digits)
                cells[f"{column} 95% interval"] = summary.interval(digits)
                data |= {column: summary.mean, f"{column}:std": summary.std}
                data |= {f"{column}:low": summary.low, f"{column}:high": summary.high}
            else:
                why = absence(board, row, column, records, failed)
                cells[column] = why.state if why and why.state != "no method" else "-"
                if why:  # The endpoints have no value in columns of paths.
                    data[f"{column}_missing"] = str(why)
            place = ranks[column].get(row.method)
            if place:
                cells[f"{column} rank"] = str(place)
                data |= {f"{column}:rank": place.position, f"{column}:tied": list(place.tied)}
                data |= {f"{column}:rank:low": place.low, f"{column}:rank:high": place.high}
                data[f"{column}:rank:groups"] = place.groups
                best += [column] if row.method in bold(ranks[column]) else []
            paper = row.published.get(column)
            if paper:
                cells[f"{column} published"] = plus_minus(paper.mean, paper.std, digits)
                data[f"{column}:published"] = paper.mean
                data[f"{column}:published:std"] = paper.std
        count = next((s.count for s in by_column.values()), 0)
        unit = " nets" if row.method == ENDPOINTS else ""
        cells["pairs"] = f"{count}{unit}" if count else ""
        data["count"] = count
        shown.add(cells, data, best)
    shown.columns = _heads(board, shown.rows)
    legend = [RANKS.format(column=by)] if (by := ranking_column(ranks)) else []
    legend += [INTERVALS] if any(head.endswith("interval") for head in shown.columns) else []
    notes = [board.note.strip(), *conditions(board), *legend, *_notes(board, records, failed)]
    shown.note = "\n".join(filter(None, notes))
    return shown


def _heads(board: Board, rows: list[dict[str, str]]) -> list[str]:
    """Headings of the table: ranks, intervals, published numbers and pairs where there are any."""
    heads = ["method", "mcbench method"]
    for column in board.columns:
        beside = [f"{column} {what}" for what in ("rank", "95% interval", "published")]
        heads += [column, *(head for head in beside if any(row.get(head) for row in rows))]
    return [*heads, "pairs"] if any(row["pairs"] for row in rows) else heads


def _notes(board: Board, records: Records, failed: Failures) -> list[str]:
    """Remarks on rows, and why values are missing."""
    lines = [f"{row.label}: {row.note}" for row in board.rows if row.note]
    waiting: dict[str, None] = {}
    for row in board.rows:
        for column in board.columns:
            why = absence(board, row, column, records, failed)
            if why and why.state == "not run" and row.method in board.methods:
                waiting[row.method] = None
            elif why and why.reason and why.state != "no method":
                lines.append(f"{row.label}: {why}")
    labels = {row.method: row.label for row in reversed(board.rows)}
    lines += [
        f"{labels[method]}: pair {a}-{b} failed: {failure.reason}"
        for method, pairs in failed.items()
        for (a, b), failure in pairs.items()
        if records.get(method) and (a, b) not in records[method]
    ]
    if waiting:
        command = " ".join(
            [f"mcbench run --leaderboard {board.name}", *(f"-m '{m}'" for m in waiting)]
        )
        lines.append(f"Not run yet: {', '.join(waiting)}. Run them with: {command}")
    return list(dict.fromkeys(lines))


def remarks(board: Board, sources: Sequence[Sourced]) -> list[str]:
    """Remarks on a board's records: counts by verdict, conflicts, records that differ.

    Arguments:
        sources: As `mcbench.leaderboard.entry.sources.sources_of` gives them.
    """
    method_of = method_finder(board)
    ours = [one for one in sources if method_of(one.record)]
    latest = {one.record.key: one for one in ours}
    counts = Counter(one.state or "not verified" for one in latest.values())
    lines = conflicts(ours) + other_endpoints(entries(board))
    if set(counts) - {"not verified"}:
        lines.insert(0, "Records: " + ", ".join(f"{n} {state}" for state, n in counts.items()))
    lines += [
        f"{one.source}: {title(one.record)} differs when it is evaluated again"
        for one in latest.values()
        if one.state == "differs"
    ]
    return lines
