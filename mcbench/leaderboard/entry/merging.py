"""Records of a board from all sources: its entries and a store. Conflicts are kept in sight."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mcbench.errors import DamagedError, UsageError
from mcbench.evaluation.evaluate import Curve
from mcbench.experiments.record import Record, read
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.entry.entry import Entry, sha256_of, title
from mcbench.leaderboard.entry.gaps import ACCURACY, LOSS
from mcbench.leaderboard.entry.verification import PREFERENCE, entries, file_of, verdicts_of
from mcbench.store.store import Store

log = logging.getLogger("mcbench")


@dataclass(frozen=True)
class Sourced:
    """A record and where it is from.

    Arguments:
        record: What a run gave.
        source: The entry's file name, or ``your store``.
        state: What came of verifying it; ``None`` if it was not.
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
    known = verdicts_of(entry)
    states = {key: verdict.state for key, verdict in known.items()}
    return [
        Sourced(item.record, entry.path.name, states.get(item.sha256)) for item in entry.records
    ]


def gathered(board: Board, store: Store | None) -> list[Sourced]:
    """All records, of whatever problem, each content once; the one that counts comes last."""
    found = [record for entry in entries(board) for record in of_entry(entry)]
    for stored in store.entries("runs") if store else []:
        try:
            record = read(store, stored.key) if store else None
        except DamagedError as error:
            log.warning("%s; it is left out", error)
            continue
        if record is not None:
            found.append(Sourced(record, "your store", None))
    once: dict[str, Sourced] = {}
    for one in sorted(found, key=lambda s: s.order):
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


def other_endpoints(found: Iterable[Entry]) -> list[str]:
    """A line for every endpoint that is another network in one entry than in one before.

    Training is the same bit for bit on one kind of machine only. Methods on such endpoints are
    paired by seed, not by network.
    """
    known: dict[str, tuple[str, str]] = {}
    lines = []
    for entry in found:
        for key, endpoint in entry.content["endpoints"].items():
            if endpoint["sha256"] is None:
                continue
            digest, name = known.setdefault(key, (endpoint["sha256"], entry.path.name))
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
    accuracy, loss = (
        [(x, y) for split in theirs for x, y in zip(ours[split], theirs[split], strict=True)]
        for ours, theirs in ((a.accuracy, b.accuracy), (a.loss, b.loss))
    )
    length = zip(a.position, b.position, strict=True)
    if all(abs(x - y) <= ACCURACY for x, y in accuracy) and all(
        abs(x - y) <= LOSS * abs(y) + 1e-5 for x, y in [*loss, *length]
    ):
        return ""
    gaps = [max(abs(x - y) for x, y in values) for values in (accuracy, loss)]
    return f"accuracy by up to {gaps[0]:.3g} points, loss by up to {gaps[1]:.3g}"


def add(board: Board, entry: Entry, force: bool = False) -> tuple[Path | None, list[str]]:
    """Copy an entry that was checked into the board's folder, with what lies beside it.

    The points of its paths are not copied: they are for those who verify.

    Returns:
        Where it is now (``None`` if conflicts forbid it), and the conflicts.

    Raises:
        UsageError: If it cannot be written, or another entry has its name.
    """
    if board.folder is None:
        raise UsageError(f"the leaderboard '{board.name}' has no folder to add entries to")
    there = list(entries(board))
    for known in there:
        if known.sha256 == entry.sha256:
            _copy_beside(entry, known.path)
            return known.path, []
    before = [record for known in there for record in of_entry(known)]
    ordered = sorted(before + of_entry(entry), key=lambda s: s.order)
    said = conflicts(ordered) + other_endpoints([*there, entry])
    if said and not force:
        return None, said
    target = board.folder / "entries" / _file_name(entry.path)
    if target.exists():
        raise UsageError(f"{target} is another entry: rename {entry.path.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(entry.path, target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None
    _copy_beside(entry, target)
    return target, said


def _copy_beside(entry: Entry, target: Path) -> None:
    if file_of(entry.path).exists() and verdicts_of(entry):
        shutil.copyfile(file_of(entry.path), file_of(target))


def _file_name(path: Path) -> str:
    """The entry's own name, of harmless characters."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip(".-") + ".json"
