"""Records of a board from its entries and a store, and the conflicts between them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mcbench.errors import UsageError
from mcbench.evaluation.evaluate import Curve
from mcbench.experiments.record import Record, read
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.entry.entry import Entry, sha256_of, title
from mcbench.leaderboard.entry.files import undamaged, write_file
from mcbench.leaderboard.entry.gaps import Gaps
from mcbench.leaderboard.entry.verification import PREFERENCE, entries, file_of, verdicts_of
from mcbench.store.store import Store

STORE = "your store"
"""The source of records that are in no entry."""


@dataclass(frozen=True)
class Sourced:
    """A record and where it is from.

    Arguments:
        record: The record.
        source: The entry's file name, or `STORE`.
        state: That of its verdict; ``None`` if it was not verified.
    """

    record: Record
    source: str
    state: str | None

    @property
    def sha256(self) -> str:
        """The record's hash."""
        return sha256_of(self.record.to_json())

    @property
    def order(self) -> tuple[int, str]:
        """The last in this order counts: confirmed before others, then the latest."""
        return -PREFERENCE.index(self.state), self.record.provenance.time


def of_entry(entry: Entry) -> list[Sourced]:
    """The records of an entry."""
    states = {key: verdict.state for key, verdict in verdicts_of(entry).items()}
    return [
        Sourced(item.record, entry.path.name, states.get(item.sha256)) for item in entry.records
    ]


def sources_of(board: Board, store: Store | None) -> list[Sourced]:
    """All records, of any problem, each content once; that which counts for a run comes last."""
    records = [record for entry in entries(board) for record in of_entry(entry)]
    records += [Sourced(record, STORE, None) for record in undamaged(store, "runs", read)]
    once: dict[str, Sourced] = {}
    for one in sorted(records, key=lambda s: s.order):
        once.pop(one.sha256, None)
        once[one.sha256] = one
    return list(once.values())


def conflicts(records: list[Sourced]) -> list[str]:
    """A line for every run of which two records have other numbers; the last one counts.

    Other times, costs and metrics are no conflict, nor are curves that agree as closely as
    `mcbench.leaderboard.entry.gaps` asks of one that is verified.
    """
    by_run: dict[str, list[Sourced]] = {}
    for one in records:
        by_run.setdefault(one.record.key, []).append(one)
    lines = []
    for *others, last in by_run.values():
        for other in others:
            difference = _difference(other.record.curve, last.record.curve)
            if difference:
                lines.append(
                    f"conflict: {title(last.record)} of {other.source} differs from that of "
                    f"{last.source}, which counts: {difference}"
                )
    return lines


def other_endpoints(entries: Iterable[Entry]) -> list[str]:
    """A line for every endpoint that is another network in one entry than in one before.

    Training is the same bit for bit on one kind of machine only. Methods on such endpoints are
    paired by seed, not by network.
    """
    first: dict[str, tuple[str, str]] = {}
    lines = []
    for entry in entries:
        for key, endpoint in entry.content["endpoints"].items():
            if endpoint["sha256"] is None:
                continue
            digest, name = first.setdefault(key, (endpoint["sha256"], entry.path.name))
            if digest != endpoint["sha256"]:
                lines.append(
                    f"conflict: the endpoint of seed {endpoint['seed']} in {entry.path.name} is "
                    f"another network than in {name}"
                )
    return lines


def _difference(a: Curve, b: Curve) -> str:
    """How two curves of one run differ; empty if they agree."""
    if a.t != b.t or a.end != b.end:
        return "other points were evaluated, or it ends elsewhere"
    if a.accuracy.keys() != b.accuracy.keys():
        return "one of them has no accuracies"
    gaps = Gaps({})
    for split in b.loss:
        gaps.compare("loss", split, a.loss[split], b.loss[split])
    for split in b.accuracy:
        gaps.compare("accuracy", split, a.accuracy[split], b.accuracy[split], "%")
    gaps.compare("position", "", a.position, b.position)
    if not gaps.wrong:
        return ""
    return "accuracy by up to {accuracy:.3g} points, loss by up to {loss:.3g}".format_map(
        gaps.largest
    )


def add(board: Board, entry: Entry, force: bool = False) -> tuple[Path | None, list[str]]:
    """Copy a checked entry and its verification into the board's folder.

    The points of its paths are not copied: they are for those who verify.

    Returns:
        The copy (``None`` if conflicts forbid it), and a line for each conflict.

    Raises:
        UsageError: If it cannot be written, or another entry has its name.
    """
    if board.folder is None:
        raise UsageError(f"the leaderboard '{board.name}' has no folder to add entries to")
    members = list(entries(board))
    for member in members:
        if member.sha256 == entry.sha256:
            _copy_verification(entry, member.path)
            return member.path, []
    members.append(entry)
    records = [record for member in members for record in of_entry(member)]
    lines = conflicts(sorted(records, key=lambda s: s.order)) + other_endpoints(members)
    if lines and not force:
        return None, lines
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", entry.path.stem).strip(".-")
    target = board.folder / "entries" / f"{safe}.json"
    if target.exists():
        raise UsageError(f"{target} exists and is another entry: rename {entry.path.name}")
    write_file(target, entry.path.read_bytes())
    _copy_verification(entry, target)
    return target, lines


def _copy_verification(entry: Entry, target: Path) -> None:
    if file_of(entry.path).exists() and verdicts_of(entry):
        shutil.copyfile(file_of(entry.path), file_of(target))
