"""``mcbench plugin``: write a plugin, and check one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from mcbench.cli import options
from mcbench.errors import unknown
from mcbench.plugins.host import KINDS, Plugin, host, plural

STYLES = {"ok": "green", "failed": "red", "skipped": "yellow", "expected failure": "yellow"}


@click.group("plugin")
def command() -> None:
    """Write a plugin package, and check what plugins provide."""


@command.command("new")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["method", "metric", "dataset", "architecture", "ensemble"]),
    default="method",
    show_default=True,
    help="What the package provides.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    help="The directory that gets the folder mcbench-NAME.  [default: here]",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def new(name: str, kind: str, into: Path, force: bool) -> None:
    """Write a complete package mcbench-NAME: code, tests, README, CI.

    \b
      mcbench plugin new straight
      mcbench plugin new sharpness --kind metric --into ~/src

    It has one worked example and works as it is: install it, run it, then change it.
    """
    from mcbench import scaffold

    folder, files = scaffold.write(name, kind, into, force)
    for file in files:
        click.echo(f"wrote {file}")
    click.echo("\nNext:")
    for line in scaffold.next_steps(name, kind, folder):
        click.echo(f"  {line}")


def _names() -> set[str]:
    """Names of plugins and components."""
    names = {p.name for p in host().plugins.values()}
    return names | {name for kind in KINDS for name in host().names(kind)}


@command.command("check")
@click.argument("name", shell_complete=options.completion(_names))
@click.option(
    "--kind",
    type=click.Choice([kind for kind in KINDS if kind != "command"]),
    help="Only the components of this kind.",
)
@click.option(
    "--expect",
    multiple=True,
    metavar="CHECK=REASON",
    help="A check that is known to fail, and why; repeat it.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def check(name: str, kind: str | None, expect: tuple[str, ...], as_json: bool) -> None:
    """Check a component, as 'name[p=v]', or all that a plugin or a distribution provides.

    \b
      mcbench plugin check straight
      mcbench plugin check 'polychain[epochs=1]'
      mcbench plugin check mcbench-ot --kind matching

    Checks run on small networks that are trained in seconds. A component that takes long declares
    `trial`, the parameters it is checked with. Failures that are expected come from the
    component's `expected_failures` and from --expect.

    Exit code 0: all is fine; 1: a check failed; 2: wrong usage.
    """
    components, plugins = _named(name, kind)
    expected = _expectations(expect, {k for k, _ in components})
    report = [_loading(plugin, silent=as_json) for plugin in plugins]
    report += [_examine(k, text, expected, silent=as_json) for k, text in components]
    states = [outcome["state"] for part in report for outcome in part["checks"]]
    counts = {state: states.count(state) for state in STYLES}
    if as_json:
        click.echo(json.dumps({"components": report, "counts": counts}, indent=2))
    else:
        parts = ", ".join(f"{n} {state}" for state, n in counts.items() if n)
        click.echo(f"\n{len(states)} checks: {parts}")
    if counts["failed"]:
        raise SystemExit(1)


def _named(name: str, kind: str | None) -> tuple[list[tuple[str, str]], list[Plugin]]:
    """The components, as (kind, text), and the plugins that a name stands for."""
    from mcbench.plugins import parameters

    listed = host().listing()
    plugins = [p for p in listed if name in (p.name, p.distribution)]
    wanted = [k for k in KINDS if k != "command" and kind in (None, k)]
    components = [
        (k, component)
        for k in wanted
        for plugin in plugins
        for component in plugin.provides.get(plural(k), [])
    ]
    if components or (plugins and kind is None):
        return components, plugins
    own = parameters.parse(name)[0]
    components = [(k, name) for k in wanted if own in host().provided(k)]
    if not components:
        names = {n for k in wanted for n in host().names(k)}
        raise unknown(kind or "name", own, names | {p.name for p in listed})
    for k, text in components:
        host().get(k, text)  # Wrong parameters end here, and names in conflict.
    return components, []


def _expectations(texts: tuple[str, ...], kinds: set[str]) -> dict[str, str]:
    """The reasons by check; each must be a check of one of the kinds."""
    if not texts:
        return {}
    from mcbench.testing import checks

    titles = {check.title for kind in kinds for check in checks(kind)}
    expected = {}
    for text in texts:
        title, _, reason = (part.strip() for part in text.partition("="))
        if not reason:
            raise click.UsageError(f"cannot read '{text}': write CHECK=REASON")
        if title not in titles:
            raise unknown("check", title, titles)
        expected[title] = reason
    return expected


def _loading(plugin: Plugin, silent: bool) -> dict[str, Any]:
    """Report on the loading of a plugin, in the form of a component's."""
    source = f"{plugin.distribution} {plugin.version}"
    outcome = {
        "check": "loading",
        "property": "The plugin is imported and asked for its components without an error.",
        "state": "failed" if plugin.errors else "ok",
        "found": "; ".join(plugin.errors),
        "fix": "see 'mcbench plugins'" if plugin.errors else "",
        "reason": "",
    }
    if not silent:
        click.secho(f"plugin {plugin.name} ({source})", bold=True)
        _print(outcome)
    return {"kind": "plugin", "name": plugin.name, "from": source, "checks": [outcome]}


def _examine(kind: str, text: str, expected: dict[str, str], silent: bool) -> dict[str, Any]:
    """Carry out the checks of a component; each outcome is printed as it ends."""
    from mcbench.testing import checks, examine, subject

    titles = {check.title for check in checks(kind)}
    examined = subject(kind, text)
    if not silent:
        click.secho(f"{examined.title} ({examined.source})", bold=True)
    outcomes = []
    for outcome in examine(examined, {t: why for t, why in expected.items() if t in titles}):
        outcomes.append(outcome.to_dict())
        if not silent:
            _print(outcomes[-1])
    source = examined.source
    return {"kind": kind, "name": examined.text, "from": source, "checks": outcomes}


def _print(check: dict[str, Any]) -> None:
    state = check["state"]
    shown = click.style(f"{state:16}", fg=STYLES[state])
    reason = f": {check['reason']}" if check["reason"] else ""
    click.echo(f"  {shown}  {check['check']}{reason}")
    if state == "failed":
        for title, key in (("property", "property"), ("found", "found"), ("to fix", "fix")):
            click.echo(f"      {title + ':':9} {check[key]}")
