"""Records of a board by method and pair; their summaries, ranks and differences to the paper."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from types import SimpleNamespace
from typing import Any, NoReturn

from mcbench.errors import StructureError, UsageError
from mcbench.evaluation.evaluate import Curve
from mcbench.evaluation.metric import Evaluation
from mcbench.experiments.record import Record, RunFields
from mcbench.leaderboard.board.board import (
    ENDPOINTS,
    SEEDS,
    Board,
    Published,
    Row,
    identity_of,
    unversioned,
)
from mcbench.leaderboard.board.column import Column
from mcbench.leaderboard.entry.sources import Sourced, sources_of
from mcbench.plugins.host import host
from mcbench.report.reading import columns_of
from mcbench.stats.ranking import Rank, ranks
from mcbench.stats.summary import Summary, summarize
from mcbench.store.key import canonical
from mcbench.store.store import Store

Records = dict[str, dict[tuple[int, int], Record]]
"""Records by method and pair."""


def method_finder(board: Board) -> Callable[[RunFields], str | None]:
    """A function from a record, or a failure, to the board's method that it is of.

    It gives ``None`` if the problem, the protocol or the method is none of the board's. A method
    that is not installed here is known by its text alone.
    """
    fitting = problem_filter(board)
    methods, absent = {}, set()
    for text in board.methods:
        try:
            methods[canonical(identity_of("method", text))] = text
        except UsageError:
            absent.add(text)

    def method_of(record: RunFields) -> str | None:
        if not fitting(record):
            return None
        if record.method in absent:
            return record.method
        try:
            return methods.get(canonical(unversioned("method", record.run.method.to_json())))
        except (UsageError, KeyError, TypeError, AttributeError):
            return None  # Its parameters are none that a component here could have.

    return method_of


def problem_filter(board: Board) -> Callable[[RunFields], bool]:
    """A function that says whether a record is of the board's problem and protocol."""
    signature = board.signature()

    def fitting(record: RunFields) -> bool:
        try:
            return signature_of(record) == signature
        except (UsageError, KeyError, TypeError, AttributeError):
            return False

    return fitting


def collect(board: Board, store: Store | None) -> Records:
    """All records that were computed on the board's problem under its protocol.

    Of several records for one run, a confirmed one counts, then the latest; of several runs for
    one method and pair, as with several versions of a plugin, the latest.
    """
    return records_of(board, sources_of(board, store))


def records_of(board: Board, sources: Sequence[Sourced]) -> Records:
    """The board's records among ``sources``, which are ordered as by `sources_of`."""
    method_of = method_finder(board)
    of_runs = {one.record.key: one.record for one in sources}
    records: Records = {}
    for record in sorted(of_runs.values(), key=lambda r: r.provenance.time):
        method = method_of(record)
        if method:
            records.setdefault(method, {})[record.pair] = record
    return records


def signature_of(record: RunFields) -> dict[str, Any]:
    """Problem, protocol and kind of pairs of a record, as `Board.signature` gives them."""
    a, b = record.pair
    other = record.to_recipe
    return {
        **{kind: unversioned(kind, part) for kind, part in record.problem.to_json().items()},
        "to_recipe": unversioned("recipe", other.to_json()) if other else None,
        "protocol": record.run.protocol.to_json(),
        "pairs": SEEDS[a == b],
    }


def summaries(board: Board, row: Row, records: Records) -> dict[str, Summary]:
    """Summaries over pairs, by column; in the row of the endpoints, over endpoints."""
    if row.method == ENDPOINTS:
        return _endpoints(board, records)
    measured = [columns_of(r) for r in records.get(row.method, {}).values()]
    by_column = {c: list(map(shown.of, measured)) for c, shown in board.shown.items()}
    return _summarized(by_column)


def _summarized(by_column: dict[str, list[float | None]]) -> dict[str, Summary]:
    """Summaries of what was measured; columns without a value are left out."""
    measured = {c: [v for v in values if v is not None] for c, values in by_column.items()}
    return {column: summarize(values) for column, values in measured.items() if values}


def _endpoints(board: Board, records: Records) -> dict[str, Summary]:
    alone: dict[str, Curve] = {}
    for pairs in records.values():
        for record in pairs.values():
            curve = record.curve
            sides = (0, -1) if curve.end != "short" else (0,)
            for key, side in zip(record.run.endpoints, sides, strict=False):
                alone[key] = curve.staying(side)
    return _summarized(
        {
            column: [_of_network(shown, curve, board) for curve in alone.values()]
            for column, shown in board.shown.items()
            if shown.of_network
        }
    )


def _of_network(shown: Column, curve: Curve, board: Board) -> float | None:
    """A metric of the path that stays at a network; ``None`` if it needs more than the curve."""

    def unknown() -> NoReturn:
        raise StructureError("a stored record has the curve alone, not its endpoints or path")

    # Any: of a problem, the metrics of a network ask for the recipe alone.
    problem: Any = SimpleNamespace(recipe=host().get("recipe", board.recipe))
    entry, _, split = shown.split.rpartition(":")
    try:
        value = shown.component.measure(Evaluation(problem, curve, unknown, unknown), split)
    except StructureError:
        return None
    return shown.shown(float(value[entry] if isinstance(value, dict) else value))


def difference(
    summary: Summary | None, published: Published | None
) -> tuple[float | None, float | None]:
    r"""Measured less published, and the combined error bar where both have one.

    The bar is :math:`\sqrt{\sigma_{measured}^2 + \sigma_{published}^2}`.
    """
    if summary is None or published is None:
        return None, None
    bar = math.hypot(summary.std, published.std)
    return summary.mean - published.mean, bar if math.isfinite(bar) else None


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
    values: dict[str, dict[tuple[Hashable, Hashable], float]] = {}
    for method in board.methods:
        for record in records.get(method, {}).values():
            value = shown.of(columns_of(record))
            if value is not None:
                values.setdefault(method, {})[record.run.endpoints] = value
    return ranks(values, shown.better)
