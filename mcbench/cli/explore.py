"""``mcbench explore``: the tree of the lowest paths between several endpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mcbench.cli import options
from mcbench.plugins.host import host


@click.command("explore")
@click.option(
    "-m",
    "--method",
    type=options.Component("method"),
    help="Method that finds paths, as 'name[p=v]'.  [default: the one made for it, as autoneb]",
)
@click.option(
    "--budget",
    type=click.IntRange(0),
    help="Paths at most after those from the first endpoint.  [default: all pairs]",
)
@options.problem
@options.protocol
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Also draw the loss along the tree's edges: OUT.png, OUT.svg.",
)
@options.formats
def command(
    method: str | None, budget: int | None, out: Path | None, style: str, **rest: Any
) -> None:
    """Find the tree of the lowest paths between endpoints.

    The endpoint of the lowest training loss is connected with all others. Then the heaviest edge
    of the minimum spanning tree is taken out, and a pair across the cut that was not tried is
    connected; the lower of the two paths stays. It ends when all pairs are tried or the budget
    is spent. An edge weighs as much as its saddle: the highest training loss along the path.

    \b
      mcbench explore --endpoints 5
      mcbench explore -d landscape -a ring -m neb --endpoints 6 --budget 3
      mcbench explore -d mnist -a 'mlp2[width=100]' --endpoints 10 --points 121

    Two tables are shown: minima and saddles, in the columns of table B.1 of Draxler et al. (2018),
    and the tree's edges; then the tree. CSV has the edges alone. Runs are those of 'mcbench run',
    stored and found again.

    Exit code 0: all done; 1: a run failed; 2: wrong usage.
    """
    from mcbench.cli.progress import progress
    from mcbench.evaluation.curve_metric import CurveMetric
    from mcbench.evaluation.metric import usual
    from mcbench.experiments.spanning_tree import explore
    from mcbench.figures.files import check
    from mcbench.figures.tree import draw_tree
    from mcbench.report.exploration import edges, saddles, tree_text
    from mcbench.report.notes import notes

    if out:
        check(out)  # A wrong name is refused before hours of work.
    metrics = {name: host().find("metric", name).component for name in usual()}
    # The tables show the curve: nothing is computed for metrics that need more.
    rest["metrics"] = tuple(n for n, m in metrics.items() if isinstance(m, CurveMetric))
    experiment = options.open_experiment(rest, (method or _explorer(),))
    options.need_pair(experiment)
    with progress():
        exploration = explore(experiment, budget)
    results = exploration.results
    if exploration.tree:
        tables = [saddles(exploration), edges(exploration), notes(results)]
        tables = tables[1:2] if style == "csv" else [table for table in tables if table.rows]
        options.show_tables(tables, style)
        if style == "table":
            click.echo(tree_text(exploration))
        if out:
            options.show_figure(draw_tree(exploration), out)
    options.show_untrained(experiment, results)
    options.finish(results, f"Results are stored in {experiment.store.root}")


def _explorer() -> str:
    """The method that declares that it explores."""
    names = [n for n in host().names("method") if host().find("method", n).component.explores]
    if len(names) == 1:
        return names[0]
    declared = f"{', '.join(names)} all declare" if names else "no installed method declares"
    raise click.UsageError(f"name a method with --method NAME: {declared} that it explores")
