"""``mcbench leaderboard publish``: boards as a site or as Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mcbench.cli import options
from mcbench.plugins.host import host


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
def command(
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
    stale = []
    if markdown is not None:
        stale += publish.markdown(declared, markdown, store, check)
    if out is not None:
        stale += publish.site(declared, out, store, check)
    for path in stale:
        click.echo(f"{path} is stale" if check else path)
    if check and stale:
        raise SystemExit(1)
