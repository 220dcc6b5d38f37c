"""Run the benchmarks: ``python benchmarks/run.py [NAME ...]``."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import click
from common import Result

from mcbench.provenance import provenance
from mcbench.tables import FORMATS, Table, render

NAMES = ("weight_adjustment", "point_evaluation", "training", "startup")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, exists=True),
    help="Directory with real MNIST; else images like it are made.",
)
@click.option(
    "--format",
    "style",
    default="table",
    type=click.Choice(FORMATS),
    help="How the table is printed.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path),
              help="Also write results and provenance to this JSON file.")  # fmt: skip
def main(names: tuple[str, ...], data_dir: Path | None, style: str, out: Path | None) -> None:
    """Compare mcbench with the naive way, in the same run. All benchmarks, or those of NAMES.

    Takes about ten minutes on two cores. Exit code 1: a claim does not hold.
    """
    results: list[Result] = []
    for name in names or NAMES:
        click.echo(f"running {name}", err=True)
        run = import_module(name).run
        results += run() if name == "startup" else run(data_dir=data_dir)
    table = Table("benchmarks", "Benchmarks", ["benchmark", "quantity", "ours", "naive", "ratio",
                                               "claim", "holds"], keys=7)  # fmt: skip
    for result in results:
        numbers = [f"{x:.3g}" for x in (result.ours, result.naive, result.ratio)]
        holds = "yes" if result.holds else "NO"
        cells = [result.benchmark, result.quantity, *numbers, result.claim, holds]
        table.add(dict(zip(table.columns, cells, strict=True)), result.to_dict())
    click.echo(render([table], style))
    if out:
        found = {"results": table.data, "provenance": provenance("cpu")}
        out.write_text(json.dumps(found, indent=1) + "\n")
    if not all(result.holds for result in results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
