"""``mcbench plot``: accuracy and loss along paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mcbench.cli import options


@click.command("plot")
@options.methods("Method as 'name[p=v]'; repeat it.", required=True)
@options.problem
@options.protocol
@click.option(
    "--split",
    default="test",
    show_default=True,
    type=click.Choice(["train", "test"]),
    help="The data that are plotted.",
)
@click.option(
    "--ensemble",
    is_flag=True,
    help="The ensemble of A and the point instead of the loss; compare with 'linear' and "
    "'random-direction'.",
)
@click.option("--by-length", is_flag=True, help="Against arc length instead of t.")
@click.option(
    "-o",
    "--out",
    default=Path("mcbench-paths"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Files OUT.png and OUT.svg.",
)
def command(
    methods: tuple[str, ...], split: str, ensemble: bool, by_length: bool, out: Path, **rest: Any
) -> None:
    """Plot accuracy and loss along paths, as PNG and SVG.

    \b
      mcbench plot -m linear -m arc -m ot -m ot-wa
      mcbench plot --ensemble -m polychain -m linear -m random-direction
      mcbench plot -m ot-wa --split train --by-length -o figures/ot-wa

    Runs that are missing are computed. A thick line is the mean over pairs, thin lines are the
    pairs.

    Exit code 0: all done; 1: a run failed; 2: wrong usage.
    """
    from mcbench.cli.progress import progress
    from mcbench.figures import draw_paths, files, save

    experiment = options.open_experiment(rest, methods)
    options.need_pair(experiment)
    if ensemble and not experiment.problem.data.classes:
        raise click.UsageError("--ensemble shows accuracies, and these data have no classes")
    files(out)  # A wrong name is said before hours of work.
    with progress():
        results = experiment.run()
    options.show_failures(results)
    if not results.records:
        raise SystemExit(1)
    for path in save(draw_paths(results, split, by_length, ensemble), out):
        click.echo(path)
    if results.failures:
        raise SystemExit(1)
