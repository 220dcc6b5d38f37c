"""``mcbench leaderboard``: declared tables, measured beside published; entries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcbench.cli import options
from mcbench.plugins.host import host

if TYPE_CHECKING:
    from mcbench.leaderboard.board.board import Board
    from mcbench.leaderboard.entry.entry import Entry
    from mcbench.leaderboard.entry.verification import Outcome

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("leaderboard")
def command() -> None:
    """Show and publish leaderboards; submit, check, verify entries."""


@command.command("show")
@click.argument("name", type=options.Component("leaderboard"))
@options.methods("Show your runs of this method too, though no row names it; repeat it.")
@options.storage
@options.formats
def show(
    name: str, methods: tuple[str, ...], home: Path | None, style: str, as_json: bool
) -> None:
    """Show the leaderboard NAME: measured beside published.

    Measured values have pairs, standard deviation and interval. They are the records in your
    store and those published with the leaderboard. Ranks say which methods can be told apart; an
    empty cell says why it is empty. Methods of entries have rows of their own. Leaderboards of
    ensembles ('mcbench list ensemble_boards') are shown too.
    """
    from mcbench.leaderboard.entry.merging import gathered
    from mcbench.leaderboard.table.absence import failures
    from mcbench.leaderboard.table.standing import chosen
    from mcbench.leaderboard.table.table import remarks, table

    if name in host().names("ensemble-board"):
        from mcbench.leaderboard.table import ensembles

        if methods:
            raise click.UsageError(f"'{name}' is a leaderboard of ensembles: it has no methods")
        of_ensembles = ensembles.table(
            host().get("ensemble-board", name), options.open_store(home)
        )
        options.show_tables([of_ensembles], style, as_json)
        return
    board, store = _board(name, methods), options.open_store(home)
    sources = gathered(board, store)
    shown = table(board, chosen(board, sources), failures(board, store))
    shown.note = "\n".join(filter(None, [shown.note, *remarks(board, sources)]))
    options.show_tables([shown], style, as_json)


@command.command("overview")
@click.argument("name", type=options.Component("leaderboard"))
@options.storage
@options.formats
def overview(name: str, home: Path | None, style: str, as_json: bool) -> None:
    """Show what methods of the leaderboard NAME cost and lose.

    Declared by the methods: explicit formula, learnable, route. Measured: length, seconds, passes
    over the data, memory, accuracy.
    """
    from mcbench.leaderboard.table.overview import overview
    from mcbench.leaderboard.table.standing import collect

    board = _board(name)
    records = collect(board, options.open_store(home))
    options.show_tables([overview(board, records)], style, as_json)


def _board(name: str, methods: tuple[str, ...] = ()) -> Board:
    """A board with rows for the methods of its entries, and for ``methods``."""
    from mcbench.leaderboard.table.guests import with_guests, with_methods

    return with_methods(with_guests(host().get("leaderboard", name)), methods)


@command.command("submit")
@click.argument("name", metavar="BOARD", type=options.Component("leaderboard"))
@click.option("-o", "--out", type=FILE, help="The file (default: BOARD-entry.json).")
@click.option("--name", "who", default="", help="Who measured.")
@click.option("--note", default="", help="One line for readers.")
@click.option("--with-paths", is_flag=True, help="Pack the paths' evaluated points too.")
@click.option("--force", is_flag=True, help="Pack points however many MiB they take.")
@options.methods("Only the records of this method, on a row or not; repeat it. Default: all rows.")
@options.storage
@options.computing
def submit(
    name: str, out: Path | None, who: str, note: str, with_paths: bool, force: bool,
    methods: tuple[str, ...], home: Path | None, data_dir: Path | None, device: str,
) -> None:  # fmt: skip
    """Pack your records of BOARD into one entry file.

    It has the records with versions, hardware, seeds and cost, the recipe of every path, and
    hashes of the records, the endpoints, the plugins and the whole. With --with-paths the points
    go to a second file beside it. The same records give the same file.
    """
    from dataclasses import replace

    from mcbench.errors import McbenchError, RunError
    from mcbench.leaderboard.entry.entry import read
    from mcbench.leaderboard.submission import submission
    from mcbench.leaderboard.submission.check import check
    from mcbench.leaderboard.table.standing import collect

    board, store = _board(name, methods), options.open_store(home)
    records = collect(replace(board, folder=None), store)
    records = {m: pairs for m, pairs in records.items() if m in (methods or records)}
    if not records:
        raise click.UsageError(f"no run of '{name}' is stored: mcbench run --leaderboard {name}")
    file = out or Path(f"{board.name}-entry.json")
    content = submission.content(board, records, store, who, note)
    if with_paths:
        from mcbench.experiments.experiment import Experiment

        every = [record for pairs in records.values() for record in pairs.values()]
        experiment = Experiment(submission.plan_of(board, every), store, data_dir, device)
        content = submission.with_paths(content, file, experiment, force)
    submission.write(file, content)
    try:
        entry = read(file)
        check(entry, board)
    except McbenchError as error:  # What would be refused is not handed out.
        file.unlink()
        raise RunError(f"nothing is submitted: {error}") from None
    click.echo(f"{len(entry.records)} records written to {file} ({file.stat().st_size:,} bytes)")
    if with_paths:
        click.echo(f"their points written to {entry.points} ({content['paths']['bytes']:,} bytes)")
    _unknown_endpoints(entry)
    click.echo(f"Next: mcbench leaderboard verify {file}", err=True)


def _unknown_endpoints(entry: Entry) -> None:
    for key, endpoint in entry.content["endpoints"].items():
        if endpoint["sha256"] is None:
            click.echo(
                f"mcbench: the endpoint of seed {endpoint['seed']} ({key}) is not in the store: "
                "it has no hash in the entry",
                err=True,
            )


@command.command("check")
@click.argument("files", metavar="FILE...", type=FILE, nargs=-1, required=True)
def check(files: tuple[Path, ...]) -> None:
    """Check that entries are whole and keep to their leaderboard.

    Fields, hashes, the protocol, and numbers against each other. Nothing is computed on data: see
    'verify'. Exit code 1 if a file is refused.
    """
    refused = False
    for file in files:
        checked = _checked(file)
        refused |= checked is None
        if checked:
            entry, board = checked
            count = len(entry.records)
            click.echo(f"{file}: {count} records of {board.name} keep to its protocol")
    if refused:
        raise SystemExit(1)


def _checked(file: Path) -> tuple[Entry, Board] | None:
    """An entry and its board; or ``None``, when it was said why it is refused."""
    from mcbench.errors import EntryError, one_line
    from mcbench.leaderboard.entry.entry import quoted, read
    from mcbench.leaderboard.submission import check
    from mcbench.leaderboard.submission.points import check_file

    try:
        entry = read(file)
        board = check.board_of(entry)
        untested = check.check(entry, board)
        if entry.content.get("paths") and entry.points.exists():
            check_file(entry)
    except EntryError as error:
        click.echo(f"mcbench: {quoted(str(file), 1000)[1:-1]}: {one_line(error)}", err=True)
        return None
    for line in untested:
        click.echo(f"mcbench: {quoted(str(file), 1000)[1:-1]}: not checked: {line}", err=True)
    return entry, board


@command.command("verify")
@click.argument("file", type=FILE)
@click.option(
    "--points",
    default="all",
    show_default=True,
    help="How many points of each path are evaluated, beside A: a number, or all.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="Seed of the choice of points (default: drawn, and kept with the result).",
)
@click.option("--train", is_flag=True, help="Train endpoints that the store does not have.")
@click.option("--rebuild", is_flag=True, help="Build paths again though their points came along.")
@options.methods("Only the records of this method; repeat it. Default: all.")
@options.storage
@options.computing
@options.formats
def verify(
    file: Path, points: str, seed: int | None, train: bool, rebuild: bool,
    methods: tuple[str, ...], home: Path | None, data_dir: Path | None, device: str,
    style: str, as_json: bool,
) -> None:  # fmt: skip
    """Verify the entry FILE: evaluate its paths again, compare.

    Paths are built again, or taken as they came along. Each record is confirmed, differs, or
    cannot be verified, with the reason. The result is kept beside the entry, as FILE with the
    suffix .verified.json.

    Exit code 0: all confirmed; 1: a record differs or cannot be verified; 2: wrong usage.
    """
    import secrets

    from mcbench.cli.progress import progress
    from mcbench.errors import unknown
    from mcbench.leaderboard.entry import verification
    from mcbench.leaderboard.entry.gaps import ACCURACY, LOSS
    from mcbench.leaderboard.submission.verify import How, verify
    from mcbench.problem.device import device_of
    from mcbench.store.provenance import provenance

    if points != "all" and not (points.isdecimal() and 0 < int(points) < 10**9):
        raise click.UsageError(f"--points is a number of points, or all, not '{points}'")
    checked = _checked(file)
    if checked is None:
        raise SystemExit(1)
    entry, board = checked
    known = [item.record.method for item in entry.records]
    for text in methods:
        if text not in known:
            raise unknown(f"method in {file.name}", text, set(known))
    count = None if points == "all" else int(points)
    chosen = secrets.randbelow(2**31) if seed is None else seed
    how = How(data_dir, device, count, chosen, train, rebuild, methods)
    lines: list[tuple[str, Outcome]] = []

    def observe(what: str, outcome: Outcome) -> None:
        lines.append((what, outcome))
        click.echo(f"mcbench: {what}: {outcome.state}", err=True)

    with progress():
        outcomes = verify(entry, board, options.open_store(home), how, observe)
    written = verification.write(
        entry,
        outcomes,
        {
            "provenance": provenance(device_of(device)),
            "points": points,
            "seed": chosen,
            "tolerance": {"loss": LOSS, "accuracy": ACCURACY},
        },
    )
    options.show_tables([_verified(file, lines)], style, as_json)
    click.echo(f"Kept in {written}", err=True)
    if any(outcome.state != "confirmed" for outcome in outcomes.values()):
        raise SystemExit(1)


def _verified(file: Path, lines: list[tuple[str, Outcome]]) -> Any:
    from dataclasses import asdict

    from mcbench.leaderboard.entry.gaps import ACCURACY, LOSS
    from mcbench.report.tables import Table

    heads = ["record", "state", "points", "loss", "accuracy", "why"]
    table = Table("verification", f"{file.name}: evaluated again", heads)
    for what, outcome in lines:
        exact = " bit for bit" if outcome.exact and outcome.state == "confirmed" else ""
        cells = {"record": what, "state": outcome.state + exact, "why": outcome.reason}
        if outcome.points:
            how = "" if outcome.rebuilt else " sent"
            cells |= {"points": f"{outcome.points}{how}"}
            cells |= {"loss": f"{outcome.loss:.2g}", "accuracy": f"{outcome.accuracy:.2g}"}
        table.add(cells, {"record": what, **asdict(outcome)})
    table.note = (
        f"Loss and accuracy: the largest difference. Confirmed are losses within {LOSS:.1%}, "
        f"accuracies within\n{ACCURACY} percentage points or one sample. Sent: the points that "
        "came along were evaluated, which does not show\nthat the method gives them."
    )
    return table


@command.command("add")
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Add it though records are in conflict.")
def add(file: Path, force: bool) -> None:
    """Add the entry FILE to those of its leaderboard.

    It is checked, and copied with its verification. Records that are there already are no harm.
    If a record has other numbers than one of the same run that is there, that is said and nothing
    is copied, unless it is forced.
    """
    from mcbench.leaderboard.entry.merging import add

    checked = _checked(file)
    if checked is None:
        raise SystemExit(1)
    entry, board = checked
    there, said = add(board, entry, force)
    for line in said:
        click.echo(f"mcbench: {line}", err=True)
    if there is None:
        click.echo("mcbench: nothing was added: see --force", err=True)
        raise SystemExit(1)
    click.echo(f"{file} is in {there}")


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
@options.methods("With --with-store: your runs of this method too, though no row names it.")
@options.storage
def publish(
    boards: tuple[str, ...],
    out: Path | None,
    markdown: str | None,
    check: bool,
    with_store: bool,
    methods: tuple[str, ...],
    home: Path | None,
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
    if methods and not with_store:
        raise click.UsageError("--method chooses among your own records: give --with-store")
    chosen = [
        with_methods(host().get("leaderboard", name), methods)
        for name in boards or host().names("leaderboard")
    ]
    store = options.open_store(home) if with_store else None
    stale = []
    if markdown is not None:
        stale += publish.markdown(chosen, markdown, store, check)
    if out is not None:
        stale += publish.site(chosen, out, store, check)
    for path in stale:
        click.echo(f"{path} is stale" if check else path)
    if check and stale:
        raise SystemExit(1)
