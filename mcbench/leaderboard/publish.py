"""Leaderboards written to files: a site, and Markdown for READMEs."""

from __future__ import annotations

from pathlib import Path

from mcbench.errors import UsageError
from mcbench.leaderboard.board.board import Board
from mcbench.store.store import Store


def site(boards: list[Board], out: Path, store: Store | None, check: bool = False) -> list[Path]:
    """Write the site; what was written, or with ``check`` what would change.

    Raises:
        UsageError: If ``out`` cannot be written, or has other things in it.
    """
    from mcbench.leaderboard.site import folder, pages

    files = pages.site(boards, store)
    if check:
        return [out / name for name in folder.stale(files, out)]
    folder.write(files, out)
    return [out / "index.html"]


def markdown(
    boards: list[Board], pattern: str, store: Store | None, check: bool = False
) -> list[Path]:
    """Write the boards' tables; what was written, or with ``check`` what would change.

    Arguments:
        pattern: A file, in which ``{board}`` stands for a board's name.

    Raises:
        UsageError: If a file cannot be written or has no place for a board.
    """
    from mcbench.leaderboard.entry.merging import gathered
    from mcbench.leaderboard.table import readme

    texts: dict[Path, str] = {}
    before: dict[Path, str] = {}
    for board in boards:
        path = _place(pattern, board)
        if path not in texts:
            texts[path] = before[path] = _read(path)
        part = readme.section(board, gathered(board, store), path.parent)
        texts[path] = readme.insert(texts[path], board, part, str(path))
    changed = [path for path, text in texts.items() if text != before[path]]
    if not check:
        for path in changed:
            _write(path, texts[path])
    return changed


def _place(pattern: str, board: Board) -> Path:
    from mcbench.leaderboard.site.names import slug

    safe = board.name if "/" not in board.name and ".." not in board.name else slug(board.name)
    return Path(pattern.replace("{board}", safe))


def _read(path: Path) -> str:
    try:
        return path.read_text() if path.exists() else ""
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
