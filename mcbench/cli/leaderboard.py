"""``mcbench leaderboard``: declared tables, measured beside published."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mcbench.cli import options
from mcbench.plugins import host


@click.group("leaderboard")
def command() -> None:
    """Show leaderboards: measured beside published."""


@command.command("show")
@click.argument("name", type=options.Component("leaderboard"))
@options.storage
@options.formats
def show(name: str, home: Path | None, style: str, as_json: bool) -> None:
    """Show the leaderboard NAME: measured values with pairs, std and interval beside the paper's.

    Measured are the records in your store and those published with the leaderboard.
    """
    from mcbench.leaderboard.standing import collect, table

    board = host().get("leaderboard", name)
    records = collect(board, options.open_store(home))
    options.show_tables([table(board, records)], style, as_json)


@command.command("overview")
@click.argument("name", type=options.Component("leaderboard"))
@options.storage
@options.formats
def overview(name: str, home: Path | None, style: str, as_json: bool) -> None:
    """Show the methods of the leaderboard NAME: their route, what they cost, what they lose.

    Declared by the methods: explicit formula, learnable, route. Measured: length, seconds, passes
    over the data, memory, accuracy.
    """
    from mcbench.leaderboard.overview import overview
    from mcbench.leaderboard.standing import collect

    board = host().get("leaderboard", name)
    records = collect(board, options.open_store(home))
    options.show_tables([overview(board, records)], style, as_json)


@command.command("export")
@click.argument("name", type=options.Component("leaderboard"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.storage
def export(name: str, file: Path, home: Path | None) -> None:
    """Write your records of the leaderboard NAME, with their provenance, to FILE (JSON)."""
    from dataclasses import replace

    from mcbench.leaderboard.standing import collect, entry

    board = host().get("leaderboard", name)
    records = collect(replace(board, folder=None), options.open_store(home))
    count = sum(len(pairs) for pairs in records.values())
    if not count:
        raise click.UsageError(f"no run of '{name}' is stored: mcbench run --leaderboard {name}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(entry(board, records), sort_keys=True) + "\n")
    click.echo(f"{count} records written to {file}")


@command.command("publish")
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
@options.storage
def publish(
    boards: tuple[str, ...],
    out: Path | None,
    markdown: str | None,
    check: bool,
    with_store: bool,
    home: Path | None,
) -> None:
    """Publish leaderboards (default: all) as a static site, or as Markdown for a README.

    \b
      mcbench leaderboard publish --out site
      mcbench leaderboard publish icml2020-mnist --markdown README.md
      mcbench leaderboard publish --markdown 'leaderboards/{board}/README.md' --check

    The site needs no server and asks no other; the same entries give the same files.
    """
    from mcbench.leaderboard import publishing

    if out is None and markdown is None:
        raise click.UsageError("name a folder with --out, or a file with --markdown")
    chosen = [host().get("leaderboard", name) for name in boards or host().names("leaderboard")]
    store = options.open_store(home) if with_store else None
    stale = []
    if markdown is not None:
        stale += publishing.markdown(chosen, markdown, store, check)
    if out is not None:
        stale += publishing.site(chosen, out, store, check)
    for path in stale:
        click.echo(f"{path} is stale" if check else path)
    if check and stale:
        raise SystemExit(1)
