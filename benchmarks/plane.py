"""A plane through three networks, against its points one by one with a DataLoader."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import options
import torch
from common import mnist, problem
from results import Result, report, reporting
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from training import Pictures

from mcbench.landscape.plane import Plane
from mcbench.landscape.surface import Surface
from mcbench.problem.problem import Problem

LIMIT, GAP = 1 / 5, 1e-4
"""Claimed limits of the ratio of seconds and of the relative difference of losses."""

Place = tuple[float, float]


def places_of(plane: Plane, side: int) -> list[Place]:
    """A lattice over the three points with a margin of a fifth on every side."""
    x = np.linspace(-0.2 * plane.length, 1.2 * plane.length, side)
    y = np.linspace(-0.2 * plane.height, 1.2 * plane.height, side)
    return [(float(a), float(b)) for b in y for a in x]


def naive(
    task: Problem, plane: Plane, places: list[Place], workers: int
) -> tuple[float, list[float]]:
    """Seconds per point, and losses: weights written into a module, images from a DataLoader."""
    module, images = task.build(0).eval(), Pictures(task, "test")
    losses = []
    began = time.perf_counter()
    for place in places:
        module.load_state_dict(plane(*place))
        total = 0.0
        with torch.inference_mode():
            for x, y in DataLoader(images, task.recipe.batch_size, num_workers=workers):
                outputs = module(x)
                total += float(cross_entropy(outputs, y, reduction="sum"))
                (outputs.argmax(1) == y).sum()
        losses.append(total / len(images))
    return (time.perf_counter() - began) / len(places), losses


def run(
    samples: int = 60_000, widths: tuple[int, ...] = (100, 500, 2000), side: int = 21,
    measured: int = 3, data_dir: Path | None = None,
) -> list[Result]:  # fmt: skip
    """Compare seconds of the lattice, and the losses of the points that both measured."""
    results = []
    data = mnist(samples, data_dir)
    for width in widths:
        task = problem(data, width, "anokhin2020-mnist")
        plane = Plane.through(*(dict(task.build(i).state_dict()) for i in range(3)), task)
        places = places_of(plane, side)
        began = time.perf_counter()
        points = Surface(task, plane, "test").measure(places)
        ours = time.perf_counter() - began
        some = places[:: -(-len(places) // measured)]
        one, losses = naive(task, plane, some, 0)
        two, _ = naive(task, plane, some, 2)
        values = dict(zip(places, points, strict=True))
        gap = max(abs(values[p][0] - loss) / loss for p, loss in zip(some, losses, strict=True))
        title = f"plane, {side} x {side}, {samples // 6:,} samples, width {width:,}"
        scaled = f"seconds (naive: {len(some)} of {len(places)} measured)"
        results.append(Result(title, scaled, ours, min(one, two) * len(places), LIMIT))
        results.append(Result(title, "largest gap / loss, against allowed", gap, GAP, 1))
    return results


@click.command()
@options.samples("Training samples; planes are of a sixth as many test samples.")
@options.widths(100, 500, 2000)
@click.option("--side", default=21, show_default=True, type=click.IntRange(2),
              help="So many points on each side.")  # fmt: skip
@click.option("--measured", default=3, show_default=True, type=click.IntRange(1),
              help="Points at which the naive way is measured, at most.")  # fmt: skip
@options.data_directory
@reporting
def main(style: str, out: Any, **sizes: Any) -> None:
    """Time loss and accuracy on a plane through three two-layer networks.

    OURS: the lattice as 'mcbench plot --plane' measures it, everything included: many points in
    one pass over the data, the products of the first layer shared by all of them. NAIVE: point
    by point, its weights loaded into a module, and the images from PIL and ToTensor by a
    DataLoader with 0 or 2 workers, whichever is faster; measured at a few points and SCALED to
    all of them. The losses at those points are compared too.

    \b
    Claim: at least 5 times faster, the same losses to 1e-4 of their value. Takes minutes.
    Try: python benchmarks/plane.py --width 100 --measured 1
    """
    report(run(**sizes), style, out)


if __name__ == "__main__":
    main()
