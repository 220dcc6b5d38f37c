"""``mcbench store``: stored files listed, verified, cleaned."""

from __future__ import annotations

import time
from pathlib import Path

import click

from mcbench.cli import options


@click.group("store")
def command() -> None:
    """List, verify and clean the stored results."""


@command.command("list")
@options.storage
@options.formats
def list_(home: Path | None, style: str) -> None:
    """List stored files with what they hold."""
    from mcbench.errors import DamagedError
    from mcbench.report.tables import Table
    from mcbench.store.store import KINDS

    store = options.open_store(home)
    table = Table("store", f"Store {store.root}", ["key", "kind", "what", "bytes", "written"])
    for entry in [entry for kind in KINDS for entry in store.entries(kind)]:
        try:
            what = store.title(entry)
        except DamagedError:
            what = "damaged"
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.modified))
        cells = [entry.key, entry.kind, what, f"{entry.bytes:,}", when]
        row = dict(zip(table.columns, cells, strict=True))
        table.add(row, row | {"bytes": entry.bytes})
    options.show_tables([table], style)


@command.command("verify")
@options.storage
def verify(home: Path | None) -> None:
    """Check every file against its hash. Exit code 1 if one is damaged."""
    from mcbench.errors import DamagedError
    from mcbench.store.store import KINDS

    store = options.open_store(home)
    entries = [entry for kind in KINDS for entry in store.entries(kind)]
    damaged = 0
    for entry in entries:
        try:
            store.check(entry)
        except DamagedError as error:
            damaged += 1
            click.echo(f"mcbench: {error}", err=True)
    click.echo(f"{len(entries)} files, {damaged} damaged in {store.root}")
    if damaged:
        click.echo("Damaged files are computed again when they are needed.", err=True)
        raise SystemExit(1)


@command.command("gc")
@options.storage
@click.option("--dry-run", is_flag=True, help="Only count what would be deleted.")
@click.option(
    "--older-than",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Spare files younger than so many minutes: they may be in use.",
)
def gc(home: Path | None, dry_run: bool, older_than: float) -> None:  # fmt: skip
    """Delete what no result needs: left-overs, failures, locks."""
    store = options.open_store(home)
    paths = store.garbage(older_than * 60)
    size = sum(path.stat().st_size for path in paths)
    for path in () if dry_run else paths:
        path.unlink(missing_ok=True)
    verb = "would delete" if dry_run else "deleted"
    click.echo(f"{verb} {len(paths)} files, {size:,} bytes, in {store.root}")
