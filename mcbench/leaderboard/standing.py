"""What has been measured of a board: collected from the store and from published entries."""

from __future__ import annotations

import json
import logging
from typing import Any

from mcbench.errors import DamagedError, UsageError
from mcbench.leaderboard.board import ENDPOINTS, Board, Row, plain
from mcbench.plugins import host
from mcbench.report import columns_of, ends_of
from mcbench.statistics import Summary, summarize
from mcbench.store import Store
from mcbench.tables import Table, plus_minus

log = logging.getLogger("mcbench")

ACCURACIES = ("worst-accuracy", "worst-accuracy-refined", "end-accuracy")
"""Metrics whose columns have a value for an endpoint alone: its accuracy."""

Records = dict[str, dict[tuple[int, int], dict[str, Any]]]
"""By method and pair."""


def collect(board: Board, store: Store | None) -> Records:
    """All records that were computed on the board's problem under its protocol.

    Of several for one method and pair, the latest counts.
    """
    signature = board.signature()
    methods = {}
    for text in board.methods:
        try:
            identity = host().identity("method", host().get("method", text))
        except UsageError as error:
            log.warning("row '%s' cannot be shown: %s", text, error)
            continue
        methods[json.dumps(plain("method", identity), sort_keys=True)] = text
    found: Records = {}
    for record in sorted(_all(board, store), key=lambda r: r["provenance"]["time"]):
        if _signature(record) == signature:
            method = methods.get(
                json.dumps(plain("method", record["run"]["method"]), sort_keys=True)
            )
            if method:
                a, b = record["pair"]
                found.setdefault(method, {})[a, b] = record
    return found


def _all(board: Board, store: Store | None) -> list[dict[str, Any]]:
    records = []
    for path in sorted((board.folder / "entries").glob("*.json")) if board.folder else []:
        try:
            records += json.loads(path.read_text())["records"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("entry %s cannot be read: %s", path, error)
    for entry in store.entries("runs") if store else []:
        try:
            record = store.read_record("runs", entry.key) if store else None
        except DamagedError as error:
            log.warning("%s; it is left out", error)
            continue
        if record is not None:
            records.append(record)
    return records


def _signature(record: dict[str, Any]) -> dict[str, Any]:
    parts = {k: plain(k, record["problem"][k]) for k in ("dataset", "architecture", "recipe")}
    return {**parts, "protocol": record["run"]["protocol"]}


def measured(board: Board, row: Row, records: Records) -> dict[str, Summary]:
    """Statistics over pairs (over endpoints, in their own row) by column."""
    if row.method == ENDPOINTS:
        return _endpoints(board, records)
    values = [columns_of(r) for r in records.get(row.method, {}).values()]
    summaries = {}
    for column, source in board.columns.items():
        known = [v[source] for v in values if source in v]
        if known:
            summaries[column] = summarize(known)
    return summaries


def _endpoints(board: Board, records: Records) -> dict[str, Summary]:
    ends: dict[str, dict[str, float]] = {}
    for pairs in records.values():
        for record in pairs.values():
            ends |= ends_of(record, record["run"]["endpoints"])
    summaries = {}
    for column, source in board.columns.items():
        metric, _, split = source.partition(":")
        if ends and metric in ACCURACIES:
            summaries[column] = summarize([end[split] for end in ends.values()])
    return summaries


def table(board: Board, records: Records) -> Table:
    """Measured beside published, and what has not been run."""
    heads = ["method", "mcbench method"]
    for column in board.columns:
        heads += [column, f"{column} 95% interval", f"{column} published"]
    shown = Table("leaderboard", f"{board.title} ({board.reference})", [*heads, "pairs"], keys=1)
    missing = []
    for row in board.rows:
        known = measured(board, row, records)
        cells = {"method": row.label, "mcbench method": row.method or "none yet"}
        data: dict[str, Any] = {"method": row.label, "mcbench_method": row.method}
        for column in board.columns:
            summary, published = known.get(column), row.published.get(column)
            if summary is not None:
                cells[column] = plus_minus(summary.mean, summary.std)
                if summary.count > 1:
                    cells[f"{column} 95% interval"] = f"[{summary.low:.2f}, {summary.high:.2f}]"
                data |= {column: summary.mean, f"{column}_std": summary.std}
                data |= {f"{column}_low": summary.low, f"{column}_high": summary.high}
            else:
                cells[column] = "not run" if row.method else "-"
            if published is not None:
                cells[f"{column} published"] = plus_minus(published.mean, published.std)
                data |= {f"{column}_published": published.mean}
                data |= {f"{column}_published_std": published.std}
        count = next((s.count for s in known.values()), 0)
        unit = " nets" if row.method == ENDPOINTS else ""
        cells["pairs"] = f"{count}{unit}" if count else ""
        data["count"] = count
        if not known and row.method and row.method != ENDPOINTS:
            missing.append(row.method)
        shown.add(cells, data)
    shown.note = _note(board, missing)
    return shown


def _note(board: Board, missing: list[str]) -> str:
    lines = [board.note.strip()] if board.note.strip() else []
    lines += [f"{row.label}: {row.note}" for row in board.rows if row.note]
    if missing:
        command = f"mcbench run --leaderboard {board.name} " + " ".join(
            f"-m '{m}'" for m in missing
        )
        lines.append(f"Not run yet: {', '.join(missing)}. Run them with: {command}")
    return "\n".join(lines)


def entry(board: Board, records: Records) -> dict[str, Any]:
    """The records as one file for the board's ``entries``."""
    chosen = [record for pairs in records.values() for record in pairs.values()]
    return {"leaderboard": board.name, "records": chosen}
