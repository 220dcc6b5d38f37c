"""One step of a nudged elastic band, its pivots together, against one pivot after another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import options
import torch
from common import interleaved, mnist, problem, repeated
from mcbench_neb import NEB
from mcbench_neb.pivots import Pivots
from results import Result, report, reporting

from mcbench.problem.problem import Problem

LIMITS = {32: 0.6, 100: None, 500: None}
"""Claimed ratios, by the number of hidden units."""


def stepping(task: Problem, pivots: int, lanes: int | None) -> Callable[[], Any]:
    """A step of all pivots, each on a minibatch of its own, as a run does it."""
    ends = (dict(task.build(seed).state_dict()) for seed in (0, 1))
    moving = Pivots(NEB(pivots=pivots), *ends, task, lanes)
    recipe = moving.networks.recipe
    batches = [next(task.shuffled(recipe, "benchmark", i)) for i in range(pivots)]
    return lambda: moving.step(1e-6, batches, torch.Generator())


def run(
    pivots: int = 11,
    samples: int = 6000,
    steps: int = 20,
    repeats: int = 9,
    data_dir: Path | None = None,
) -> list[Result]:
    """Two-layer networks of some widths: median seconds of a step."""
    data = mnist(samples, data_dir)
    results = []
    for width, limit in LIMITS.items():
        task = problem(data, width, "anokhin2020-mnist")
        ways = (repeated(stepping(task, pivots, lanes), steps) for lanes in (None, 1))
        ours, naive = interleaved(*ways, repeats)
        title = f"neb step, {pivots} pivots, width {width}, batch {task.recipe.batch_size}"
        results.append(Result(title, "seconds", ours / steps, naive / steps, limit))
    return results


@click.command()
@click.option("--pivots", default=11, show_default=True, type=click.IntRange(1),
              help="Pivots of the band.")  # fmt: skip
@options.samples("Training samples, for minibatches.", 6000, 256)
@click.option("--steps", default=20, show_default=True, type=click.IntRange(1),
              help="Steps in a row.")  # fmt: skip
@options.repeats(9)
@options.data_directory
@reporting
def main(style: str, out: Any, **sizes: Any) -> None:
    r"""Time one step of a nudged elastic band.

    OURS: a step of 11 pivots as a run does it: pivots are redistributed, losses and gradients of
    all are taken in one batched pass, each on its own minibatch, then tangents, forces, momentum
    and the move. NAIVE: the same step with a pass for each pivot, one after another. All but the
    passes is the same in both, and so are the numbers up to rounding.

    The networks are two-layer ones on MNIST, or images of its shape. Batching saves the overhead
    of small passes: the wider the network, the less there is to save on a CPU.

    \b
    Claim: at most 0.6 times at width 32; none for wider networks.
    Try: python benchmarks/neb.py --steps 5 --repeats 3
    """
    report(run(**sizes), style, out)


if __name__ == "__main__":
    main()
