"""Options that several verbs share, with completion of names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from mcbench.plugins import parameters
from mcbench.plugins.host import host

if TYPE_CHECKING:
    from mcbench.ensembles.evaluate import EnsembleResults
    from mcbench.experiments.experiment import Experiment
    from mcbench.experiments.plan import Plan, Results
    from mcbench.report.tables import Table
    from mcbench.store.store import Store


Function = TypeVar("Function", bound=Callable[..., Any])
"""The function of a command."""


class Component(click.ParamType[str]):
    """A component of a kind as ``name[p=v]``; names complete in the shell."""

    def __init__(self, kind: str) -> None:
        self.kind = self.name = kind

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names of the kind that start with ``incomplete``."""
        from mcbench.methods.method import summary

        return [
            CompletionItem(name, help=summary(host().find(self.kind, name).component))
            for name in host().names(self.kind)
            if name.startswith(incomplete)
        ]


def completion(
    names: Callable[[], set[str]],
) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Completion in the shell by ``names``, called only then: those that start with the text."""
    return lambda context, parameter, incomplete: sorted(
        name for name in names() if name.startswith(incomplete)
    )


def several(*options: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """One decorator of several options, in their order."""
    return lambda function: reduce(lambda made, add: add(made), reversed(options), function)


storage = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where results are stored (default: $MCBENCH_HOME, else the user's data).",
)

computing = several(
    click.option("--data-dir", type=click.Path(path_type=Path),
                 help="Where data are looked for first (default: $MCBENCH_DATA)."),
    click.option("--device", default="auto", show_default=True,
                 help="auto, cpu, cuda, cuda:1, mps."),
)  # fmt: skip

problem = several(
    click.option("-d", "--dataset", default="digits", show_default=True,
                 type=Component("dataset"), help="Data set; see 'mcbench list datasets'."),
    click.option("-a", "--architecture", default="mlp2", show_default=True,
                 type=Component("architecture"), help="Network, as 'mlp2[width=512]'."),
    click.option("-r", "--recipe", default="", type=Component("recipe"),
                 help="How endpoints are trained (default: the data set's own)."),
    click.option("-s", "--seed", "seeds", multiple=True, type=click.IntRange(0),
                 help="Seed of an endpoint; repeat it. Default: 0 1 2 3."),
    click.option("--endpoints", type=click.IntRange(1),
                 help="Instead of --seed: so many endpoints, seeds 0, 1, ..."),
    computing,
    storage,
)  # fmt: skip
"""Options of the problem, the seeds, the device and the store."""

pairs = several(
    click.option("--to-recipe", default="", type=Component("recipe"),
                 help="How endpoints B are trained, if not as A: paths lead from networks of "
                 "--recipe to networks of this one."),
    click.option("--same-seed", is_flag=True,
                 help="Join networks of the same seed, such as iterates of one training, instead "
                 "of all seeds i < j."),
)  # fmt: skip
"""Options of the pairs of endpoints, if two recipes train them."""


class Refine(click.ParamType[Any]):
    """The word ``search``, or a number of rounds."""

    name = "search|rounds"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Literal["search"]:
        """The word or the number."""
        if value == "search":
            return "search"
        if not str(value).isdecimal():
            self.fail(f"'{value}' is neither 'search' nor a number of rounds, 0 or more.")
        return int(value)


protocol = several(
    click.option("--points", default=21, show_default=True, type=click.IntRange(2),
                 help="Points of the grid on [0, 1], both ends included."),
    click.option("--refine", default="search", show_default=True, type=Refine(),
                 help="search: look for the worst points on all legs, until they stand. Or so "
                      "many rounds of halving beside the worst points of the grid."),
    click.option("--augmented-train", is_flag=True,
                 help="Evaluate 'train' on augmented training data."),
    click.option("--run-seed", default=0, show_default=True, type=click.IntRange(0),
                 help="Seed of the draws of methods and metrics."),
)  # fmt: skip
"""Options of the protocol: how paths are evaluated."""


def methods(help: str, required: bool = False) -> Callable[[Function], Function]:
    """``--method``, repeatable."""
    return click.option("-m", "--method", "methods", multiple=True, required=required,
                        callback=expand, type=Component("method"), help=help)  # fmt: skip


def expand(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[str, ...]:
    """Write ranges of numbers out: ``polychain[bends=1..3]`` stands for three methods."""
    return tuple(one for text in texts for one in parameters.expand(text))


formats = several(
    click.option("--format", "style", default="table", show_default=True,
                 type=click.Choice(["table", "markdown", "latex", "csv", "json"]),
                 callback=lambda context, _, style: context.meta["mcbench.json"] or style,
                 help="How tables are printed."),
    click.option("--json", "as_json", is_flag=True, is_eager=True, expose_value=False,
                 callback=lambda context, _, as_json: context.meta.update(
                     {"mcbench.json": as_json and "json"}),
                 help="Short for --format json."),
)  # fmt: skip
"""``--format`` and ``--json``, both as ``style``: how tables are printed."""


def show_tables(tables: list[Table], style: str, document: dict[str, Any] | None = None) -> None:
    """Print tables to standard output; JSON with more entries, those of ``document``."""
    from mcbench.report.tables import render

    click.echo(render(tables, style, document), nl=style != "csv")


def say_replaced(out: Path, html: Path | None = None) -> None:
    """Print the files that a figure replaces on standard error."""
    from mcbench.figures.files import replaced

    for path in replaced(out, html):
        click.echo(f"mcbench: replacing {path}", err=True)


def show_figure(figure: Any, out: Path) -> None:
    """Write a figure and print its files on standard error."""
    from mcbench.figures.files import save

    say_replaced(out)
    for path in save(figure, out):
        click.echo(path, err=True)


def show_failures(results: Results | EnsembleResults) -> None:
    """Print a line on standard error for every failure."""
    titles = {r.key: f"{r.method} on pair {r.pair[0]}-{r.pair[1]}"
              for r in getattr(results, "runs", ())}  # fmt: skip
    for what, reason in results.failures.items():
        click.echo(f"mcbench: {titles.get(what, what)} failed: {reason}", err=True)


def show_untrained(experiment: Experiment, results: Results) -> None:
    """Print a line on standard error for every endpoint that learned nothing."""
    from mcbench.report.untrained import untrained

    for one in untrained(results, experiment.problem.data):
        click.echo(f"mcbench: {one}", err=True)


def finish(results: Results | EnsembleResults, place: str, advice: str = "") -> None:
    """Print the failures, the ``place`` of the results and advice; exit with 1 after a failure."""
    show_failures(results)
    for line in filter(None, (place, advice)):
        click.echo(line, err=True)
    if results.failures:
        raise SystemExit(1)


def open_store(home: Path | None) -> Store:
    """The store at ``home``, or the default one."""
    from mcbench.store.store import Store

    return Store(home.expanduser() if home else None)


def open_experiment(options: dict[str, Any], methods: tuple[str, ...] = ()) -> Experiment:
    """The experiment of the shared options, by their names; a plan's defaults stand for others."""
    from mcbench.evaluation.protocol import Protocol
    from mcbench.experiments.plan import Plan

    values = options | {"methods": methods, "seeds": seeds(options)}
    if "points" in options:
        values["protocol"] = Protocol(
            options["points"], options["refine"], options["augmented_train"], options["run_seed"]
        )
    names = {field.name for field in fields(Plan)} & values.keys()
    return prepare(Plan(**{name: values[name] for name in names}), options)


def prepare(plan: Plan, options: dict[str, Any]) -> Experiment:
    """The experiment of a plan, with the store, data and device of the options."""
    from mcbench.experiments.experiment import Experiment

    store = open_store(options["home"])
    return Experiment(plan, store, options["data_dir"], options["device"])


def seeds(options: dict[str, Any], default: int = 4) -> tuple[int, ...]:
    """The seeds that ``--seed`` or ``--endpoints`` ask for."""
    if options["seeds"] and options["endpoints"]:
        raise click.UsageError("give --seed or --endpoints, not both")
    return tuple(options["seeds"]) or tuple(range(options["endpoints"] or default))


def given() -> dict[str, click.Parameter]:
    """The options and arguments of the running command that a user gave, by name."""
    context = click.get_current_context()
    return {
        parameter.name: parameter
        for parameter in context.command.params
        if context.get_parameter_source(parameter.name) is not ParameterSource.DEFAULT
    }


def need_pair(experiment: Experiment) -> None:
    """Refuse an experiment without a pair of endpoints."""
    if not experiment.plan.pairs:
        raise click.UsageError("a pair needs two endpoints: give --seed twice, or --endpoints 2")
