"""The optimal-transport matching of neurons, against POT's general solver."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np
import options
from common import mnist, problem, trained
from results import Result, report, reporting
from torch import Tensor

from mcbench.plugins.host import host

SIZES = (2000, 6144)
ITERATIONS = 100_000
"""POT's default limit, which the published code leaves as it is."""
SLOWER, COSTLIER = 1.0, 1 + 1e-6
"""Claimed ratios of seconds, if both find the optimum, and of distances."""


def emd(a: Tensor, b: Tensor, iterations: int = ITERATIONS) -> tuple[np.ndarray, bool]:
    """The plan that the published code finds, and whether its solver converged."""
    try:
        import ot
    except ImportError:
        raise click.ClickException("this needs POT: pip install POT") from None
    share = np.full(len(a), 1 / len(a))
    costs = ot.dist(a.numpy(), b.numpy())
    costs /= costs.max()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It says the same as its log.
        plan, log = ot.emd(share, share, costs, numItermax=iterations, log=True)
    return plan, log["warning"] is None


def cost(a: Tensor, b: Tensor, plan: np.ndarray) -> float:
    """The mean squared distance that a plan moves a neuron, in float64."""
    x, y = a.double().numpy(), b.double().numpy()
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return float((plan * squares).sum())


def measure(a: Tensor, b: Tensor, iterations: int) -> list[Result]:
    """Seconds and costs of one pair of layers."""
    matching = host().get("matching", "ot[cost=incoming]")
    matching.match(a[:100], b[:100], a.shape[1])  # A warm-up, with lazy imports.
    emd(a[:100], b[:100])
    began = time.perf_counter()
    order = matching.match(a, b, a.shape[1])
    ours = time.perf_counter() - began
    best = cost(a, b, np.eye(len(a))[order] / len(a))
    results = []
    for limit in (ITERATIONS, iterations):
        began = time.perf_counter()
        plan, ended = emd(a, b, limit)
        seconds = time.perf_counter() - began
        how = "to its optimum" if ended else f"stopped at {limit:,}"
        title = f"assignment, {len(a):,} neurons, emd {how}"
        results.append(Result(title, "seconds", ours, seconds, SLOWER if ended else None))
        results.append(Result(title, "mean squared distance", best, cost(a, b, plan), COSTLIER))
        if ended:
            break
    return results


def run(
    sizes: tuple[int, ...] = SIZES, samples: int = 60_000, epochs: int = 1,
    iterations: int = 10**8, data_dir: Path | None = None,
) -> list[Result]:  # fmt: skip
    """Match the hidden neurons of two networks, at each size."""
    results = []
    data = mnist(samples, data_dir)
    for width in sizes:
        task = problem(data, width, f"anokhin2020-mnist[epochs={epochs},schedule=constant]")
        a, b = (p[task.chain.layers[0].weight] for p in trained(task))
        results += measure(a, b, iterations)
    return results


@click.command()
@click.option("--size", "sizes", multiple=True, default=SIZES, show_default=True,
              type=click.IntRange(2), help="Neurons; repeat it.")  # fmt: skip
@options.samples()
@options.epochs
@click.option("--iterations", default=10**8, show_default=True, type=click.IntRange(1),
              help="Limit of POT's solver where its default stops it.")  # fmt: skip
@options.data_directory
@reporting
def main(style: str, out: Any, **sizes: Any) -> None:
    """Time the matching of hidden neurons by optimal transport, and compare what it finds.

    The neurons are the incoming weights in two two-layer networks, trained for an epoch from two
    seeds. OURS: the plugin's matching 'ot[cost=incoming]', an exact assignment in float64 (scipy).
    NAIVE: POT's general solver 'ot.emd' on the matrix of squared distances in float32, divided by
    its largest entry, as in the published code. The matrix of costs is timed in both ways.

    POT's solver stops, with a warning, at its default of 100,000 iterations, wherever it is then;
    its plan need not be optimal. 'emd stopped at 100,000' in the table says that it did, and two
    more rows compare with the same solver under a limit that lets it come to its end. The distance
    is |a - b|^2 from a neuron to where the plan takes it, the mean over all, in float64.

    \b
    Claim: not slower than POT to its optimum, and no plan of POT's has a smaller distance.
    Takes some minutes; needs POT.
    Try: python benchmarks/assignment.py --size 500 --samples 6000
    """
    report(run(**sizes), style, out)


if __name__ == "__main__":
    main()
