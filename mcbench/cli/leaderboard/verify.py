"""``mcbench leaderboard verify``: an entry's paths evaluated again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcbench.cli import options
from mcbench.cli.leaderboard.entries import FILE, checked

if TYPE_CHECKING:
    from mcbench.leaderboard.entry.verification import Verdict
    from mcbench.report.tables import Table


@click.command("verify")
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
def command(
    file: Path, points: str, seed: int | None, home: Path | None, style: str, **rest: Any
) -> None:
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
    entry, board = checked(file)
    methods = {item.record.method for item in entry.records}
    for text in rest["methods"]:
        if text not in methods:
            raise unknown(f"method in {file.name}", text, methods)
    how = How(
        count=None if points == "all" else int(points),
        seed=secrets.randbelow(2**31) if seed is None else seed,
        **rest,
    )
    lines: list[tuple[str, Verdict]] = []

    def observe(title: str, verdict: Verdict) -> None:
        lines.append((title, verdict))
        click.echo(f"mcbench: {title}: {verdict.state}", err=True)

    with progress():
        verdicts = verify(entry, board, options.open_store(home), how, observe)
    circumstances = {
        "provenance": provenance(device_of(how.device)),
        "points": points,
        "seed": how.seed,
        "tolerance": {"loss": LOSS, "accuracy": ACCURACY},
    }
    kept = verification.write(entry, verdicts, circumstances)
    options.show_tables([_table(file, lines)], style)
    click.echo(f"Kept in {kept}", err=True)
    if any(verdict.state != "confirmed" for verdict in verdicts.values()):
        raise SystemExit(1)


def _table(file: Path, lines: list[tuple[str, Verdict]]) -> Table:
    from mcbench.leaderboard.entry.gaps import ACCURACY, LOSS
    from mcbench.report.tables import Table

    heads = ["record", "state", "points", "loss", "accuracy", "why"]
    table = Table("verification", f"{file.name}: evaluated again", heads)
    for title, verdict in lines:
        exact = " bit for bit" if verdict.exact and verdict.state == "confirmed" else ""
        cells = {"record": title, "state": verdict.state + exact, "why": verdict.reason}
        if verdict.points:
            sent = "" if verdict.rebuilt else " sent"
            cells |= {"points": f"{verdict.points}{sent}"}
            cells |= {"loss": f"{verdict.loss:.2g}", "accuracy": f"{verdict.accuracy:.2g}"}
        table.add(cells, {"record": title, **asdict(verdict)})
    table.note = (
        f"Loss and accuracy: the largest difference. Confirmed are losses within {LOSS:.1%}, "
        f"accuracies within\n{ACCURACY} percentage points or one sample. Sent: the points that "
        "came along were evaluated, which does not show\nthat the method gives them."
    )
    return table
