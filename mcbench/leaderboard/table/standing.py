"""What has been measured of a board: collected from the store and from published entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from mcbench.errors import StructureError, UsageError
from mcbench.evaluation.evaluate import Curve
from mcbench.evaluation.metric import Evaluation
from mcbench.experiments.record import Record, RunFields
from mcbench.leaderboard.board.board import ENDPOINTS, SEEDS, Board, Row, plain
from mcbench.leaderboard.board.column import Column
from mcbench.leaderboard.entry.merging import Sourced, gathered
from mcbench.plugins.host import host
from mcbench.report.reading import columns_of
from mcbench.stats.summary import Summary, summarize
from mcbench.store.key import canonical
from mcbench.store.store import Store

Records = dict[str, dict[tuple[int, int], Record]]
"""By method and pair."""


def belongs(board: Board) -> Callable[[RunFields], str | None]:
    """A function that tells which of the board's methods a record, or a failure, is of.

    It is ``None`` if the problem, the protocol or the method is none of the board's. A method
    that is not installed here is known by its text alone.
    """
    fitting = fits(board)
    methods, absent = {}, set()
    for text in board.methods:
        try:
            identity = host().identity("method", host().get("method", text))
        except UsageError:
            absent.add(text)
            continue
        methods[canonical(plain("method", identity))] = text

    def method_of(record: RunFields) -> str | None:
        if not fitting(record):
            return None
        if record.method in absent:
            return record.method
        try:
            return methods.get(canonical(plain("method", record.run.method.to_json())))
        except (UsageError, KeyError, TypeError, AttributeError):
            return None  # Its parameters are none that a component here could have.

    return method_of


def fits(board: Board) -> Callable[[RunFields], bool]:
    """A function that tells whether a record is of the board's problem and protocol."""
    signature = board.signature()

    def fitting(record: RunFields) -> bool:
        try:
            return signature_of(record) == signature
        except (UsageError, KeyError, TypeError, AttributeError):
            return False

    return fitting


def collect(board: Board, store: Store | None) -> Records:
    """All records that were computed on the board's problem under its protocol.

    Of several for one run, a confirmed one counts, then the latest; of several runs for one method
    and pair, as with several versions of a plugin, the latest.
    """
    return chosen(board, gathered(board, store))


def chosen(board: Board, records: Sequence[Sourced]) -> Records:
    """Those of ``records`` that are the board's, as `gathered` orders them."""
    method_of = belongs(board)
    of_runs = {one.record.key: one.record for one in records}
    found: Records = {}
    for record in sorted(of_runs.values(), key=lambda r: r.provenance.time):
        method = method_of(record)
        if method:
            found.setdefault(method, {})[record.pair] = record
    return found


def signature_of(record: RunFields) -> dict[str, Any]:
    """What `Board.signature` has, of a record."""
    a, b = record.pair
    other = record.to_recipe
    return {
        **{kind: plain(kind, part) for kind, part in record.problem.to_json().items()},
        "to_recipe": plain("recipe", other.to_json()) if other else None,
        "protocol": record.run.protocol.to_json(),
        "pairs": SEEDS[a == b],
    }


def measured(board: Board, row: Row, records: Records) -> dict[str, Summary]:
    """Statistics over pairs (over endpoints, in their own row) by column."""
    if row.method == ENDPOINTS:
        return _endpoints(board, records)
    values = [columns_of(r) for r in records.get(row.method, {}).values()]
    summaries = {}
    for column, shown in board.shown.items():
        known = [v for v in map(shown.of, values) if v is not None]
        if known:
            summaries[column] = summarize(known)
    return summaries


def _endpoints(board: Board, records: Records) -> dict[str, Summary]:
    alone: dict[str, Curve] = {}
    for pairs in records.values():
        for record in pairs.values():
            curve = record.curve
            sides = (0, -1) if curve.end != "short" else (0,)
            for key, side in zip(record.run.endpoints, sides, strict=False):
                alone[key] = curve.staying(side)
    summaries = {}
    for column, shown in board.shown.items():
        if shown.of_network:
            values = [_of_network(shown, curve, board) for curve in alone.values()]
            known = [shown.shown(value) for value in values if value is not None]
            if known:
                summaries[column] = summarize(known)
    return summaries


def _of_network(shown: Column, curve: Curve, board: Board) -> float | None:
    """A metric of the path that stays at a network, if what was stored is enough for it."""

    def unknown() -> Any:
        raise StructureError("nothing but the curve is at hand")

    problem: Any = SimpleNamespace(recipe=host().get("recipe", board.recipe))
    entry, _, split = shown.split.rpartition(":")
    try:
        value = shown.component.measure(Evaluation(problem, curve, unknown, unknown), split)
    except StructureError:
        return None
    return float(value[entry] if isinstance(value, dict) else value)
