"""``mcbench run``: train what is missing, connect, evaluate, show the table."""

from __future__ import annotations

from typing import Any

import click

from mcbench.cli import options


@click.command("run")
@options.methods("Method as 'name[p=v]'; repeat it to compare. See 'mcbench list methods'.")
@options.problem
@options.protocol
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=options.Component("metric"),
    help="Metric; repeat it. Default: all.",
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
    methods: tuple[str, ...], leaderboard: str | None, style: str, as_json: bool, **rest: Any
) -> None:
    """Train what is missing, connect all pairs, evaluate, show the table.

    Every method is run on every pair of endpoints. A range of whole numbers stands for one method
    each: -m 'polychain[bends=1..3]'. Two tables are shown: the methods by their worst accuracy,
    and all metrics.

    \b
      mcbench run --method ot-wa
      mcbench run -m linear -m arc -m ot -m ot-wa --endpoints 6
      mcbench run -m 'ot[end=permuted]' -d mnist -a 'mlp2[width=2000]' --data-dir ~/data
      mcbench run --leaderboard icml2020-mnist --endpoints 4

    With --leaderboard, all its methods are run, or those that --method names, on a row or not.

    Exit code 0: all done; 1: a run failed; 2: wrong usage.
    """
    from mcbench import report
    from mcbench.cli.progress import progress

    if leaderboard:
        _refuse(("dataset", "architecture", "recipe", "points", "refine", "augmented_train",
                 "run_seed", "metrics"))  # fmt: skip
        experiment = _of_board(leaderboard, methods, rest)
    elif methods:
        experiment = options.open_experiment(rest, methods)
    else:
        from mcbench.plugins import host

        known = ", ".join(host().names("method"))
        raise click.UsageError(
            f"name a method with --method, as --method ot-wa; known are {known}"
        )
    if len(experiment.plan.seeds) < 2:
        raise click.UsageError("a pair needs two endpoints: give --seed twice, or --endpoints 2")
    with progress():
        results = experiment.run()
    tables = [report.ranking(experiment, results), report.metrics(experiment, results)]
    options.show_tables([t for t in tables if t.rows], style, as_json)
    _closing(experiment, results, methods, leaderboard)
    if results.failures:
        raise SystemExit(1)


def _refuse(fixed: tuple[str, ...]) -> None:
    """Options that a leaderboard fixes itself are refused."""
    from click.core import ParameterSource

    context = click.get_current_context()
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "")
        if parameter.name in fixed and given is not ParameterSource.DEFAULT:
            raise click.UsageError(
                f"{parameter.opts[-1]} cannot be given with --leaderboard, which fixes it"
            )


def _of_board(name: str, methods: tuple[str, ...], rest: dict[str, Any]) -> Any:
    from dataclasses import replace

    from mcbench.plugins import host

    board = host().get("leaderboard", name)
    plan = replace(
        board.plan(options.seeds(rest, board.endpoints), methods), executor=rest["executor"]
    )
    return options.prepare(plan, rest)


def _closing(experiment: Any, results: Any, methods: tuple[str, ...], board: str | None) -> None:
    options.show_failures(results)
    click.echo(f"Results are stored in {experiment.store.root}", err=True)
    chosen = " ".join(f"-m '{m}'" for m in methods)
    if board:
        from mcbench.plugins import host

        rows = host().get("leaderboard", board).methods
        guests = "".join(f" -m '{m}'" for m in methods if m not in rows)
        click.echo(f"Next: mcbench leaderboard show {board}{guests}", err=True)
    else:
        problem = _problem_options(experiment.plan)
        more = "".join(f" -m {m}" for m in ("linear", "arc", "ot") if m not in methods)
        click.echo(f"Next: mcbench plot {chosen}{problem}   see where paths dip", err=True)
        if more:
            click.echo(f"      mcbench run {chosen}{more}{problem}   compare", err=True)
        click.echo("      mcbench list methods   what else there is", err=True)


def _problem_options(plan: Any) -> str:
    from mcbench.experiment import Plan

    default = Plan()
    named = {
        "-d": (plan.dataset, default.dataset),
        "-a": (plan.architecture, default.architecture),
        "-r": (plan.recipe, default.recipe),
    }
    text = "".join(
        f" {flag} '{value}'" for flag, (value, usual) in named.items() if value != usual
    )
    return text + (
        f" --endpoints {len(plan.seeds)}"
        if plan.seeds != default.seeds and plan.seeds == tuple(range(len(plan.seeds)))
        else ""
    )
