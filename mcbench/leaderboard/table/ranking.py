"""Ranks of a board's methods, and its rows in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mcbench.leaderboard.board.board import ENDPOINTS, Board, Row
from mcbench.leaderboard.table.records import Records
from mcbench.leaderboard.table.summaries import values
from mcbench.stats.ranking import Rank, ranks

Ranks = dict[str, dict[str, Rank]]
"""Ranks by column and method."""


def ranks_of(board: Board, records: Records) -> Ranks:
    """The ranks of all columns; one column has those of the methods that were measured.

    Methods are compared on the pairs that both have. A metric that has no direction or is not
    installed ranks nothing, and so does a single method.
    """
    return {column: _ranks(board, records, column) for column in board.columns}


def _ranks(board: Board, records: Records, column: str) -> dict[str, Rank]:
    shown = board.shown[column]
    if not shown.better:
        return {}
    by_method = {m: v for m in board.methods if (v := values(records, m, shown))}
    return ranks(by_method, shown.better, shown.unit) if len(by_method) > 1 else {}


def bold(ranked: Mapping[str, Rank]) -> set[str]:
    """The methods than which none is surely better; none if that is true of all."""
    best = {method for method, rank in ranked.items() if rank.best}
    return best if len(best) < len(ranked) else set()


def ranking_column(ranked: Ranks) -> str:
    """The column by whose ranks rows are ordered: the last that has some; empty without one."""
    return next((column for column in reversed(ranked) if ranked[column]), "")


def ordered(board: Board, ranked: Ranks) -> Board:
    """The board with its rows by rank: the best first, those without a rank in their old order.

    The row of the endpoints stays the first, or comes last.
    """
    places = ranked.get(ranking_column(ranked), {})
    first = board.rows[0] if board.rows else None

    def place(row: Row) -> tuple[int, int]:
        if row.method == ENDPOINTS:
            return (0, 0) if row is first else (3, 0)
        return (1, places[row.method].position) if row.method in places else (2, 0)

    return replace(board, rows=tuple(sorted(board.rows, key=place)))
