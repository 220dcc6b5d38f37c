"""`Verdict` on each record of an entry, kept beside it: ``x.json`` has ``x.verified.json``."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from mcbench.errors import McbenchError, one_line
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.entry.entry import Entry, read
from mcbench.leaderboard.entry.files import write_file

log = logging.getLogger("mcbench")

SUFFIX = ".verified.json"

State = Literal["confirmed", "differs", "cannot be verified"]

PREFERENCE: tuple[str | None, ...] = ("confirmed", None, "cannot be verified", "differs")
"""Of several records for one run, which counts first; ``None``: not verified."""


@dataclass(frozen=True)
class Verdict:
    """The result of evaluating a record's path again.

    Arguments:
        state: Whether the record is confirmed.
        exact: Whether all numbers were the same bit for bit.
        rebuilt: Whether the method built the path again; else its points were sent with the entry.
        points: How many points were evaluated.
        loss, accuracy: The largest differences; ``None`` if nothing was evaluated.
        reason: What differs, or why it cannot be verified; of a confirmed record, what was
            not verified.
    """

    state: State
    exact: bool = False
    rebuilt: bool = True
    points: int = 0
    loss: float | None = None
    accuracy: float | None = None
    reason: str = ""


def file_of(entry: Path) -> Path:
    """The file that keeps the verification of an entry."""
    return entry.with_suffix(SUFFIX)


def write(entry: Entry, verdicts: dict[str, Verdict], circumstances: dict[str, Any]) -> Path:
    """Keep verdicts by record hash; those on other records of the same entry stay.

    Arguments:
        verdicts: By record hash.
        circumstances: Versions, hardware, date, points, seed, tolerance.

    Raises:
        UsageError: If the file cannot be written.
    """
    records = {key: asdict(one) for key, one in (verdicts_of(entry) | verdicts).items()}
    content = {"schema": 1, "entry": entry.sha256, **circumstances, "records": records}
    path = file_of(entry.path)
    write_file(path, json.dumps(content, sort_keys=True, indent=1) + "\n")
    return path


def verdicts_of(entry: Entry) -> dict[str, Verdict]:
    """Verdicts by record hash; none if the entry was not verified, or has changed since."""
    path = file_of(entry.path)
    try:
        content = json.loads(path.read_text())
        if content["entry"] != entry.sha256:
            log.warning("%s is of another version of the entry; it is left out", path)
            return {}
        return TypeAdapter(dict[str, Verdict]).validate_python(content["records"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.warning("%s cannot be read: %s", path, one_line(error))
        return {}


def entries(board: Board) -> Iterator[Entry]:
    """The entries in the board's folder, in the order of their names.

    A malformed or altered one is named in the log and left out.
    """
    folder = board.folder / "entries" if board.folder else None
    for path in sorted(folder.glob("*.json")) if folder else []:
        if path.name.endswith(SUFFIX):
            continue
        try:
            yield read(path)
        except McbenchError as error:
            log.warning("entry %s cannot be read: %s", path, error)
