"""The Hessian at the points of a path, as many at once as fit into memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

import mcbench
from mcbench import Evaluation
from mcbench_sharpness.hessian import Hessian


def along(
    evaluation: Evaluation, points: int, samples: int, describe: Callable[[Hessian], Tensor]
) -> Tensor:
    """What ``describe`` gives at ``points`` times of the path, shape (points, columns), float64.

    What is known of the first points is kept in the evaluation's workshop.

    Arguments:
        evaluation: Of the path.
        points: The points of the uniform grid on [0, 1], both ends included.
        samples: Of the training data; 0: all.
        describe: Gives numbers for some points, shape (points, columns).
    """
    problem, path, workshop = evaluation.problem, evaluation.path, evaluation.workshop
    rows = problem.rows("train", samples, "hessian", "samples")
    # What goes backwards through a backward pass keeps about as much again as the pass itself.
    batch = min(len(rows), problem.batch_size)
    together = max(1, mcbench.together(problem, batch, gradients=True) // 2)
    known = workshop.load()
    found: list[list[float]] = known[1]["rows"] if known else []
    while len(found) < points:
        next_ones = range(len(found), min(points, len(found) + together))
        hessian = Hessian(problem, [path(i / (points - 1)) for i in next_ones], rows)
        found += describe(hessian).tolist()
        workshop.report(len(found), points, float(hessian.losses.mean()))
        workshop.save({}, {"rows": found})
    return torch.tensor(found, dtype=torch.float64)
