"""``mcbench leaderboard overview``: what a board's methods declare and cost."""

from __future__ import annotations

from pathlib import Path

import click

from mcbench.cli import options
from mcbench.cli.leaderboard.arguments import board_of


@click.command("overview")
@click.argument("name", type=options.Component("leaderboard"))
@options.storage
@options.formats
def command(name: str, home: Path | None, style: str) -> None:
    """Show what methods of the leaderboard NAME cost and lose.

    Declared by the methods: explicit formula, learnable, route. Measured: length, seconds, passes
    over the data, memory, accuracy.
    """
    from mcbench.leaderboard.table.overview import overview
    from mcbench.leaderboard.table.records import collect

    board = board_of(name)
    records = collect(board, options.open_store(home))
    options.show_tables([overview(board, records)], style)
