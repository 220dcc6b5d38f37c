"""What the benchmarks share: problems of MNIST's size, timing, results and their table."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import click
import torch

from mcbench.dataset import Data, Split
from mcbench.plugins import host
from mcbench.problem import Problem
from mcbench.provenance import provenance
from mcbench.tables import FORMATS, Table, render


@dataclass
class Result:
    """One comparison. The smaller the ratio ours / naive, the better.

    Arguments:
        benchmark: What was compared, with its sizes.
        quantity: What was measured, with its unit.
        ours, naive: The two values.
        limit: What is claimed: the ratio is at most this. None: measured, nothing claimed.
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
        """As JSON takes it."""
        return {**vars(self), "ratio": self.ratio, "holds": self.holds}


def reporting(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that all commands have: ``--format`` and ``--json``."""
    style = click.option("--format", "style", default="table", show_default=True,
                         type=click.Choice(FORMATS), help="How the table is printed.")  # fmt: skip
    out = click.option("--json", "out", type=click.File("w", lazy=True), metavar="FILE",
                       help="Write results, versions and hardware to FILE; '-': print them "
                            "instead of the table.")  # fmt: skip
    return style(out(command))


def data_directory(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option ``--data-dir``."""
    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.option("--data-dir", type=kind, help="Take the real MNIST from this directory; "
                        "else seeded images of its shape are made.")(command)  # fmt: skip


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


def images(samples: int, size: int = 28, channels: int = 1) -> Data:
    """Seeded images with correlated pixels: 60 patterns mixed, and noise; a sixth more to test."""
    draws = torch.Generator().manual_seed(0)
    patterns = torch.rand(60, channels * size * size, generator=draws)

    def split(count: int) -> Split:
        mixture = torch.rand(count, 60, generator=draws)
        noise = torch.rand(count, patterns.shape[1], generator=draws)
        pixels = (mixture @ patterns * 8.5 + 20 * noise - 40).clamp(0, 255).to(torch.uint8)
        return Split(pixels.view(count, channels, size, size), mixture[:, :10].argmax(1))

    return Data(split(samples), split(samples // 6), tuple("0123456789"))


def mnist(samples: int, data_dir: Path | None) -> Data:
    """The first samples of MNIST, or as many images of its shape."""
    if data_dir is None:
        return images(samples)
    from mcbench.data import load
    from mcbench.store import Store

    data, _ = load(host().get("dataset", "mnist"), data_dir, Store())

    def first(split: Split, count: int) -> Split:
        return replace(split, inputs=split.inputs[:count], targets=split.targets[:count])

    return Data(first(data.train, samples), first(data.test, samples // 6), data.classes)


def problem(data: Data, width: int, recipe: str) -> Problem:
    """A two-layer network on the data."""
    architecture = host().get("architecture", f"mlp2[width={width}]")
    return Problem(data, architecture, host().get("recipe", recipe))


def interleaved(
    ours: Callable[[], Any], naive: Callable[[], Any], repeats: int
) -> tuple[float, float]:
    """Median seconds of both ways, run by turns after a warm-up of each."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for i in range(repeats + 1):
        for way, kept in zip((ours, naive), seconds, strict=True):
            began = time.perf_counter()
            way()
            if i:
                kept.append(time.perf_counter() - began)
    return statistics.median(seconds[0]), statistics.median(seconds[1])
