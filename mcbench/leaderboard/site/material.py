"""`Material`, the data of a board's pages: records, their entries, ranks, verdicts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from mcbench.experiments.record import Record
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.entry.entry import Entry
from mcbench.leaderboard.entry.sources import STORE, Sourced, sources_of
from mcbench.leaderboard.entry.verification import Verdict, entries, file_of, verdicts_of
from mcbench.leaderboard.site.names import slug
from mcbench.leaderboard.table.absence import Failures, failures
from mcbench.leaderboard.table.guests import with_guests
from mcbench.leaderboard.table.ranking import Ranks, ordered, ranks_of
from mcbench.leaderboard.table.records import Records, collect, records_of
from mcbench.leaderboard.table.table import remarks
from mcbench.store.store import Store

UNVERIFIED = "not verified"


@dataclass(frozen=True)
class Submission:
    """The records of one entry, or of the user's store.

    Arguments:
        name: The file's name without its ending.
        about: The other fields of the entry, by name; empty for records from the store.
        records: By the content keys of their runs.
        verdicts: The verdicts on them, by the same keys.
        content: The file as it is; empty for records from the store.
        verification: Versions, hardware, points and tolerance of their verification.
    """

    name: str
    about: dict[str, Any]
    records: dict[str, Record]
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    content: bytes = b""
    verification: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Material:
    """The data of one board's pages.

    Arguments:
        board: The board, its rows by rank.
        records: The records that count in the table.
        sources: Source and state of each of them, by run key.
        entries: All entries, and the user's own records if they are wanted.
        ranks: Ranks by column and method.
        failed: The failures of the user's own runs.
        remarks: Remarks on verification and conflicts.
    """

    board: Board
    records: Records
    sources: dict[str, Sourced] = field(default_factory=dict)
    entries: tuple[Submission, ...] = ()
    ranks: Ranks = field(default_factory=dict)
    failed: Failures = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def page_name(self, entry: Submission) -> str:
        """The name of an entry's page."""
        return slug(f"{self.board.name}/{entry.name}")


def gather(board: Board, store: Store | None) -> Material:
    """Read everything of a board; unreadable files are named in the log and left out."""
    board = with_guests(board)
    sources = sources_of(board, store)
    records = records_of(board, sources)
    ranks = ranks_of(board, records)
    return Material(
        ordered(board, ranks),
        records,
        {one.record.key: one for one in sources},  # The one that counts comes last.
        (*_published(board), *_own(board, store)),
        ranks,
        failures(board, store) if store else {},
        tuple(remarks(board, sources)),
    )


def _published(board: Board) -> list[Submission]:
    submissions = []
    for entry in entries(board):
        verdicts = verdicts_of(entry)
        submissions.append(
            Submission(
                entry.path.stem,
                {k: v for k, v in entry.content.items() if k != "records"},
                {item.key: item.record for item in entry.records},
                {i.key: verdicts[i.sha256] for i in entry.records if i.sha256 in verdicts},
                entry.path.read_bytes(),
                _how(entry) if verdicts else {},
            )
        )
    return submissions


def _how(entry: Entry) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file_of(entry.path).read_text())
    return {k: v for k, v in content.items() if k not in ("records", "schema", "entry")}


def _own(board: Board, store: Store | None) -> list[Submission]:
    """The user's own records of the board, if there are any, as one entry."""
    if store is None:
        return []
    grouped = collect(replace(board, folder=None), store)
    records = [record for pairs in grouped.values() for record in pairs.values()]
    return [Submission(STORE, {}, {r.key: r for r in records})] if records else []
