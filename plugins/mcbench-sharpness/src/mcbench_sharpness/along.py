"""Numbers of the Hessian at points of a path, as many at once as fit into memory."""

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
    """Numbers of the Hessian at ``points`` times of the path, shape (points, columns), float64.

    Those of the first points are kept in the evaluation's workshop, and resumed from there.

    Arguments:
        evaluation: The path and its problem.
        points: The points of the uniform grid on [0, 1], both ends included.
        samples: How many of the training data; 0: all.
        describe: Gives the numbers at some points, shape (points, columns).
    """
    problem, path, workshop = evaluation.problem, evaluation.path, evaluation.workshop
    rows = problem.rows("train", samples, "hessian", "samples")
    # A second backward pass keeps about as much again as the first.
    batch = min(len(rows), problem.batch_size)
    together = max(1, mcbench.together(problem, batch, gradients=True) // 2)
    state = workshop.load()
    numbers: list[list[float]] = state[1]["rows"] if state else []
    while len(numbers) < points:
        part = range(len(numbers), min(points, len(numbers) + together))
        hessian = Hessian(problem, [path(i / (points - 1)) for i in part], rows)
        numbers += describe(hessian).tolist()
        workshop.report(len(numbers), points, float(hessian.losses.mean()))
        workshop.save({}, {"rows": numbers})
    return torch.tensor(numbers, dtype=torch.float64)
