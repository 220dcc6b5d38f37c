"""``mcbench ensemble``: ensembles as they grow, network by network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mcbench.cli import options


def _numbers(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> tuple[int, ...]:
    """Whole numbers with commas between them, each at least 1, ascending."""
    if text is None:
        return ()
    try:
        numbers = sorted({int(part) for part in text.split(",")})
    except ValueError:
        numbers = [0]
    if numbers[0] < 1:
        raise click.BadParameter(f"'{text}' is no list of whole numbers from 1 on, such as 1,2")
    return tuple(numbers)


@click.command("ensemble")
@click.option(
    "-e",
    "--ensemble",
    "ensembles",
    multiple=True,
    callback=options.expand,
    type=options.Component("ensemble"),
    help="Ensemble as 'name[p=v]'; repeat it. See 'mcbench list ensembles'.  "
    "[default: independent]",
)
@click.option(
    "--with-recipe",
    "others",
    multiple=True,
    type=options.Component("recipe"),
    help="Take as many networks of this recipe too, in turn; repeat it.",
)
@options.problem
@click.option(
    "--budgets",
    callback=_numbers,
    metavar="1,2,...",
    help="Accuracy for so many times the epochs of the recipe, instead of network by network.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Also draw accuracy against the number of networks, or the budget: OUT.png, OUT.svg.",
)
@options.formats
def command(
    ensembles: tuple[str, ...],
    others: tuple[str, ...],
    budgets: tuple[int, ...],
    out: Path | None,
    style: str,
    **rest: Any,
) -> None:
    """Measure ensembles of 1, 2, ... networks: gains and costs.

    \b
      mcbench ensemble -a mlp3 -e independent -e 'wa[head=1..2]' --endpoints 7 -o ensembles
      mcbench ensemble -r quick --with-recipe 'quick[weight_decay=0]' -e independent
      mcbench ensemble --budgets 1,2,3 -e independent -e fge -e sse -e swa --endpoints 6

    Networks are trained if they are missing, and joined in the order of their seeds; the first
    one's lower layers are the backbone of a WA-ensemble. Softmax outputs are averaged; accuracy is
    that on the test data. Storage and floating-point operations of a forward pass stand beside
    those of as many independent networks.

    With --budgets, accuracy stands against the epochs that were spent: ensembles that collect
    several networks along one training, as 'fge' does, beside independent ones. Trainings of
    different seeds are pooled as far as the budget goes; each ensemble's epochs are in the table.

    Exit code 0: all done; 1: an ensemble failed; 2: wrong usage.
    """
    from mcbench.cli.progress import progress
    from mcbench.ensembles import evaluate
    from mcbench.figures.ensembles import draw_budgets, draw_ensembles
    from mcbench.figures.files import check
    from mcbench.report import ensembles as report

    if out:
        check(out)  # A wrong name is refused before hours of work.
    first = options.open_experiment(rest)
    more = [first.by(recipe) for recipe in others]
    work = evaluate.EnsembleExperiment([first, *more], ensembles or ("independent",), budgets)
    table, draw = report.ensembles, draw_ensembles
    if budgets:
        table, draw = report.budgets, draw_budgets
    with progress():
        results = work.run()
    if results.records:
        options.show_tables([table(results)], style)
        if out:
            options.show_figure(draw(results), out)
    options.finish(results, f"Results are stored in {work.store.root}")
