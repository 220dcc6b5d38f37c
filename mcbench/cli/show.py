"""``mcbench show``: the description and the parameters of a component."""

from __future__ import annotations

import json
from typing import Any

import click

from mcbench.cli import options
from mcbench.errors import unknown
from mcbench.plugins.host import KINDS, host


def _names() -> set[str]:
    return {name for kind in KINDS if kind != "command" for name in host().names(kind)}


@click.command("show")
@click.argument("name", shell_complete=options.completion(_names))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(name: str, as_json: bool) -> None:
    """Explain NAME: a method, data set or any other component; formulas are in Unicode.

    If components of several kinds have the name, as 'ot' the method and 'ot' the matching, all are
    shown.

    \b
      mcbench show ot-wa
      mcbench show anokhin2020-mnist
    """
    from mcbench.report.description import describe

    bare = name.partition("[")[0]
    if bare != name:
        raise click.UsageError(f"a name is explained without parameters: mcbench show {bare}")
    described = [
        describe(kind, host().find(kind, name))
        for kind in KINDS
        if kind != "command" and name in host().names(kind)
    ]
    if not described:
        raise unknown("name", name, _names(), "mcbench list KIND")
    if as_json:
        click.echo(json.dumps(described, indent=2))
    else:
        click.echo("\n\n".join(map(_text, described)))


_KEYS = ("reference", "needs", "explicit", "learnable", "route", "use", "unit", "better")
_TITLES = {"explicit": "explicit formula", "use": "when to use"}


def _text(described: dict[str, Any]) -> str:
    from mcbench.report.formula import readable

    lines = [f"{described['name']} ({described['kind']}, {described['from']})"]
    lines += [f"  {readable(described['summary'])}"] if described["summary"] else []
    for key in _KEYS:
        value = described.get(key)
        if isinstance(value, bool):
            value = "yes" if value else "no"
        if value:
            text = ", ".join(value) if isinstance(value, list) else value
            lines.append(f"  {_TITLES.get(key, key)}: {text}")
    if described["parameters"]:
        lines.append("  parameters:")
    for p in described["parameters"]:
        lines.append(f"    {p['name']}={p['default']}  ({p['type']}) {p['help']}")
        if "one of" in p:
            lines.append(f"      one of: {', '.join(p['one of'])}, with their own parameters")
    if described["description"]:
        description = readable(described["description"])
        lines += ["", *(f"  {line}".rstrip() for line in description.splitlines())]
    return "\n".join(lines)
