"""``mcbench leaderboard submit``: an entry made of the records in a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcbench.cli import options
from mcbench.cli.leaderboard.arguments import FILE, board_of

if TYPE_CHECKING:
    from mcbench.leaderboard.entry.entry import Entry


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
def command(
    board: str, out: Path | None, with_paths: bool, methods: tuple[str, ...], **rest: Any
) -> None:
    """Pack your records of BOARD into one entry file.

    It has the records with versions, hardware, seeds and cost, the recipe of every path, and
    hashes of the records, the endpoints, the plugins and the whole. With --with-paths the points
    go to a second file beside it. The same records give the same file.
    """
    from dataclasses import replace

    from mcbench.errors import McbenchError, RunError
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
        from mcbench.experiments.experiment import Experiment

        every = [record for pairs in records.values() for record in pairs.values()]
        plan = submission.plan_of(declared, every)
        experiment = Experiment(plan, store, rest["data_dir"], rest["device"])
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
    _unhashed_endpoints(entry)
    click.echo(f"Next: mcbench leaderboard verify {file}", err=True)


def _unhashed_endpoints(entry: Entry) -> None:
    for key, endpoint in entry.content["endpoints"].items():
        if endpoint["sha256"] is None:
            click.echo(
                f"mcbench: the endpoint of seed {endpoint['seed']} ({key}) is not in the store: "
                "it has no hash in the entry",
                err=True,
            )
