"""The evaluation of one point of a path, against the bare matrix products it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import options
import torch
from common import interleaved, mnist, problem
from results import Result, report, reporting

from mcbench.evaluation.losses import measure
from mcbench.evaluation.protocol import Protocol

LIMIT = 1.5


def run(
    samples: int = 60_000, width: int = 2000, repeats: int = 5, data_dir: Path | None = None
) -> list[Result]:
    """Loss and accuracy on train and test, against products in batches of the same size."""
    task = problem(mnist(samples, data_dir), width, "anokhin2020-mnist")
    params = dict(task.build(0).state_dict())
    first, second = (x.T for x in params.values() if x.dim() == 2)
    inputs = [split.inputs.flatten(1) for split in task.splits.values()]

    @torch.inference_mode()
    def products() -> None:
        for x in inputs:
            for batch in x.split(task.batch_size):
                (batch @ first) @ second

    ours, naive = interleaved(lambda: measure(params, task, Protocol()), products, repeats)
    title = f"point evaluation, {sum(map(len, inputs)):,} samples, width {width:,}"
    return [Result(title, "seconds", ours, naive, LIMIT)]


@click.command()
@options.samples("Training samples; a sixth as many test samples come on top.")
@options.width
@options.repeats(5)
@options.data_directory
@reporting
def main(style: str, out: Any, **sizes: Any) -> None:
    """Time the evaluation of one point of a path.

    OURS: cross-entropy and accuracy of a two-layer network on train and test, as a run measures
    each point. NAIVE: the two matrix products alone, in torch without gradients and in batches
    of the same size: no bias, no ReLU, no loss, no counting. No evaluation can be faster, so the
    ratio is what all the rest costs.

    \b
    Claim: at most 1.5 times the products. Takes half a minute.
    Try: python benchmarks/point_evaluation.py --samples 6000 --width 500
    """
    report(run(**sizes), style, out)


if __name__ == "__main__":
    main()
