"""Weight adjustment of one point: streamed, against the pseudo-inverse of all features."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import options
import torch
from common import apart, memory, mnist, problem, trained
from results import Result, report, reporting

from mcbench.methods.method import Stage
from mcbench.paths.params import Params, combine
from mcbench.plugins.host import host
from mcbench.problem.problem import Problem

SLOWER, LARGER, APART = 0.1, 0.2, 1e-4
"""Claimed limits of seconds, peak memory and the outputs' difference."""


def streamed(task: Problem, a: Params, precision: str) -> Callable[[Params], np.ndarray]:
    """mcbench's way: a function from a point to the last layer's adjusted weights."""
    method = host().get("adjustment", f"wa[precision={precision}]")
    adjust = method.prepare(Stage(1, a, a), task)
    adjust(a, 0.0)  # The first point of a path also computes what all points share.
    return lambda point: adjust(point, 0.5)[task.chain.layers[-1].weight].numpy()


def pseudo_inverse(task: Problem, a: Params) -> Callable[[Params], np.ndarray]:
    """The published code's way, with the features of all samples in memory.

    It also keeps A's features; here A's outputs are enough, which is to its advantage.
    """
    x = task.splits["train"].inputs.flatten(1).numpy()

    def features(params: Params) -> np.ndarray:
        weight, bias = (params[n].numpy() for n in list(params)[:2])
        return np.maximum(x @ weight.T + bias, 0)

    targets = a[list(a)[2]].numpy() @ features(a).T
    return lambda point: targets @ np.linalg.pinv(features(point).T)


def measure(
    way: Any, sizes: tuple[Any, ...], ends: list[dict[str, Any]]
) -> tuple[float, float, np.ndarray]:
    """Seconds, MiB and weights of adjusting the middle of the straight line once."""
    task = problem(mnist(*sizes[:2]), *sizes[2:])
    a, b = ({n: torch.from_numpy(x) for n, x in end.items()} for end in ends)
    middle = combine(a, b, 0.5, 0.5)
    assert task.splits and task.chain  # Data and structure are there before memory is measured.
    Path("/proc/self/clear_refs").write_text("5")  # The peak starts anew.
    before = memory("VmRSS")
    adjust = way(task, a)
    began = time.perf_counter()
    weight = adjust(middle)
    return time.perf_counter() - began, memory("VmHWM") - before, weight


def run(
    samples: int = 60_000, width: int = 2000, epochs: int = 1, precision: str = "float32",
    data_dir: Path | None = None,
) -> list[Result]:  # fmt: skip
    """Compare time, peak memory and outputs."""
    recipe = f"anokhin2020-mnist[epochs={epochs},schedule=constant]"
    sizes = (samples, data_dir, width, recipe)
    task = problem(mnist(samples, data_dir), width, recipe)
    a, b = trained(task)
    ends = [{n: x.numpy() for n, x in end.items()} for end in (a, b)]
    ways = (partial(streamed, precision=precision), pseudo_inverse)
    ours, naive = (apart(measure, way, sizes, ends) for way in ways)
    gap = largest = 0.0
    for inputs, _ in task.batches("train"):
        features = task.chain.features(combine(a, b, 0.5, 0.5), inputs, 1).double().numpy()
        one, two = (features @ w.T.astype(float) for w in (ours[2], naive[2]))
        gap, largest = max(gap, np.abs(one - two).max()), max(largest, np.abs(two).max())
    title = f"weight adjustment, {samples:,} x {width:,}, {precision}"
    return [
        Result(title, "seconds", ours[0], naive[0], SLOWER),
        Result(title, "peak MiB", ours[1], naive[1], LARGER),
        Result(title, "outputs: gap / largest", float(gap), float(largest), APART),
    ]


@click.command()
@options.samples()
@options.width
@options.epochs
@click.option("--precision", default="float32", show_default=True,
              type=click.Choice(["float32", "float64"]), help="Of our products.")  # fmt: skip
@options.data_directory
@reporting
def main(style: str, out: Any, **sizes: Any) -> None:
    """Compare the weight adjustment of one point of a path: time, peak memory, outputs.

    The point is the middle of the straight line between two two-layer networks A and B with 10
    outputs; its last layer is fitted to give A's outputs. OURS: the hidden features' products,
    summed batch by batch in float64, then damped normal equations. NAIVE: the features of all
    samples in float32, and their pseudo-inverse (numpy.linalg.pinv), as in the published code.
    A's outputs are computed once per path and are not timed, in both ways.

    Peak memory is the highest resident memory from there on (VmHWM, Linux only), A's outputs
    included, minus the resident memory before: data and networks count in neither way. The
    outputs' row is the largest absolute difference between the two adjusted layers' outputs
    (without the bias, which is A's in both) over all training samples, then the largest
    absolute output.

    \b
    Claim at full size: 10 times faster, a fifth of the memory, outputs within 1e-4.
    Takes some minutes and 5 GiB of memory.
    Try: python benchmarks/weight_adjustment.py --samples 6000 --width 200
    """
    report(run(**sizes), style, out)


if __name__ == "__main__":
    main()
