"""Accuracy of ensembles for a budget of epochs: members of several trainings pooled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, combinations, islice
from typing import Any

import torch
from torch import Tensor

from mcbench.errors import RunError
from mcbench.paths.params import Params
from mcbench.problem.problem import Problem


# Records are dict[str, Any], as JSON has them.
def measure_budgets(
    trainings: Iterable[Iterable[Params]],
    epochs: Sequence[float],
    problem: Problem,
    budgets: Sequence[int],
    report: Callable[[int, float], None],
) -> dict[str, Any]:
    """Accuracy and loss for budgets of 1, 2, ... times the epochs B of the recipe.

    For a budget of k B epochs, as many trainings are pooled as fit into it, or all; the accuracy
    is that of the mean softmax output of their members on the test data (Garipov et al., NeurIPS
    2018, sec. 5), for every choice of that many trainings.

    Arguments:
        trainings: The members from each training.
        epochs: Epochs that a training has spent until each of its members.
        problem: Network, data and B.
        budgets: k, each at least 1.
        report: Called with the number of measured trainings and the loss of the latest.

    Returns:
        ``epochs``, B; ``members``, of one training; ``growth``, for each member of a training:
        ``epochs`` and, for each training, ``accuracy`` and ``loss`` of the members until then;
        ``budgets``, for each budget: ``budget`` (k), ``trainings``, ``epochs`` that they took, and
        by choice ``accuracy`` (percent) and ``loss`` (nats), empty if no training fits into it.

    Raises:
        RunError: If a member's outputs are not finite, or their number is another one.
    """
    whole = problem.recipe.last
    sums: list[Tensor] = []
    growth: list[dict[str, Any]] = [{"epochs": e, "accuracy": [], "loss": []} for e in epochs]
    for number, members in enumerate(trainings, start=1):
        outputs = [probabilities(member, problem) for member in islice(members, len(epochs) + 1)]
        if len(outputs) != len(epochs):
            given = f"more than {len(epochs)}" if len(outputs) > len(epochs) else len(outputs)
            raise RunError(
                f"training {number} gave {given} members, but the ensemble's 'epochs' "
                f"announces {len(epochs)}"
            )
        totals = list(accumulate(outputs))
        if not bool(totals[-1].isfinite().all()):
            raise RunError(f"the outputs of a member of training {number} are not finite")
        for count, total in enumerate(totals, start=1):
            _append(growth[count - 1], quality(total, count, problem))
        sums.append(totals[-1])
        report(number, growth[-1]["loss"][-1])
    pools = []
    for budget in budgets:
        fitting = min(len(sums), int(budget * whole / epochs[-1] + 1e-9))
        pool: dict[str, Any] = {"budget": budget, "trainings": fitting}
        pool |= {"epochs": fitting * epochs[-1], "accuracy": [], "loss": []}
        for choice in combinations(sums, fitting) if fitting else ():
            _append(pool, quality(torch.stack(choice).sum(0), fitting * len(epochs), problem))
        pools.append(pool)
    return {"epochs": whole, "members": len(epochs), "growth": growth, "budgets": pools}


def _append(values: dict[str, Any], measured: dict[str, float]) -> None:
    """Append accuracy and loss to their lists."""
    for name, value in measured.items():
        values[name].append(value)


def quality(total: Tensor, members: int, problem: Problem) -> dict[str, float]:
    """Accuracy (percent) and loss (nats) on the test data of a mean softmax output.

    Arguments:
        total: The sum of the members' outputs, shape (samples, classes).
        members: The number of members.
        problem: Provides the targets.
    """
    targets = problem.splits["test"].targets
    correct = total.gather(1, targets[:, None])[:, 0].double() / members
    return {
        "accuracy": 100 * float((total.argmax(1) == targets).double().mean()),
        "loss": -float(correct.clamp_min(torch.finfo(torch.float32).tiny).log().mean()),
    }


def probabilities(params: Params, problem: Problem) -> Tensor:
    """Softmax outputs on the test data, shape (samples, classes)."""
    with torch.inference_mode():
        outputs = [problem.forward(params, x).softmax(1) for x, _ in problem.batches("test")]
        return torch.cat(outputs).clone()
