"""Ranks of a board's methods, with the ranks that each may have."""

from __future__ import annotations

from collections.abc import Hashable

from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.table.records import Records
from mcbench.report.reading import columns_of
from mcbench.stats.ranking import Rank, ranks


def rank(board: Board, records: Records, column: str) -> dict[str, Rank]:
    """The rank of every method of the board that was measured, by the method's text.

    Methods are compared on the pairs that both have; two pairs are the same if the content keys
    of their endpoints are. A metric that has no direction or is not installed ranks nothing.

    Raises:
        KeyError: If the board has no such column.
    """
    shown = board.shown[column]
    if not shown.better:
        return {}
    values = {}
    for method in board.methods:
        measured: dict[tuple[Hashable, Hashable], float] = {}
        for record in records.get(method, {}).values():
            value = shown.of(columns_of(record))
            if value is not None:
                measured[record.run.endpoints] = value
        if measured:
            values[method] = measured
    return ranks(values, shown.better)
