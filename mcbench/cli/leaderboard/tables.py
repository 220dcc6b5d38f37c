"""``mcbench leaderboard show``, ``overview`` and ``publish``: the tables of boards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcbench.cli import options
from mcbench.plugins.host import host

if TYPE_CHECKING:
    from mcbench.leaderboard.board.board import Board


def board_of(name: str, methods: tuple[str, ...] = ()) -> Board:
    """A board with rows for the methods of its entries, and for ``methods``."""
    from mcbench.leaderboard.table.guests import with_guests, with_methods

    return with_methods(with_guests(host().get("leaderboard", name)), methods)


@click.command("show")
@click.argument("name", type=options.Component("leaderboard"))
@options.methods("Show your runs of this method too, though no row names it; repeat it.")
@options.storage
@options.formats
def show(name: str, methods: tuple[str, ...], home: Path | None, style: str) -> None:
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


@click.command("overview")
@click.argument("name", type=options.Component("leaderboard"))
@options.storage
@options.formats
def overview(name: str, home: Path | None, style: str) -> None:
    """Show what methods of the leaderboard NAME cost and lose.

    Declared by the methods: explicit formula, learnable, route. Measured: length, seconds, passes
    over the data, memory, accuracy.
    """
    from mcbench.leaderboard.table import overview
    from mcbench.leaderboard.table.records import collect

    board = board_of(name)
    table = overview.overview(board, collect(board, options.open_store(home)))
    options.show_tables([table], style)


@click.command("publish")
@click.argument("boards", nargs=-1, metavar="[BOARD]...", type=options.Component("leaderboard"))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the site; one that has other things in it is refused.",
)
@click.option(
    "--markdown",
    metavar="FILE",
    help="Tables as Markdown: FILE is written, or, where it has the marks of a board, the part "
    "between them. '{board}' in it stands for the name of each.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if something is stale.")
@click.option(
    "--with-store", is_flag=True, help="Show your own records too, not only published entries."
)
@options.methods("With --with-store: your runs of this method too, though no row names it.")
@options.storage
def publish(
    boards: tuple[str, ...], out: Path | None, markdown: str | None, check: bool, **rest: Any
) -> None:
    """Publish each BOARD (default: all) as a site or Markdown.

    \b
      mcbench leaderboard publish --out site
      mcbench leaderboard publish icml2020-mnist --markdown README.md
      mcbench leaderboard publish --markdown 'leaderboards/{board}/README.md' --check

    The site is static: it needs no server and asks no other; the same entries give the same files.
    """
    from mcbench.leaderboard import publish
    from mcbench.leaderboard.table.guests import with_methods

    if out is None and markdown is None:
        raise click.UsageError("name a folder with --out, or a file with --markdown")
    if rest["methods"] and not rest["with_store"]:
        raise click.UsageError("--method chooses among your own records: give --with-store")
    declared = [
        with_methods(host().get("leaderboard", name), rest["methods"])
        for name in boards or host().names("leaderboard")
    ]
    store = options.open_store(rest["home"]) if rest["with_store"] else None
    stale = publish.markdown(declared, markdown, store, check) if markdown is not None else []
    stale += publish.site(declared, out, store, check) if out is not None else []
    for path in stale:
        click.echo(f"{path} is stale" if check else path)
    if check and stale:
        raise SystemExit(1)


VERBS = (show, overview, publish)
