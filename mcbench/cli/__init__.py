"""The command line: one file per verb, heavy imports inside the verbs."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Any

import click

from mcbench.errors import McbenchError, one_line, unknown

VERBS = (
    "run", "train", "list", "show", "plot", "ensemble", "explore", "leaderboard", "plugins",
    "plugin", "store", "doctor",
)  # fmt: skip
"""Built-in subcommands, in the order of the help; each is a module of this package."""


class Verbs(click.Group):
    """The built-in verbs, then those of plugins. Errors become one line and an exit code."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Built-in verbs first."""
        from mcbench.plugins.host import host

        return [*VERBS, *(n for n in host().names("command") if n not in VERBS)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The verb of that name; its module is imported only now."""
        if name in VERBS:
            module = "list_" if name == "list" else name  # A `list` here would hide Python's.
            command: click.Command = import_module(f"mcbench.cli.{module}").command
            return command
        from mcbench.plugins.host import host

        provided = host().names("command")
        return host().find("command", name).component if name in provided else None

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; the error for an unknown one suggests the nearest."""
        if args and not args[0].startswith("-") and self.get_command(context, args[0]) is None:
            raise click.UsageError(str(unknown("command", args[0], self.list_commands(context))))
        return super().resolve_command(context, args)

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the verb; an error is printed in one line."""
        carry_out: Any = super().main
        if not options.pop("standalone_mode", True):
            return carry_out(*args, standalone_mode=False, **options)
        try:
            result = carry_out(*args, standalone_mode=False, **options)
            code = result if isinstance(result, int) else 0
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except (click.ClickException, McbenchError) as error:
            text = error.format_message() if isinstance(error, click.ClickException) else error
            place = getattr(error, "ctx", None)
            hint = f" (see '{place.command_path} --help')" if place else ""
            click.echo(f"mcbench: {one_line(text)}{hint}", err=True)
            code = error.exit_code
        except (KeyboardInterrupt, click.Abort):
            click.echo("mcbench: interrupted; the same command goes on from here", err=True)
            code = 130
        sys.exit(code)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mcbench")
@click.option(
    "-v", "--verbose", is_flag=True, help="Print debug messages, and tracebacks of failed runs."
)
def main(verbose: bool) -> None:
    """Benchmark mode connectivity: paths of low loss between trained networks.

    \b
    Start here:
      mcbench run --method ot-wa              train, connect, evaluate, show the table
      mcbench run -m linear -m arc -m ot-wa   compare methods on the same endpoints
      mcbench list methods                    what can be run
      mcbench show ot-wa                      what it is, and its parameters
      mcbench leaderboard show icml2020-mnist measured beside published

    Components take parameters in brackets: --method 'ot[cost=incoming,end=permuted]'.
    Results are cached by content: a command that was killed goes on where it stopped.
    """
    logging.basicConfig(stream=sys.stderr, format="mcbench: %(message)s", force=True)
    logging.getLogger("mcbench").setLevel(logging.DEBUG if verbose else logging.INFO)
