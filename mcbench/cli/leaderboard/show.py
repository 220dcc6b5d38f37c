"""``mcbench leaderboard show``: the table of a board."""

from __future__ import annotations

from pathlib import Path

import click

from mcbench.cli import options
from mcbench.cli.leaderboard.arguments import board_of
from mcbench.plugins.host import host


@click.command("show")
@click.argument("name", type=options.Component("leaderboard"))
@options.methods("Show your runs of this method too, though no row names it; repeat it.")
@options.storage
@options.formats
def command(name: str, methods: tuple[str, ...], home: Path | None, style: str) -> None:
    """Show the leaderboard NAME: measured beside published.

    Measured values have pairs, standard deviation and interval. They are the records in your
    store and those published with the leaderboard. Ranks say which methods can be told apart; an
    empty cell says why it is empty. Methods of entries have rows of their own. Leaderboards of
    ensembles ('mcbench list ensemble_boards') are shown too.
    """
    from mcbench.leaderboard.entry.sources import sources_of
    from mcbench.leaderboard.table.absence import failures
    from mcbench.leaderboard.table.records import records_of
    from mcbench.leaderboard.table.table import remarks, table

    store = options.open_store(home)
    if name in host().names("ensemble-board"):
        from mcbench.leaderboard.table import ensembles

        if methods:
            raise click.UsageError(
                f"'{name}' is a leaderboard of ensembles, which has no methods: leave out -m"
            )
        shown = ensembles.table(host().get("ensemble-board", name), store)
    else:
        board = board_of(name, methods)
        sources = sources_of(board, store)
        shown = table(board, records_of(board, sources), failures(board, store))
        shown.note = "\n".join(filter(None, [shown.note, *remarks(board, sources)]))
    options.show_tables([shown], style)
