"""The errors a user may meet. Each message is one line: what was wrong, what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def one_line(text: object) -> str:
    """A text, such as an error's, without line breaks and runs of space."""
    return " ".join(str(text).split())


class McbenchError(Exception):
    """Base of all errors that are reported as one line; ``exit_code`` is the program's."""

    exit_code = 1


class UsageError(McbenchError):
    """The request cannot be carried out as it was written."""

    exit_code = 2


class DataNotFoundError(UsageError):
    """A data set is neither on disk nor downloadable."""


class RunError(McbenchError):
    """A training or a run failed: diverged, or the method does not apply to the network."""


class StructureError(RunError):
    """The structure a method needs cannot be derived from the network's graph."""


class DamagedError(McbenchError):
    """A stored file is truncated or was altered."""


class EntryError(McbenchError):
    """A submitted entry is malformed, was altered, or does not keep to its leaderboard."""


def reason_of(error: Exception) -> str:
    """An error in one line, its type first if it is not one of mcbench's own."""
    text = one_line(error)
    return text if isinstance(error, McbenchError) else f"{type(error).__name__}: {text}"


MANY = 30
"""The most names that an error lists in full."""


def unknown(what: str, name: str, known: Iterable[str], listing: str = "") -> UsageError:
    """A `UsageError` for ``name``, with the nearest known name and all that are allowed.

    Arguments:
        what: The kind of thing that ``name`` should name.
        name: The unknown name.
        known: The allowed names.
        listing: The command that lists them; if they are many, only the nearest are named.
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    allowed = f"known are {', '.join(names) or '(none)'}"
    if listing and len(names) > MANY:
        close = get_close_matches(name, names, n=5, cutoff=0)
        allowed = f"of {len(names)} the nearest are {', '.join(close)}; '{listing}' shows all"
    return UsageError(f"unknown {what} '{name}': {hint}{allowed}")
