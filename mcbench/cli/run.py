"""``mcbench run``: train what is missing, connect, evaluate, show the table."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from mcbench.cli import options
from mcbench.plugins.host import host

if TYPE_CHECKING:
    from mcbench.experiments.experiment import Experiment
    from mcbench.experiments.plan import Results

FIXED = (
    "dataset", "architecture", "recipe", "to_recipe", "same_seed", "points", "refine",
    "augmented_train", "run_seed", "metrics",
)  # fmt: skip
"""Options that a leaderboard fixes."""

ALL = "all"
"""The word that stands for all usual metrics."""


@click.command("run")
@options.methods("Method as 'name[p=v]'; repeat it to compare. See 'mcbench list methods'.")
@options.problem
@options.pairs
@options.protocol
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=options.Component("metric"),
    help="Metric; repeat it. Named ones are shown in a second table; 'all': all of them.",
)
@click.option(
    "--rank-untrained",
    is_flag=True,
    help="Let pairs with endpoints that learned nothing count for ranks.",
)
@click.option(
    "-l",
    "--leaderboard",
    type=options.Component("leaderboard"),
    help="Run what this leaderboard lacks, under its own problem and protocol.",
)
@click.option(
    "--executor",
    default="local",
    show_default=True,
    type=options.Component("executor"),
    help="Who carries out the runs.",
)
@options.formats
def command(
    methods: tuple[str, ...],
    metrics: tuple[str, ...],
    leaderboard: str | None,
    style: str,
    rank_untrained: bool,
    **rest: Any,
) -> None:
    """Train what is missing, connect pairs, evaluate, show tables.

    Every method is run on every pair of endpoints. A range of whole numbers stands for one method
    each: -m 'polychain[bends=1..3]'. A table shows the methods by their worst accuracy; all usual
    metrics are measured, and shown with --metric all. CSV has a row for each run and value, JSON
    all that was measured, curves and versions too.

    \b
      mcbench run --method ot-wa
      mcbench run -m linear -m arc -m ot -m ot-wa --endpoints 6
      mcbench run -m 'ot[end=permuted]' -d mnist -a 'mlp2[width=2000]' --data-dir ~/data
      mcbench run --leaderboard icml2020-mnist --endpoints 4
      mcbench run -m linear -m polychain --to-recipe 'quick[batch_size=256]'

    With --to-recipe, paths lead from networks of --recipe (A) to networks of another recipe (B):
    seed i to seed j > i, or, with --same-seed, i to i. Methods are given A's recipe.

    With --leaderboard, all its methods are run, or those that --method names, on a row or not.

    Exit code 0: all done; 1: a run failed; 2: wrong usage.
    """
    from mcbench.cli.progress import progress
    from mcbench.report import values
    from mcbench.report.metrics import metrics as table_of_metrics
    from mcbench.report.notes import notes
    from mcbench.report.ranking import ranking

    rest["metrics"] = _measured(metrics)
    if leaderboard:
        for name, parameter in options.given().items():
            if name in FIXED and not (name == "metrics" and metrics == (ALL,)):
                line = f"{parameter.opts[-1]} cannot be given with --leaderboard, which fixes it"
                raise click.UsageError(line)
        board = host().get("leaderboard", leaderboard)
        plan = board.plan(options.seeds(rest, board.endpoints), methods)
        experiment = options.prepare(replace(plan, executor=rest["executor"]), rest)
    elif methods:
        experiment = options.open_experiment(rest, methods)
    else:
        names = ", ".join(host().names("method"))
        raise click.UsageError(f"name a method with --method NAME; known are {names}")
    options.need_pair(experiment)
    with progress():
        results = experiment.run()
    if style == "csv":
        options.show_tables([values.values(experiment, results)], style)
    else:
        tables = [ranking(experiment, results, rank_untrained), notes(results)]
        if metrics or style == "json":
            tables.insert(1, table_of_metrics(experiment, results))
        document = values.document(experiment, results) if style == "json" else {}
        options.show_tables([table for table in tables if table.rows], style, document)
    place = f"Results are stored in {experiment.store.root}"
    options.finish(results, place, _advice(experiment, results, methods, leaderboard))


def _measured(metrics: tuple[str, ...]) -> tuple[str, ...]:
    """The metrics to measure; none means the usual ones."""
    from mcbench.evaluation.metric import usual

    if ALL not in metrics or metrics == (ALL,):
        return tuple(metric for metric in metrics if metric != ALL)
    return tuple(dict.fromkeys([*usual(), *(metric for metric in metrics if metric != ALL)]))


def _advice(
    experiment: Experiment, results: Results, methods: tuple[str, ...], board: str | None
) -> str:
    """Commands that may come next."""
    if board:
        rows = host().get("leaderboard", board).methods
        guests = "".join(f" -m '{m}'" for m in methods if m not in rows)
        return f"Next: mcbench leaderboard show {board}{guests}"
    # Landscapes are no chain of layers, nor is what all methods failed on.
    layered = bool(experiment.problem.data.classes and results.records)
    more = [name for name in _baselines(layered) if name not in methods]
    lines = [f"{_again('plot', methods)}   see where paths dip"] if results.records else []
    if more:
        lines.append(f"{_again('run', (*methods, *more))}   compare")
    if ALL not in click.get_current_context().params["metrics"]:
        lines.append(f"{_again('run', methods)} --metric all   all metrics")
    lines.append("mcbench list methods   what else there is")
    return "Next: " + "\n      ".join(lines)


def _baselines(layered: bool) -> list[str]:
    """Methods to compare with: quick ones for chains of layers, else those that need none.

    Those with the fewest needs stand first.
    """
    needs = {}
    for name in host().names("method"):
        method = host().get("method", name)
        suits = not method.learnable if layered else "affine-chain" not in method.needs
        if method.baseline and suits:
            needs[name] = len(method.needs)
    return sorted(needs, key=lambda name: (needs[name], name))


_OUTPUT = ("methods", "style", "as_json")
"""Options of this command that a next one does not repeat."""


def _again(verb: str, methods: tuple[str, ...]) -> str:
    """The command ``verb`` with those options of this command that it has too."""
    from mcbench.cli import plot

    context = click.get_current_context()
    takes = plot.command if verb == "plot" else command
    words = [word for method in methods for word in ("-m", method)]
    for name, parameter in options.given().items():
        if name not in _OUTPUT and name in {p.name for p in takes.params}:
            value = context.params[name]
            for one in value if isinstance(value, tuple) else (value,):
                words += [parameter.opts[0], *([] if one is True else [str(one)])]
    return shlex.join(["mcbench", verb, *words])
