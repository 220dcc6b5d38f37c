"""What a board's pages are made of: records, the entries they come from, ranks, verification."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from mcbench.experiments.record import Record
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.entry.entry import Entry
from mcbench.leaderboard.entry.merging import Sourced, gathered
from mcbench.leaderboard.entry.verification import Verdict, entries, file_of, verdicts_of
from mcbench.leaderboard.table.absence import Failures, failures
from mcbench.leaderboard.table.guests import with_guests
from mcbench.leaderboard.table.ranking import Rank, rank
from mcbench.leaderboard.table.standing import Records, chosen, collect
from mcbench.leaderboard.table.table import remarks
from mcbench.store.store import Store

OWN = "your store"
"""The source of records that are in no entry, as `mcbench.leaderboard.entry.merging` names it."""

UNVERIFIED = "not verified"


@dataclass(frozen=True)
class Submission:
    """Records that were handed in together.

    Arguments:
        name: The file's name without its ending.
        about: What else the entry says, by name; empty for records from the store.
        records: By the content keys of their runs.
        verdicts: What came of verifying them, by the same keys.
        content: The file as it is; empty for records from the store.
        verification: How they were verified: versions, hardware, points, tolerance.
    """

    name: str
    about: dict[str, Any]
    records: dict[str, Record]
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    content: bytes = b""
    verification: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Material:
    """Of one board.

    Arguments:
        records: Those that count in the table.
        sources: Where each of them is from and what came of verifying it, by run key.
        entries: All that were handed in, and the user's own if they are wanted.
        ranks: By column and method.
        failed: What failed, of the user's own runs.
        remarks: On verification and conflicts.
    """

    board: Board
    records: Records
    sources: dict[str, Sourced] = field(default_factory=dict)
    entries: tuple[Submission, ...] = ()
    ranks: dict[str, dict[str, Rank]] = field(default_factory=dict)
    failed: Failures = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def gather(board: Board, store: Store | None) -> Material:
    """Read everything of a board; what cannot be read is named and left out."""
    board = with_guests(board)
    found = gathered(board, store)
    records = chosen(board, found)
    return Material(
        board,
        records,
        {one.record.key: one for one in found},  # The one that counts comes last.
        (*_published(board), *_own(board, store)),
        {column: rank(board, records, column) for column in board.columns},
        failures(board, store) if store else {},
        tuple(remarks(board, found)),
    )


def state(material: Material, record: Record) -> str:
    """What is known of a record that counts."""
    source = material.sources.get(record.key)
    return (source.state if source else None) or UNVERIFIED


def source(material: Material, record: Record) -> str:
    """The name of the entry that a record which counts is from."""
    found = material.sources.get(record.key)
    return found.source.removesuffix(".json") if found else ""


def _published(board: Board) -> list[Submission]:
    found = []
    for entry in entries(board):
        known = verdicts_of(entry)
        found.append(
            Submission(
                entry.path.stem,
                {k: v for k, v in entry.content.items() if k != "records"},
                {item.key: item.record for item in entry.records},
                {i.key: known[i.sha256] for i in entry.records if i.sha256 in known},
                entry.path.read_bytes(),
                _how(entry) if known else {},
            )
        )
    return found


def _how(entry: Entry) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file_of(entry.path).read_text())
    return {k: v for k, v in content.items() if k not in ("records", "schema", "entry")}


def _own(board: Board, store: Store | None) -> list[Submission]:
    """The user's records of the board, if there are any, as one that was handed in."""
    if store is None:
        return []
    grouped = collect(replace(board, folder=None), store)
    records = [record for pairs in grouped.values() for record in pairs.values()]
    return [Submission(OWN, {}, {r.key: r for r in records})] if records else []
