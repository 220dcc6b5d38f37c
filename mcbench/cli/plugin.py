"""``mcbench plugin``: write a plugin, and check one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from mcbench.errors import unknown
from mcbench.plugins.host import KINDS, Plugin, host, plural

if TYPE_CHECKING:
    from mcbench.testing import Outcome

STYLES = {"ok": "green", "failed": "red", "skipped": "yellow", "expected failure": "yellow"}


@click.group("plugin")
def command() -> None:
    """Write a plugin package, and check what plugins provide."""


# new ----------------------------------------------------------------------------------------


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


# check --------------------------------------------------------------------------------------


class Anything(click.ParamType[str]):
    """A component, a plugin or a distribution."""

    name = "name"

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names of plugins and components that start so."""
        names = {p.name for p in host().plugins.values()}
        names |= {name for kind in KINDS for name in host().names(kind)}
        return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]


@command.command("check")
@click.argument("name", type=Anything())
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
    import json

    found, plugins = _named(name, kind)
    expected = dict(_expectation(text) for text in expect)
    _check_titles(expected, {k for k, _ in found})
    report: list[dict[str, Any]] = []
    for plugin in plugins:
        report.append(_loading(plugin))
        if not as_json:
            _say_loading(report[-1])
    for one_kind, text in found:
        report.append(_examine(one_kind, text, expected, silent=as_json))
    counts = _counts(report)
    if as_json:
        click.echo(json.dumps({"components": report, "counts": counts}, indent=2))
    else:
        total = sum(counts.values())
        parts = ", ".join(f"{n} {state}" for state, n in counts.items() if n)
        click.echo(f"\n{total} checks: {parts}")
    if counts["failed"]:
        raise SystemExit(1)


def _named(name: str, kind: str | None) -> tuple[list[tuple[str, str]], list[Plugin]]:
    """Components as (kind, text) and plugins that a name stands for."""
    from mcbench.plugins import parameters

    listed = host().listing()
    plugins = [p for p in listed if name in (p.name, p.distribution)]
    wanted = [k for k in KINDS if k != "command" and kind in (None, k)]
    if plugins:
        found = [
            (k, component)
            for k in wanted
            for p in plugins
            for component in p.provides.get(plural(k), [])
        ]
        if found or kind is None:
            return found, plugins
    own = parameters.parse(name)[0]
    found = [(k, name) for k in wanted if own in host().provided(k)]
    if not found:
        known = {n for k in wanted for n in host().names(k)}
        raise unknown(kind or "name", own, known | {p.name for p in listed})
    for k, text in found:
        host().get(k, text)  # Wrong parameters end here, and names in conflict.
    return found, []


def _expectation(text: str) -> tuple[str, str]:
    title, equals, reason = text.partition("=")
    if not equals or not reason.strip():
        raise click.UsageError(f"cannot read '{text}': write CHECK=REASON")
    return title.strip(), reason.strip()


def _check_titles(expected: dict[str, str], kinds: set[str]) -> None:
    """Test that each expected failure names a check of one of the kinds."""
    if not expected:
        return
    from mcbench.testing import checks

    known = {check.title for kind in kinds for check in checks(kind)}
    for title in expected:
        if title not in known:
            raise unknown("check", title, known)


def _loading(plugin: Plugin) -> dict[str, Any]:
    """Whether a plugin loads, in the form of a component's report."""
    own = {
        "check": "loading",
        "property": "The plugin is imported and asked for its components without an error.",
        "state": "failed" if plugin.errors else "ok",
        "found": "; ".join(plugin.errors),
        "fix": "see 'mcbench plugins'" if plugin.errors else "",
        "reason": "",
    }
    source = f"{plugin.distribution} {plugin.version}"
    return {"kind": "plugin", "name": plugin.name, "from": source, "checks": [own]}


def _say_loading(report: dict[str, Any]) -> None:
    click.secho(f"plugin {report['name']} ({report['from']})", bold=True)
    _say(report["checks"][0])


def _examine(kind: str, text: str, expected: dict[str, str], silent: bool) -> dict[str, Any]:
    """Carry out the checks of a component; each is said as it ends."""
    from mcbench.testing import checks, examine, subject

    titles = {check.title for check in checks(kind)}
    expected = {title: reason for title, reason in expected.items() if title in titles}
    examined = subject(kind, text)
    if not silent:
        click.secho(f"{examined.title} ({examined.source})", bold=True)
    done = []
    for outcome in _outcomes(examine(examined, expected), silent):
        done.append(outcome)
    return {
        "kind": kind,
        "name": examined.text,
        "from": examined.source,
        "checks": [outcome.to_dict() for outcome in done],
    }


def _outcomes(outcomes: Iterator[Outcome], silent: bool) -> Iterator[Outcome]:
    for outcome in outcomes:
        if not silent:
            _say(outcome.to_dict())
        yield outcome


def _say(check: dict[str, Any]) -> None:
    state = check["state"]
    shown = click.style(f"{state:16}", fg=STYLES[state])
    reason = f": {check['reason']}" if check["reason"] else ""
    click.echo(f"  {shown}  {check['check']}{reason}")
    if state == "failed":
        click.echo(f"      property: {check['property']}")
        click.echo(f"      found:    {check['found']}")
        click.echo(f"      to fix:   {check['fix']}")


def _counts(report: list[dict[str, Any]]) -> dict[str, int]:
    states = [check["state"] for component in report for check in component["checks"]]
    return {state: states.count(state) for state in STYLES}
