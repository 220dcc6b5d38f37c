"""``mcbench leaderboard submit``, ``check`` and ``add``: entries made, checked, added."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcbench.cli import options
from mcbench.cli.leaderboard.tables import board_of
from mcbench.errors import EntryError, McbenchError, RunError, one_line

if TYPE_CHECKING:
    from mcbench.leaderboard.board.board import Board
    from mcbench.leaderboard.entry.entry import Entry

FILE = click.Path(path_type=Path, dir_okay=False)


def checked(file: Path) -> tuple[Entry, Board]:
    """An entry and its board.

    Raises:
        EntryError: If the entry is refused.
    """
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
        raise EntryError(f"{name}: {error}") from None
    for line in untested:
        click.echo(f"mcbench: {name}: not checked: {line}", err=True)
    return entry, board


@click.command("submit")
@click.argument("board", metavar="BOARD", type=options.Component("leaderboard"))
@click.option("-o", "--out", type=FILE, help="The file (default: BOARD-entry.json).")
@click.option("--name", default="", help="Who measured.")
@click.option("--note", default="", help="One line for readers.")
@click.option("--with-paths", is_flag=True, help="Pack the paths' evaluated points too.")
@click.option("--force", is_flag=True, help="Pack points however many MiB they take.")
@options.methods("Only the records of this method, on a row or not; repeat it. Default: all rows.")
@options.storage
@options.computing
def submit(
    board: str, out: Path | None, with_paths: bool, methods: tuple[str, ...], **rest: Any
) -> None:
    """Pack your records of BOARD into one entry file.

    It has the records with versions, hardware, seeds and cost, the recipe of every path, and
    hashes of the records, the endpoints, the plugins and the whole. With --with-paths the points
    go to a second file beside it. The same records give the same file.
    """
    from dataclasses import replace

    from mcbench.leaderboard.entry.entry import read, write
    from mcbench.leaderboard.submission import submission
    from mcbench.leaderboard.submission.check import check
    from mcbench.leaderboard.table.records import collect

    declared, store = board_of(board, methods), options.open_store(rest["home"])
    records = collect(replace(declared, folder=None), store)
    records = {m: pairs for m, pairs in records.items() if m in (methods or records)}
    if not records:
        raise click.UsageError(f"no run of '{board}' is stored: mcbench run --leaderboard {board}")
    file = out or Path(f"{declared.name}-entry.json")
    content = submission.content(declared, records, store, rest["name"], rest["note"])
    if with_paths:
        every = [record for pairs in records.values() for record in pairs.values()]
        experiment = options.prepare(submission.plan_of(declared, every), rest)
        content = submission.with_paths(content, file, experiment, rest["force"])
    write(file, content)
    try:
        entry = read(file)
        check(entry, declared)
    except McbenchError as error:  # What would be refused is not handed out.
        file.unlink()
        raise RunError(f"nothing is submitted: {error}") from None
    click.echo(f"{len(entry.records)} records written to {file} ({file.stat().st_size:,} bytes)")
    if with_paths:
        click.echo(f"their points written to {entry.points} ({content['paths']['bytes']:,} bytes)")
    for key, endpoint in content["endpoints"].items():
        if endpoint["sha256"] is None:
            who = f"the endpoint of seed {endpoint['seed']} ({key})"
            line = f"mcbench: {who} is not in the store: it has no hash in the entry"
            click.echo(line, err=True)
    click.echo(f"Next: mcbench leaderboard verify {file}", err=True)


@click.command("check")
@click.argument("files", metavar="FILE...", type=FILE, nargs=-1, required=True)
def check(files: tuple[Path, ...]) -> None:
    """Check that entries are whole and keep to their leaderboard.

    Fields, hashes, the protocol, and numbers against each other. Nothing is computed on data: see
    'verify'. Exit code 1 if a file is refused.
    """
    refused = False
    for file in files:
        try:
            entry, board = checked(file)
        except EntryError as error:
            refused = True
            click.echo(f"mcbench: {one_line(error)}", err=True)
        else:
            count = len(entry.records)
            click.echo(f"{file}: {count} records of {board.name} keep to its protocol")
    if refused:
        raise SystemExit(1)


@click.command("add")
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Add it though records are in conflict.")
def add(file: Path, force: bool) -> None:
    """Add the entry FILE to those of its leaderboard.

    It is checked, and copied with its verification. Records that are there already are no harm.
    If a record has other numbers than one of the same run that is there, the conflict is printed
    and nothing is copied, unless --force is given.
    """
    from mcbench.leaderboard.entry.sources import add

    entry, board = checked(file)
    target, conflicts = add(board, entry, force)
    for line in conflicts:
        click.echo(f"mcbench: {line}", err=True)
    if target is None:
        raise RunError("nothing was added; --force adds it all the same")
    click.echo(f"{file} is in {target}")


VERBS = (submit, check, add)
