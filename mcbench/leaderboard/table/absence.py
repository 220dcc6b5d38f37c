"""`Absence`, the reason why a cell of a leaderboard is empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mcbench.errors import UsageError
from mcbench.experiments.record import Failure, read_failure
from mcbench.leaderboard.board.board import ENDPOINTS, Board, Row
from mcbench.leaderboard.entry.files import undamaged
from mcbench.leaderboard.table.records import Records, method_finder
from mcbench.plugins.host import host
from mcbench.report.reading import columns_of
from mcbench.store.store import Store

Failures = dict[str, dict[tuple[int, int], Failure]]
"""Failures by method and pair."""

State = Literal[
    "no method", "not installed", "not run", "failed", "does not apply", "not measured"
]
"""``no method``: the row names none; ``not installed``: no plugin provides it; ``not measured``:
there are records, but none has the column's metric."""


@dataclass(frozen=True)
class Absence:
    """The reason why there is no value.

    Arguments:
        state: The kind of reason.
        reason: Details in one line, if there are any.
    """

    state: State
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}" if self.reason else self.state


def failures(board: Board, store: Store) -> Failures:
    """The failures of the board's runs in a store, by method and pair."""
    by_method: Failures = {}
    method_of = method_finder(board)
    for failure in undamaged(store, "failures", read_failure):
        method = method_of(failure)
        if method:
            by_method.setdefault(method, {})[failure.pair] = failure
    return by_method


def absence(
    board: Board, row: Row, column: str, records: Records, failed: Failures
) -> Absence | None:
    """The reason why a row has no value in a column; ``None`` if it has one.

    Arguments:
        records: As `mcbench.leaderboard.table.records.collect` gives them.
        failed: As `failures` gives them.
    """
    if row.method == ENDPOINTS:
        defined = board.shown[column].of_network
        return Absence("not run") if defined and not records else None
    if not row.method:
        return Absence("no method", "mcbench has no such method yet")
    measured = list(records.get(row.method, {}).values())
    if measured:
        shown = board.shown[column]
        if any(shown.source in columns_of(record) for record in measured):
            return None
        metrics = [r.metrics[shown.metric] for r in measured if shown.metric in r.metrics]
        for reason in filter(None, (metric.inapplicable for metric in metrics)):
            return Absence("does not apply", reason)
        return Absence("not measured", f"the records lack '{shown.source}'")
    try:
        host().get("method", row.method)
    except UsageError as error:
        return Absence("not installed", str(error))
    for failure in failed.get(row.method, {}).values():
        return Absence("failed" if failure.applies else "does not apply", failure.reason)
    return Absence("not run")
