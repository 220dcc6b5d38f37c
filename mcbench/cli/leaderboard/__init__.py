"""``mcbench leaderboard``: declared tables, measured beside published; entries."""

from __future__ import annotations

import click

from mcbench.cli.leaderboard import add, check, overview, publish, show, submit, verify


@click.group("leaderboard")
def command() -> None:
    """Show and publish leaderboards; submit, check, verify entries."""


for verb in (show, overview, submit, check, verify, add, publish):
    command.add_command(verb.command)
