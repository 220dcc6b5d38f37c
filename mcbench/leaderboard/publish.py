"""Leaderboards written to files: a site, and Markdown for READMEs."""

from __future__ import annotations

from pathlib import Path

from mcbench.errors import UsageError
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.entry.files import write_file
from mcbench.leaderboard.entry.sources import sources_of
from mcbench.leaderboard.site import folder, pages
from mcbench.leaderboard.site.names import slug
from mcbench.leaderboard.table import readme
from mcbench.store.store import Store


def site(boards: list[Board], out: Path, store: Store | None, check: bool = False) -> list[Path]:
    """Write the site.

    Returns:
        The files written, or with ``check`` those that would change.

    Raises:
        UsageError: If ``out`` cannot be written, or has other things in it.
    """
    files = pages.site(boards, store)
    if check:
        return [out / name for name in folder.stale(files, out)]
    folder.write(files, out)
    return [out / "index.html"]


def markdown(
    boards: list[Board], pattern: str, store: Store | None, check: bool = False
) -> list[Path]:
    """Write the boards' tables.

    Arguments:
        pattern: A file, in which ``{board}`` stands for a board's name.

    Returns:
        The files written, or with ``check`` those that would change.

    Raises:
        UsageError: If a file cannot be written or has no place for a board.
    """
    texts: dict[Path, str] = {}
    before: dict[Path, str] = {}
    for board in boards:
        name = slug(board.name) if "/" in board.name or ".." in board.name else board.name
        path = Path(pattern.replace("{board}", name))
        if path not in texts:
            try:
                texts[path] = before[path] = path.read_text() if path.exists() else ""
            except (OSError, ValueError) as error:
                raise UsageError(f"cannot read {path}: {error}") from None
        part = readme.section(board, sources_of(board, store), path.parent)
        texts[path] = readme.insert(texts[path], board, part, str(path))
    changed = [path for path, text in texts.items() if text != before[path]]
    if not check:
        for path in changed:
            write_file(path, texts[path])
    return changed
