"""The folder of a site, which is written again and again; other files in it are not touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mcbench.errors import UsageError

MARKER = ".mcbench-site.json"
"""The file that lists the files written here."""


def write(files: Mapping[str, bytes], out: Path) -> None:
    """Write ``files`` (by relative path) below ``out``; delete older ones that are not among them.

    Raises:
        UsageError: If ``out`` has files that were not written by an earlier call.
    """
    before = _written(out)
    for name in files:
        if name not in before and (out / name).exists():
            raise UsageError(f"{out / name} was not written by 'publish': move it away")
    try:
        # First the list: files that are written before an interruption are known the next time.
        out.mkdir(parents=True, exist_ok=True)
        _mark(out, {*before, *files})
        for name, content in files.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
        for name in before - set(files):
            (out / name).unlink(missing_ok=True)
        _mark(out, set(files))
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror or error}") from None


def stale(files: Mapping[str, bytes], out: Path) -> list[str]:
    """The files that `write` would change, add or delete."""
    try:
        same = {n for n in files if (out / n).is_file() and (out / n).read_bytes() == files[n]}
    except OSError as error:
        raise UsageError(f"cannot read {out}: {error}") from None
    return sorted((_written(out) | set(files)) - same)


def _mark(out: Path, names: set[str]) -> None:
    (out / MARKER).write_text(json.dumps({"files": sorted(names)}, indent=1) + "\n")


def _written(out: Path) -> set[str]:
    """The files that the marker lists; none for a new or an empty folder."""
    marker = out / MARKER
    if not out.exists():
        return set()
    if not out.is_dir():
        raise UsageError(f"{out} is a file, not a folder")
    if not marker.exists():
        if any(out.iterdir()):
            raise UsageError(f"{out} has files that 'publish' did not write: choose another")
        return set()
    try:
        names = json.loads(marker.read_text())["files"]
        inside = [(out / name).resolve().is_relative_to(out.resolve()) for name in names]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{marker} cannot be read: {error}") from None
    if not all(inside):
        raise UsageError(f"{marker} names files outside of {out}: it was altered")
    return set(names)
