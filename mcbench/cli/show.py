"""``mcbench show``: what a component is and what it takes."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from mcbench.errors import unknown
from mcbench.plugins.host import KINDS, host


class AnyComponent(click.ParamType[str]):
    """A component of any kind."""

    name = "name"

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names of all kinds that start so."""
        return [CompletionItem(name) for name in sorted(_names()) if name.startswith(incomplete)]


def _names() -> set[str]:
    return {name for kind in KINDS if kind != "command" for name in host().names(kind)}


@click.command("show")
@click.argument("name", type=AnyComponent())
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(name: str, as_json: bool) -> None:
    """Explain NAME: a method, data set or any other component.

    If components of several kinds have the name, as 'ot' the method and 'ot' the matching, all are
    shown.

    \b
      mcbench show ot-wa
      mcbench show anokhin2020-mnist
    """
    import json

    from mcbench.report.description import describe

    bare = name.partition("[")[0]
    if bare != name:
        raise click.UsageError(f"a name alone is explained, without parameters: '{bare}'")
    found = [
        (kind, host().find(kind, name))
        for kind in KINDS
        if kind != "command" and name in host().names(kind)
    ]
    if not found:
        raise unknown("name", name, _names(), "mcbench list KIND")
    described = [describe(kind, provided) for kind, provided in found]
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    click.echo("\n\n".join(map(_text, described)))


_LINES = {
    "reference": "reference",
    "needs": "needs",
    "explicit": "explicit formula",
    "learnable": "learnable",
    "route": "route",
    "use": "when to use",
    "unit": "unit",
    "better": "better",
}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _text(described: dict[str, Any]) -> str:
    lines = [f"{described['name']} ({described['kind']}, {described['from']})"]
    lines += [f"  {described['summary']}"] if described["summary"] else []
    for key, title in _LINES.items():
        value = described.get(key)
        if value not in (None, "", []):
            lines.append(f"  {title}: {_shown(value)}")
    if described["parameters"]:
        lines.append("  parameters:")
    for p in described["parameters"]:
        lines.append(f"    {p['name']}={p['default']}  ({p['type']}) {p['help']}")
        if "one of" in p:
            lines.append(f"      one of: {', '.join(p['one of'])}, with their own parameters")
    if described["description"]:
        lines += ["", *(f"  {line}".rstrip() for line in described["description"].splitlines())]
    return "\n".join(lines)
