"""``mcbench plot``: accuracy and loss along paths, and on planes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcbench.cli import options

if TYPE_CHECKING:
    from mcbench.experiments.experiment import Experiment
    from mcbench.experiments.plan import Results


planes = options.several(
    click.option("--plane", is_flag=True,
                 help="The loss on the plane through A, B and the bend of a path; without "
                 "methods, through three endpoints."),
    click.option("--error", is_flag=True,
                 help="With --plane: the error (%) instead of the loss."),
    click.option("--grid", default=21, show_default=True, type=click.IntRange(2, 501),
                 help="With --plane: so many points on each side to begin with."),
    click.option("--evaluations", default=1000, show_default=True, type=click.IntRange(1),
                 help="With --plane: so many points at most; those beyond the grid lie where "
                 "contour lines are dense."),
    click.option("--samples", default=0, type=click.IntRange(0),
                 help="With --plane: only so many samples, drawn by the run seed "
                 "[default: all]."),
)  # fmt: skip
"""Options of a plane."""


@click.command("plot")
@options.methods("Method as 'name[p=v]'; repeat it.")
@options.problem
@options.pairs
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
    "--chain",
    is_flag=True,
    help="Mark the pivots of the first pair's paths, and show the straight band before.",
)
@planes
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Files OUT.png and OUT.svg.  [default: mcbench-paths, or mcbench-plane, with a number if "
    "there is such a file]",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also an interactive figure: one file, to be opened in a browser, offline.",
)
def command(
    methods: tuple[str, ...], plane: bool, out: Path | None, html: Path | None, **rest: Any
) -> None:
    """Plot accuracy and loss along paths, or the loss on a plane.

    \b
      mcbench plot -m linear -m arc -m ot -m ot-wa
      mcbench plot --ensemble -m polychain -m linear -m random-direction
      mcbench plot -m ot-wa --split train --by-length -o figures/ot-wa
      mcbench plot --chain -m 'polychain[bends=3]' --html chain.html
      mcbench plot --plane -m polychain -m linear --seed 0 --seed 1
      mcbench plot --plane --seed 0 --seed 1 --seed 2

    Runs that are missing are computed. Along paths, a thick line is the mean over pairs, thin
    lines are the pairs.

    A plane goes through A and B, the first two endpoints, and the bend of the first method whose
    path leaves the straight line: its point farthest from it. All paths are drawn, projected.
    Where the network has two parameters the plane is their whole space. Contour lines halve the
    height above the lowest point. The points that were measured are stored: with more
    evaluations, only what is missing is computed.

    Exit code 0: all done; 1: a run failed; 2: wrong usage.
    """
    from mcbench.figures.files import check, free, save, save_html

    default = Path("mcbench-plane" if plane else "mcbench-paths")
    check(out or default, html)  # A wrong name is refused before hours of work.
    results, draw, draw_page = (_plane if plane else _paths)(methods, rest)
    out = out or free(default)
    options.say_replaced(out, html)
    for path in save(draw(), out):
        click.echo(path)
    if html:
        click.echo(save_html(draw_page(), html))
    if results.failures:
        raise SystemExit(1)


Drawing = tuple["Results", Callable[[], Any], Callable[[], Any]]
"""The results of the runs, and what draws them, with matplotlib and for the browser.

A figure is Any: neither matplotlib nor plotly is imported here.
"""


def _paths(methods: tuple[str, ...], rest: dict[str, Any]) -> Drawing:
    """Loss and accuracy along paths."""
    from mcbench.cli.progress import progress
    from mcbench.figures.paths import draw_paths, interactive_paths
    from mcbench.landscape.straight_band import with_straight_band

    for name in ("error", "grid", "evaluations", "samples"):
        if name in options.given():
            raise click.UsageError(f"--{name} needs --plane")
    if not methods:
        raise click.UsageError("name a method, as -m linear; only --plane needs none")
    if rest["chain"] and rest["ensemble"]:
        raise click.UsageError("give --chain or --ensemble, not both")
    experiment = options.open_experiment(rest, methods)
    options.need_pair(experiment)
    if rest["ensemble"] and not experiment.problem.data.classes:
        raise click.UsageError("--ensemble shows accuracies, and these data have no classes")
    results = _run(experiment)
    if rest["chain"]:
        with progress(), experiment.threads():
            results = with_straight_band(experiment, results)
    how = (results, rest["split"], rest["by_length"], rest["ensemble"])
    return results, partial(draw_paths, *how), partial(interactive_paths, *how)


def _plane(methods: tuple[str, ...], rest: dict[str, Any]) -> Drawing:
    """The loss on a plane."""
    from mcbench.cli.progress import progress
    from mcbench.figures.interactive_plane import interactive_plane
    from mcbench.figures.plane import draw_plane
    from mcbench.landscape import scan, scene
    from mcbench.landscape.plane import is_two_dimensional

    for name in ("ensemble", "by_length"):
        if rest[name]:
            option = name.replace("_", "-")
            raise click.UsageError(f"give --{option}, which is along paths, or --plane, not both")
    if rest["chain"] and not methods:
        raise click.UsageError("--chain marks the pivots of a method's path: give one with -m")
    if rest["to_recipe"] and not methods:
        raise click.UsageError("--to-recipe needs a method: name one with -m")
    seeds = options.seeds(rest)[: 3 if not methods else 1 if rest["same_seed"] else 2]
    experiment = options.open_experiment(rest | {"seeds": seeds, "endpoints": None}, methods)
    options.need_pair(experiment)
    problem = experiment.problem
    if len(seeds) < 3 and not methods and not is_two_dimensional(problem):
        raise click.UsageError(
            "a plane goes through three points: give three endpoints, or two and a method whose "
            "path has a bend (-m polychain)"
        )
    if rest["error"] and not problem.data.classes:
        raise click.UsageError("--error counts wrong classes, and these data have no classes")
    how = ("error" if rest["error"] else "loss", rest["grid"], rest["evaluations"])
    scan_options = scan.ScanOptions(rest["split"], *how, rest["samples"])
    results = _run(experiment)
    with progress(), experiment.threads():
        if methods:
            drawn = scene.along_paths(experiment, results, rest["chain"])
        else:
            drawn = scene.through_endpoints(experiment, seeds)
        scanned = scan.scan_plane(drawn, problem, experiment.store, scan_options)
    return results, partial(draw_plane, scanned), partial(interactive_plane, scanned)


def _run(experiment: Experiment) -> Results:
    """Compute all runs, or without methods the endpoints; exit if nothing can be drawn."""
    from mcbench.cli.progress import progress

    with progress():
        results = experiment.run()
    options.show_failures(results)
    options.show_untrained(experiment, results)
    if not (results.records or (results.endpoints and not results.failures)):
        raise SystemExit(1)
    return results
