"""Arguments of the verbs of ``mcbench leaderboard``: boards, and entries that were checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mcbench.plugins.host import host

if TYPE_CHECKING:
    from mcbench.leaderboard.board.board import Board
    from mcbench.leaderboard.entry.entry import Entry

FILE = click.Path(path_type=Path, dir_okay=False)


def board_of(name: str, methods: tuple[str, ...] = ()) -> Board:
    """A board with rows for the methods of its entries, and for ``methods``."""
    from mcbench.leaderboard.table.guests import with_guests, with_methods

    return with_methods(with_guests(host().get("leaderboard", name)), methods)


def checked(file: Path) -> tuple[Entry, Board] | None:
    """An entry and its board; ``None`` after printing why the entry is refused."""
    from mcbench.errors import EntryError, one_line
    from mcbench.leaderboard.entry.entry import quoted, read
    from mcbench.leaderboard.submission import check
    from mcbench.leaderboard.submission.points import check_file

    name = quoted(str(file), 1000)[1:-1]
    try:
        entry = read(file)
        board = check.board_of(entry)
        untested = check.check(entry, board)
        if entry.content.get("paths") and entry.points.exists():
            check_file(entry)
    except EntryError as error:
        click.echo(f"mcbench: {name}: {one_line(error)}", err=True)
        return None
    for line in untested:
        click.echo(f"mcbench: {name}: not checked: {line}", err=True)
    return entry, board


def passed(file: Path) -> tuple[Entry, Board]:
    """See `checked`; the program ends with exit code 1 if the entry is refused."""
    pair = checked(file)
    if pair is None:
        raise SystemExit(1)
    return pair
