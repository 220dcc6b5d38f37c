"""What verifying an entry came to, kept beside it: ``x.json`` has ``x.verified.json``."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from mcbench.errors import McbenchError, UsageError
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.entry.entry import Entry, read

log = logging.getLogger("mcbench")

SUFFIX = ".verified.json"

State = Literal["confirmed", "differs", "cannot be verified"]

PREFERENCE: tuple[str | None, ...] = ("confirmed", None, "cannot be verified", "differs")
"""Of several records for one run, which counts first; ``None``: not verified."""


@dataclass(frozen=True)
class Verdict:
    """What came of evaluating a record's path again.

    Arguments:
        state: The answer.
        exact: Whether all numbers were the same bit for bit.
        rebuilt: Whether the method built the path again; else its points had come along.
        points: How many points were evaluated.
        loss, accuracy: The largest differences; ``None`` if nothing was evaluated.
        reason: What differs, or why it cannot be verified; with confirmed, what was not looked at.
    """

    state: State
    exact: bool = False
    rebuilt: bool = True
    points: int = 0
    loss: float | None = None
    accuracy: float | None = None
    reason: str = ""


def file_of(entry: Path) -> Path:
    """Where the verification of an entry is kept."""
    return entry.with_suffix(SUFFIX)


def write(entry: Entry, verdicts: dict[str, Verdict], how: dict[str, Any]) -> Path:
    """Keep verdicts by record hash; those of other records of the same entry stay.

    Arguments:
        how: Versions, hardware, date, points, seed, tolerance.

    Raises:
        UsageError: If the file cannot be written.
    """
    kept = {key: asdict(o) for key, o in verdicts_of(entry).items() if key not in verdicts}
    records = kept | {key: asdict(o) for key, o in verdicts.items()}
    content = {"schema": 1, "entry": entry.sha256, **how, "records": records}
    path = file_of(entry.path)
    try:
        path.write_text(json.dumps(content, sort_keys=True, indent=1) + "\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def verdicts_of(entry: Entry) -> dict[str, Verdict]:
    """Verdicts by record hash; none if the entry was not verified, or changed since."""
    path = file_of(entry.path)
    try:
        content = json.loads(path.read_text())
        if content["entry"] != entry.sha256:
            log.warning("%s is of another version of the entry; it is left out", path)
            return {}
        found = {str(key): Verdict(**values) for key, values in content["records"].items()}
        if any(o.state not in get_args(State) for o in found.values()):
            raise ValueError("a state is unknown")
        return found
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.warning("%s cannot be read: %s", path, error)
        return {}


def entries(board: Board) -> Iterator[Entry]:
    """The entries in the board's folder, in the order of their names.

    One that is malformed or was altered is named and left out.
    """
    folder = board.folder / "entries" if board.folder else None
    for path in sorted(folder.glob("*.json")) if folder else []:
        if path.name.endswith(SUFFIX):
            continue
        try:
            yield read(path)
        except McbenchError as error:
            log.warning("entry %s cannot be read: %s", path, error)


def verdicts(board: Board) -> dict[str, tuple[str, Verdict]]:
    """By run key, the hash of the record that counts, and what came of verifying it."""
    found: dict[str, tuple[str, Verdict]] = {}
    for entry in entries(board):
        known = verdicts_of(entry)
        for item in entry.records:
            verdict = known.get(item.sha256)
            before = found.get(item.key)
            if verdict and (before is None or _place(verdict) <= _place(before[1])):
                found[item.key] = item.sha256, verdict
    return found


def states(board: Board) -> dict[str, str]:
    """By run key: ``confirmed``, ``differs`` or ``cannot be verified``.

    Records that nobody verified are not in it. Of several records for one run, the state is that
    of the one that counts: a confirmed one if there is any.
    """
    return {key: verdict.state for key, (_, verdict) in verdicts(board).items()}


def _place(verdict: Verdict) -> int:
    return PREFERENCE.index(verdict.state)
