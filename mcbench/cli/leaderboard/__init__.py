"""``mcbench leaderboard``: declared tables, measured beside published; entries."""

from __future__ import annotations

import click

from mcbench.cli.leaderboard import entries, tables, verify


@click.group("leaderboard")
def command() -> None:
    """Show and publish leaderboards; submit, check, verify entries."""


for verb in (*tables.VERBS, *entries.VERBS, verify.command):
    command.add_command(verb)
