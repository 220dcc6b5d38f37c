"""What ensembles are worth for a budget of epochs: members of several trainings pooled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import torch

from mcbench.errors import RunError

if TYPE_CHECKING:
    from torch import Tensor

    from mcbench.paths.params import Params
    from mcbench.problem.problem import Problem


def pooled(
    brought: Iterable[Iterable[Params]],
    epochs: Sequence[float],
    problem: Problem,
    budgets: Sequence[int],
    report: Callable[[int, float], None] = lambda done, loss: None,
) -> dict[str, Any]:
    """Accuracy and loss for budgets of 1, 2, ... times the epochs B of the recipe.

    For a budget of k B epochs, as many trainings are pooled as fit into it; the accuracy is that
    of the mean softmax output of all their members, on the test data (Garipov et al., NeurIPS
    2018, sec. 5). It is taken for every choice of so many trainings out of all. Where more fit
    than there are, all are pooled.

    Arguments:
        brought: The members that each training brings.
        epochs: What a training has spent when each of its members is there.
        problem: Gives network, data and B.
        budgets: k, each at least 1.
        report: Called with the number of trainings that are measured, and the loss of the latest.

    Returns:
        ``epochs``, B; ``members``, of one training; ``growth``, for each member of a training:
        ``epochs`` and, for each training, ``accuracy`` and ``loss`` of the members until then;
        ``budgets``, for each budget: ``budget`` (k), ``trainings``, ``epochs`` that they took, and
        by choice ``accuracy`` (percent) and ``loss`` (nats). No training may fit into a budget;
        then there are no values.

    Raises:
        RunError: If a member's outputs are not finite, or there are not as many as was said.
    """
    whole = problem.recipe.last
    sums: list[Tensor] = []
    growth: list[dict[str, Any]] = [{"epochs": e, "accuracy": [], "loss": []} for e in epochs]
    for members in brought:
        total: Any = 0
        count = 0
        for count, member in enumerate(members, start=1):
            if count > len(epochs):
                break
            total = total + probabilities(member, problem)
            add(growth[count - 1], quality(total, count, problem))
        if count != len(epochs):
            raise RunError(f"a training brought not the {len(epochs)} members that were announced")
        if not bool(total.isfinite().all()):
            raise RunError(f"the outputs of a member of training {len(sums) + 1} are not finite")
        sums.append(total)
        report(len(sums), growth[-1]["loss"][-1])
    found = []
    for budget in budgets:
        trainings = min(len(sums), int(budget * whole / epochs[-1] + 1e-9))
        pool: dict[str, Any] = {"budget": budget, "trainings": trainings}
        pool |= {"epochs": trainings * epochs[-1], "accuracy": [], "loss": []}
        for choice in combinations(sums, trainings) if trainings else ():
            add(pool, quality(torch.stack(choice).sum(0), trainings * len(epochs), problem))
        found.append(pool)
    return {"epochs": whole, "members": len(epochs), "growth": growth, "budgets": found}


def add(values: dict[str, Any], measured: dict[str, float]) -> None:
    """Append accuracy and loss to lists."""
    for name, value in measured.items():
        values[name].append(value)


def quality(total: Tensor, members: int, problem: Problem) -> dict[str, float]:
    """Accuracy (percent) and loss (nats) on the test data of a mean softmax output.

    Arguments:
        total: The sum of the members' outputs, shape (samples, classes).
        members: How many they are.
        problem: Gives the targets.
    """
    targets = problem.splits["test"].targets
    chosen = total.gather(1, targets[:, None])[:, 0].double() / members
    return {
        "accuracy": 100 * float((total.argmax(1) == targets).double().mean()),
        "loss": -float(chosen.clamp_min(torch.finfo(torch.float32).tiny).log().mean()),
    }


def probabilities(params: Params, problem: Problem) -> Tensor:
    """Softmax outputs on the test data, shape (samples, classes)."""
    with torch.inference_mode():
        outputs = [problem.forward(params, x).softmax(1) for x, _ in problem.batches("test")]
        return torch.cat(outputs).clone()
