"""``mcbench leaderboard add``: an entry copied to those of its board."""

from __future__ import annotations

from pathlib import Path

import click

from mcbench.cli.leaderboard.arguments import FILE, passed


@click.command("add")
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Add it though records are in conflict.")
def command(file: Path, force: bool) -> None:
    """Add the entry FILE to those of its leaderboard.

    It is checked, and copied with its verification. Records that are there already are no harm.
    If a record has other numbers than one of the same run that is there, the conflict is printed
    and nothing is copied, unless --force is given.
    """
    from mcbench.leaderboard.entry.sources import add

    entry, board = passed(file)
    target, conflicts = add(board, entry, force)
    for line in conflicts:
        click.echo(f"mcbench: {line}", err=True)
    if target is None:
        click.echo("mcbench: nothing was added; --force adds it all the same", err=True)
        raise SystemExit(1)
    click.echo(f"{file} is in {target}")
