"""``mcbench doctor``: checks of versions, device, plugins, store and data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from mcbench.cli import options
from mcbench.errors import McbenchError


@click.command("doctor")
@options.storage
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Where data are looked for first (default: $MCBENCH_DATA).",
)
def command(home: Path | None, data_dir: Path | None) -> None:
    """Check versions, device, plugins, store and data. Exit code 1 if something is wrong."""
    wrong = 0
    for fine, line in _checks(home, data_dir):
        mark = click.style("ok   ", fg="green") if fine else click.style("WRONG", fg="red")
        click.echo(f"{mark} {line}")
        wrong += not fine
    if wrong:
        raise SystemExit(1)


def _checks(home: Path | None, data_dir: Path | None) -> Iterator[tuple[bool, str]]:
    from mcbench.cli.plugins import hidden_commands
    from mcbench.plugins.host import host
    from mcbench.problem.loading import directories, find
    from mcbench.store.provenance import provenance

    try:
        import torch
        import torchvision  # noqa: F401

        here = provenance("cuda" if torch.cuda.is_available() else "cpu")
        versions = ", ".join(f"{k} {v}" for k, v in here["packages"].items())
        yield True, f"python {here['python']}, {versions}"
        yield True, f"device {here['device']}, {here['threads']} threads"
    except Exception as error:
        yield False, f"torch and torchvision cannot be imported: {error}"
        return

    for plugin in host().listing():
        if plugin.errors or plugin.distribution != "mcbench":
            title = f"plugin {plugin.name} ({plugin.distribution} {plugin.version})"
            yield not plugin.errors, "; ".join([title, *plugin.errors])
    for conflict in [*host().conflicts(), *hidden_commands()]:
        yield False, conflict

    store = options.open_store(home)
    existing = next(p for p in (store.root, *store.root.parents) if p.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK)
    yield writable, f"store {store.root} is {'writable' if writable else 'not writable'}"

    for name in host().names("dataset"):
        dataset = host().find("dataset", name).component
        places = directories(data_dir, store)
        try:
            place = next((p for p in places if find(dataset, p) is not None), None)
            where = "embedded" if find(dataset, Path(os.devnull)) == [] else f"in {place}"
        except McbenchError as error:
            yield False, f"data {name}: {error}"
            continue
        absent = "not on disk" + (", downloads when needed" if dataset.download else "")
        yield True, f"data {name}: {where if place else absent}"
