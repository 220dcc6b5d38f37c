"""Run the benchmarks, all or some, at their full sizes, and judge their claims."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import click
import options
from results import Result, report, reporting

NAMES = (
    "startup", "point_evaluation", "training", "curve_step", "neb", "assignment",
    "weight_adjustment", "adjustment_memory", "path", "plane",
)  # fmt: skip


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@options.data_directory
@reporting
def main(names: tuple[str, ...], data_dir: Path | None, style: str, out: Any) -> None:
    """Compare mcbench with the naive way, in the same run: all benchmarks, or those of NAMES.

    Prints one table: what was measured in both ways, the ratio ours / naive (0.1 is ten times
    faster), what is claimed of it, and whether that holds. Exit code 1: a claim does not hold.
    Each benchmark is a program as well, with smaller sizes to try it: see
    'python benchmarks/training.py --help'.

    \b
    All take about twenty minutes on two cores that have nothing else to do.
    Try: python benchmarks/run.py startup point_evaluation --json results.json
    """
    results: list[Result] = []
    for name in names or NAMES:
        click.echo(f"running {name}", err=True)
        run = import_module(name).run
        takes_data = "data_dir" in signature(run).parameters
        results += run(data_dir=data_dir) if takes_data else run()
    report(results, style, out)


if __name__ == "__main__":
    main()
