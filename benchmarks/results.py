"""`Result`, one comparison, and the report of all comparisons."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

import click

from mcbench.report.tables import FORMATS, Table, render
from mcbench.store.provenance import provenance


@dataclass
class Result:
    """One comparison. The smaller the ratio ours / naive, the better.

    Arguments:
        benchmark: Name of the benchmark, with its sizes.
        quantity: The measured quantity, with its unit.
        ours, naive: The two values.
        limit: Largest ratio that is claimed; ``None`` if nothing is claimed.
    """

    benchmark: str
    quantity: str
    ours: float
    naive: float
    limit: float | None = None

    @property
    def ratio(self) -> float:
        """Ours / naive."""
        return self.ours / self.naive

    @property
    def holds(self) -> bool:
        """Whether the claim holds, if there is one."""
        return self.limit is None or self.ratio <= self.limit

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON."""
        return {**vars(self), "ratio": self.ratio, "holds": self.holds}


def reporting(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that all commands have: ``--format`` and ``--json``."""
    style = click.option("--format", "style", default="table", show_default=True,
                         type=click.Choice(FORMATS), help="How the table is printed.")  # fmt: skip
    out = click.option("--json", "out", type=click.File("w", lazy=True), metavar="FILE",
                       help="Write results, versions and hardware to FILE; '-': print them "
                            "instead of the table.")  # fmt: skip
    return style(out(command))


def report(results: list[Result], style: str, out: TextIO | None) -> None:
    """Print the table, write the JSON; exit code 1 if a claim does not hold."""
    columns = ["benchmark", "quantity", "ours", "naive", "ratio", "claim", "holds"]
    table = Table("results", "Benchmarks: ratio = ours / naive", columns)
    for r in results:
        values = [f"{x:.3g}" for x in (r.ours, r.naive, r.ratio)]
        verdict = ["-", "-"] if r.limit is None else [f"<= {r.limit:.2g}", "yes"]
        if not r.holds:
            verdict[1] = "NO"
        cells = [r.benchmark, r.quantity, *values, *verdict]
        table.add(dict(zip(columns, cells, strict=True)), r.to_dict())
    if out:
        out.write(json.dumps({"results": table.data, "provenance": provenance("cpu")}, indent=2))
        out.write("\n")
    if not out or out.name != "-":
        click.echo(render([table], style))
    if not all(r.holds for r in results):
        raise SystemExit(1)
