"""``mcbench list``: components that can be named on the command line."""

from __future__ import annotations

import click

from mcbench.cli import options
from mcbench.plugins.host import KINDS, host, plural

LISTED = {plural(kind): kind for kind in KINDS if kind != "command"}


@click.command("list")
@click.argument("kind", type=click.Choice(list(LISTED)), default="methods", metavar="[KIND]")
@options.formats
def command(kind: str, style: str) -> None:
    """List components of a KIND: parameters, summary, package.

    Kinds are methods (the default), datasets, architectures, recipes, metrics, ensembles,
    leaderboards, ensemble_boards, executors, and the parts of composed methods: matchings,
    interpolations, adjustments. Names that two plugins claim are not listed: they and plugins with
    errors are named on standard error.

    \b
      mcbench list methods
      mcbench list datasets --json
    """
    from mcbench.methods import method
    from mcbench.plugins import parameters
    from mcbench.report.tables import Table

    table = Table(kind, kind.capitalize(), ["name", "parameters", "summary", "from"])
    for name in host().names(LISTED[kind]):
        provided = host().find(LISTED[kind], name)
        component, plugin = provided.component, provided.plugin
        values = {k: parameters.value_text(v) for k, v in parameters.values(component).items()}
        shown = " ".join(f"{k}={v}" for k, v in values.items())
        if len(shown) >= 60:
            shown = f"{len(values)}: see 'mcbench show {name}'"
        source = f"{plugin.distribution} {plugin.version}"
        cells = [name, shown, method.summary(component), source]
        row = dict(zip(table.columns, cells, strict=True))
        table.add(row, row | {"parameters": values})
    options.show_tables([table], style)
    for conflict in host().conflicts():
        click.echo(f"mcbench: {conflict}", err=True)
    broken = ", ".join(plugin.name for plugin in host().listing() if plugin.errors)
    if broken:
        click.echo(f"mcbench: plugins with errors: {broken}; see 'mcbench plugins'", err=True)
