"""The page of a board: its table, protocol, commands, overview and curves."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import Any

from mcbench.evaluation.protocol import Protocol
from mcbench.leaderboard.board.board import ENDPOINTS, Row
from mcbench.leaderboard.site.curves import figure
from mcbench.leaderboard.site.material import UNVERIFIED, Material
from mcbench.leaderboard.table.absence import absence
from mcbench.leaderboard.table.conditions import conditions
from mcbench.leaderboard.table.overview import overview
from mcbench.leaderboard.table.ranking import bold, ranking_column
from mcbench.leaderboard.table.summaries import difference, summaries
from mcbench.stats.summary import Summary

PROBLEM = ("dataset", "architecture", "recipe", "to_recipe", "same_seed", "endpoints")


def page(material: Material) -> dict[str, Any]:
    """The variables of the template."""
    board, records = material.board, material.records
    problem = {name: getattr(board, name) for name in PROBLEM if getattr(board, name)}
    labels = {row.method: row.label for row in board.rows}
    curves = {labels[m]: list(records[m].values()) for m in board.methods if m in records}
    return {
        "material": material,
        "board": board,
        "conditions": conditions(board),
        "ranked_by": ranking_column(material.ranks),
        "lines": [_line(material, row) for row in board.rows],
        "protocol": problem | asdict(Protocol(**board.protocol)),
        "quoted": shlex.quote(board.name),
        "overview": overview(board, records),
        "figure": figure(curves, pairs=False),
    }


def _line(material: Material, row: Row) -> dict[str, Any]:
    """A row of the board's table: its cells, and the entries and verdicts of its records."""
    keys = [record.key for record in material.records.get(row.method, {}).values()]
    sources = [material.sources[key] for key in keys if key in material.sources]
    names = {one.source.removesuffix(".json") for one in sources}
    by_column = summaries(material.board, row, material.records)
    return {
        "row": row,
        "measured": bool(by_column),
        "cells": [_cell(material, row, c, by_column.get(c)) for c in material.board.columns],
        "count": next((s.count for s in by_column.values()), 0),
        "unit": " nets" if row.method == ENDPOINTS else "",
        "entries": [entry for entry in material.entries if entry.name in names],
        "states": sorted({one.state or UNVERIFIED for one in sources}),
    }


def _cell(material: Material, row: Row, column: str, summary: Summary | None) -> dict[str, Any]:
    """A row's value in a column: measured, published, their difference, its rank.

    ``tied`` has the labels of the rows that this one cannot be told apart from.
    """
    published = row.published.get(column)
    gap, bar = difference(summary, published)
    rank = material.ranks[column].get(row.method)
    labels = {r.method: r.label for r in material.board.rows}
    return {
        "summary": summary,
        "missing": "" if summary else _missing(material, row, column),
        "digits": material.board.digits(column),
        "published": published,
        "gap": gap,
        "bar": bar,
        "rank": rank,
        "bold": row.method in bold(material.ranks[column]),
        "tied": [labels.get(method, method) for method in rank.tied] if rank else [],
    }


def _missing(material: Material, row: Row, column: str) -> str:
    """The reason why there is no measured value."""
    why = absence(material.board, row, column, material.records, material.failed)
    if why is None:
        return "not defined for networks alone"
    return why.reason if why.state == "no method" else str(why)
