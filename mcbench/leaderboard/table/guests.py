"""Rows for guests: methods that no row of a board names, as those of strangers' entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mcbench.leaderboard.board.board import ENDPOINTS, Board, Row
from mcbench.leaderboard.entry.verification import entries
from mcbench.leaderboard.table.records import method_finder, problem_filter
from mcbench.plugins.host import host


def with_guests(board: Board) -> Board:
    """The board with a row for every method of its entries that no row names.

    A record counts if it keeps to the board's problem and protocol, whoever wrote the method; the
    row says which distribution it is of.
    """
    fitting, method_of = problem_filter(board), method_finder(board)
    notes: dict[str, str] = {}
    for entry in entries(board):
        for item in entry.records:
            record = item.record
            if fitting(record) and method_of(record) is None:
                source = record.run.method
                note = f"of an entry: {source.distribution} {source.version}"
                notes.setdefault(record.method, note)
    return replace(board, rows=_before_endpoints(board, notes.items()))


def with_methods(board: Board, methods: Iterable[str]) -> Board:
    """The board with a row for each of these methods that no row names.

    Raises:
        UsageError: If there is no such method.
    """
    methods = tuple(methods)
    for text in methods:
        host().get("method", text)
    return replace(board, rows=_before_endpoints(board, ((text, "") for text in methods)))


def _before_endpoints(board: Board, guests: Iterable[tuple[str, str]]) -> tuple[Row, ...]:
    """Rows for the guests after the board's own; a last row of the endpoints stays last."""
    named = set(board.methods)
    rows = [Row(text, text, note=note) for text, note in guests if text not in named]
    last = sum(row.method == ENDPOINTS for row in board.rows[-1:])
    end = len(board.rows) - last
    return (*board.rows[:end], *rows, *board.rows[end:])
