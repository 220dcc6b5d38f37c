"""`summaries`, the means of a row with their intervals; their differences to the paper."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NoReturn

from mcbench.errors import StructureError
from mcbench.evaluation.curve import Curve
from mcbench.evaluation.metric import Evaluation
from mcbench.leaderboard.board.board import ENDPOINTS, Board, Published, Row
from mcbench.leaderboard.board.column import Column
from mcbench.leaderboard.table.records import Records
from mcbench.plugins.host import host
from mcbench.report.reading import columns_of
from mcbench.stats.summary import Summary, summarize

ByPair = dict[tuple[Hashable, Hashable], float]
"""Values by the content keys of two endpoints."""


def values(records: Records, method: str, shown: Column) -> ByPair:
    """A column's values of one method; pairs are the same if the keys of their endpoints are."""
    measured: ByPair = {}
    for record in records.get(method, {}).values():
        value = shown.of(columns_of(record))
        if value is not None:
            measured[record.run.endpoints] = value
    return measured


def summaries(board: Board, row: Row, records: Records) -> dict[str, Summary]:
    """Summaries over pairs, by column; in the row of the endpoints, over endpoints.

    Pairs share endpoints, so their interval is that of `mcbench.stats.jackknife`; networks are
    independent of each other. Columns without a value are left out.
    """
    measured: Mapping[str, ByPair | Sequence[float]]
    if row.method == ENDPOINTS:
        measured = _endpoints(board, records)
    else:
        measured = {c: values(records, row.method, shown) for c, shown in board.shown.items()}
    return {c: summarize(v, board.shown[c].within) for c, v in measured.items() if v}


def _endpoints(board: Board, records: Records) -> dict[str, list[float]]:
    """The values of each network, by column."""
    alone: dict[str, Curve] = {}
    for pairs in records.values():
        for record in pairs.values():
            curve = record.curve
            sides = (0, -1) if curve.end != "short" else (0,)
            for key, side in zip(record.run.endpoints, sides, strict=False):
                alone[key] = curve.staying(side)
    measured = {}
    for column, shown in board.shown.items():
        if shown.of_network:
            of_networks = (_of_network(shown, curve, board) for curve in alone.values())
            measured[column] = [value for value in of_networks if value is not None]
    return measured


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
