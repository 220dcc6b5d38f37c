"""``mcbench plugins``: installed plugins, their components and errors."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from mcbench.plugins.host import host


def hidden_commands() -> list[str]:
    """A line for every command of a plugin that a built-in verb hides."""
    from mcbench.cli import VERBS

    return [
        f"the command '{name}' of {claim.plugin.name} ({claim.plugin.distribution}) is hidden by "
        f"the built-in '{name}': it needs another name"
        for name, claims in host().provided("command").items()
        for claim in claims
        if name in VERBS
    ]


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(as_json: bool) -> None:
    """List plugins: version, what each provides, and errors.

    MCBENCH_LOAD_PLUGINS loads some only: names of plugins or distributions, with commas between
    them; empty loads none but the built-ins.
    """
    plugins = host().listing()
    conflicts = [*host().conflicts(), *hidden_commands()]
    if as_json:
        listed = [asdict(plugin) for plugin in plugins]
        click.echo(json.dumps({"plugins": listed, "conflicts": conflicts}, indent=2))
        return
    for plugin in plugins:
        click.echo(f"{plugin.name} ({plugin.distribution} {plugin.version})")
        for kind, names in plugin.provides.items():
            click.echo(f"  {kind}: {', '.join(names)}")
        for error in plugin.errors:
            click.secho(f"  error: {error}", fg="red")
    for conflict in conflicts:
        click.secho(f"conflict: {conflict}", fg="red")
