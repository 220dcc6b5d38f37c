"""The page of the commands, from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from docs.pages import text
from mcbench.cli import main

INTRODUCTION = """# Commands

What `mcbench VERB --help` prints, for all verbs; plugins may add further ones. Exit codes,
environment variables and completion are in [Command line](../cli.md).
"""


def page() -> str:
    """The program and all its verbs."""
    context = click.Context(main, info_name="mcbench", **main.context_settings)
    return "\n\n".join([INTRODUCTION, *sections(main, context)])


def sections(command: click.Command, context: click.Context) -> Iterator[str]:
    """A command, then those below it."""
    yield section(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from sections(below, click.Context(below, context, info_name=name))


def section(command: click.Command, context: click.Context) -> str:
    """One command: how it is called, what it does, its options."""
    path = context.command_path
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    records = [p.get_help_record(context) for p in command.get_params(context)]
    rows = [(text.code(r[0]), text.cell(r[1])) for r in records if r]
    parts = [f"## {path}", text.fenced(usage, "text"), *described(command.help or "")]
    return "\n\n".join([*parts, text.table(["option", "meaning"], rows)])


def described(help: str) -> Iterator[str]:
    """The paragraphs of a help text; those that click leaves as they are, as code."""
    for paragraph in inspect.cleandoc(help).split("\n\n"):
        if paragraph.lstrip().startswith("\b"):
            first, _, rest = paragraph.replace("\b", "", 1).strip("\n").partition("\n")
            if first.strip().endswith(":"):
                yield text.prose(first)
                first = ""
            yield text.fenced(inspect.cleandoc(f"{first}\n{rest}"), "sh")
        else:
            yield text.prose(paragraph)
