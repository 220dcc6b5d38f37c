"""Files of entries, tables and stores: written with one error message, read past damaged ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from mcbench.errors import DamagedError, UsageError
from mcbench.store.store import Store

log = logging.getLogger("mcbench")

Stored = TypeVar("Stored")


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file; the folders above it are made.

    Raises:
        UsageError: If the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None


def undamaged(
    store: Store | None, kind: str, read: Callable[[Store, str], Stored | None]
) -> Iterator[Stored]:
    """Everything of a kind in a store; a damaged file is named in the log and left out."""
    for stored in store.entries(kind) if store else ():
        try:
            record = read(store, stored.key) if store else None
        except DamagedError as error:
            log.warning("%s; it is left out", error)
            continue
        if record is not None:
            yield record
