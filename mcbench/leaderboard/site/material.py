"""What a board's pages are made of: its records, the entries they come from, ranks and states."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcbench.leaderboard.board import Board
from mcbench.leaderboard.ranking import Rank, rank
from mcbench.leaderboard.standing import Records, collect
from mcbench.store import Store, key_of

log = logging.getLogger("mcbench")

OWN = "own records"
"""The name of the entry that stands for the user's store."""


@dataclass(frozen=True)
class Entry:
    """Records that were handed in together.

    Arguments:
        name: The file's name without its ending.
        about: What else the file says: texts and numbers, by name.
        records: Those that can be read.
        content: The file as it is; empty for records from the store.
    """

    name: str
    about: dict[str, Any]
    records: tuple[dict[str, Any], ...]
    content: bytes = b""


@dataclass(frozen=True)
class Material:
    """Of one board.

    Arguments:
        records: Those that count in the table.
        entries: All that were handed in, and the user's own if they are wanted.
        ranks: By column and method.
        states: Of verification, by run key.
    """

    board: Board
    records: Records
    entries: tuple[Entry, ...]
    ranks: dict[str, dict[str, Rank]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)


def gather(board: Board, store: Store | None) -> Material:
    """Read everything of a board; what cannot be read is named and left out."""
    records = collect(board, store)
    entries = [_read(path) for path in _files(board)]
    if store is not None:
        own = [
            record
            for pairs in collect(_without_entries(board), store).values()
            for record in pairs.values()
        ]
        entries += [Entry(OWN, {}, tuple(own))] if own else []
    ranks = {column: rank(board, records, column) for column in board.columns}
    return Material(board, records, tuple(entries), ranks, states(board))


def states(board: Board) -> dict[str, str]:
    """What is known of the verification of published records, by run key."""
    return {}


def run_key(record: dict[str, Any]) -> str:
    """The content key of a record."""
    return key_of(record["run"])


def readable(record: Any) -> bool:
    """Whether a record has what pages show; entries may hold anything."""
    from mcbench.leaderboard.site.curves import points

    try:
        a, b = record["pair"]
        return (
            isinstance(record["method"], str)
            and {type(a), type(b)} == {int}
            and len(record["run"]["endpoints"]) == 2
            and isinstance(record["run"]["method"]["name"], str)
            and all(isinstance(record["problem"][k]["name"], str) for k in PROBLEM)
            and isinstance(record["provenance"]["packages"], dict)
            and all(isinstance(m["values"], dict) for m in record["metrics"].values())
            and float(record["cost"]["seconds"]) >= 0
            and bool(points(record, "accuracy", "test"))
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return False


PROBLEM = ("dataset", "architecture", "recipe")


def _files(board: Board) -> list[Path]:
    return sorted((board.folder / "entries").glob("*.json")) if board.folder else []


def _without_entries(board: Board) -> Board:
    from dataclasses import replace

    return replace(board, folder=None)


def _read(path: Path) -> Entry:
    try:
        raw = path.read_bytes()
        content = json.loads(raw)
        records = list(content["records"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("entry %s cannot be read: %s", path, error)
        return Entry(path.stem, {"cannot be read": str(error)}, ())
    kept = tuple(record for record in records if readable(record))
    if len(kept) < len(records):
        log.warning("entry %s: %d records cannot be read", path, len(records) - len(kept))
    about = {k: v for k, v in content.items() if k != "records"}
    return Entry(path.stem, about, kept, raw)
