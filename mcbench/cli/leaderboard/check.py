"""``mcbench leaderboard check``: whether entries keep to their board's protocol."""

from __future__ import annotations

from pathlib import Path

import click

from mcbench.cli.leaderboard.arguments import FILE, checked


@click.command("check")
@click.argument("files", metavar="FILE...", type=FILE, nargs=-1, required=True)
def command(files: tuple[Path, ...]) -> None:
    """Check that entries are whole and keep to their leaderboard.

    Fields, hashes, the protocol, and numbers against each other. Nothing is computed on data: see
    'verify'. Exit code 1 if a file is refused.
    """
    refused = False
    for file in files:
        pair = checked(file)
        refused |= pair is None
        if pair:
            entry, board = pair
            count = len(entry.records)
            click.echo(f"{file}: {count} records of {board.name} keep to its protocol")
    if refused:
        raise SystemExit(1)
