"""`fit`, gradient descent on a map that can be interrupted and goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import cos, inf, isfinite, pi

import torch
from torch import Tensor

from mcbench import Params, Problem, RunError
from mcbench_flow.normalizing import Normalizing

CLIP = 10.0
"""The largest norm of a gradient; longer ones are shortened to it."""

REPORTS = 100
"""How often progress is reported, checked and offered to the workshop."""

PATIENCE = 10
"""After so many checks without a better one a fit ends."""


@dataclass(frozen=True)
class Objective:
    """What is minimised, by Adam with a learning rate that falls to 0 on half a cosine.

    Arguments:
        name: What is fitted, for draws and errors.
        loss: The loss of one step, given the generator of its draws.
        steps: How many.
        lr: The learning rate at the start.
        check: The loss on what is held out. The map with the lowest is kept, the one at the start
            included; without a check the last one is.
    """

    name: str
    loss: Callable[[torch.Generator], Tensor]
    steps: int
    lr: float
    check: Callable[[], float] | None = None


@dataclass
class Best:
    """The best map so far: its loss on what is held out, its step and its ``state_dict``."""

    loss: float = inf
    step: int = 0
    tensors: Params = field(default_factory=dict)

    def see(self, loss: float, step: int, nu: Normalizing) -> None:
        """Keep ``nu`` if it is better."""
        if loss < self.loss:
            tensors = {name: x.clone() for name, x in nu.state_dict().items()}
            self.loss, self.step, self.tensors = loss, step, tensors


def fit(nu: Normalizing, objective: Objective, problem: Problem) -> Params:
    """Minimise a loss; the fitted map's ``state_dict``.

    The draws of a step depend on the run's seed and the step's number only, so that a fit that was
    interrupted ends bit for bit as one that was not.

    Arguments:
        nu: Where to start; it is changed.
        objective: What to minimise, and how.
        problem: Gives the draws, and keeps the state.

    Raises:
        RunError: If the loss or its gradient is not finite.
    """
    weights = list(nu.parameters())
    adam = torch.optim.Adam(weights, lr=objective.lr)
    best = Best()
    first = _restore(nu, adam, best, problem)
    if objective.check and first == 0:
        best.see(objective.check(), 0, nu)
    every = max(1, objective.steps // REPORTS)
    total, count = torch.zeros((), device=weights[0].device), 0
    for step in range(first + 1, objective.steps + 1):
        if objective.check and step - best.step > PATIENCE * every:
            break
        rate = objective.lr * (1 + cos(pi * (step - 1) / objective.steps)) / 2
        adam.param_groups[0]["lr"] = rate
        total += _descend(adam, weights, objective, problem.generator("fit", objective.name, step))
        count += 1
        if step % every == 0 or step == objective.steps:
            mean = float(total) / count
            if not isfinite(mean):
                raise RunError(f"{objective.name}: the loss at step {step} is {mean}: try a "
                               f"lower lr than {objective.lr:g}")  # fmt: skip
            if objective.check:
                best.see(objective.check(), step, nu)
            problem.workshop.report(step, objective.steps, mean)
            problem.workshop.save(*_state(nu, adam, best, step))
            total, count = torch.zeros_like(total), 0
    return best.tensors or dict(nu.state_dict())


def _descend(
    adam: torch.optim.Adam,
    weights: Sequence[Tensor],
    objective: Objective,
    draws: torch.Generator,
) -> Tensor:
    loss = objective.loss(draws)
    adam.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, CLIP)
    adam.step()
    return loss.detach()


def _state(
    nu: Normalizing, adam: torch.optim.Adam, best: Best, step: int
) -> tuple[Params, dict[str, float]]:
    tensors = {
        f"adam.{i}.{name}": x
        for i, entries in adam.state_dict()["state"].items()
        for name, x in entries.items()
    }
    tensors |= {f"nu.{name}": x for name, x in nu.state_dict().items()}
    tensors |= {f"best.{name}": x for name, x in best.tensors.items()}
    return tensors, {"step": step, "best_loss": best.loss, "best_step": best.step}


def _restore(nu: Normalizing, adam: torch.optim.Adam, best: Best, problem: Problem) -> int:
    """Go on from what the workshop has: the number of steps that are done."""
    known = problem.workshop.load()
    if known is None or "step" not in known[1]:
        return 0
    tensors, record = known
    parts: dict[str, Params] = {"adam": {}, "nu": {}, "best": {}}
    for name, x in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = x
    nu.load_state_dict(parts["nu"])
    best.loss, best.step = record["best_loss"], record["best_step"]
    best.tensors = {n: x.to(nu.mean.device) for n, x in parts["best"].items()}
    state = adam.state_dict()
    for name, x in parts["adam"].items():
        i, _, entry = name.partition(".")
        state["state"].setdefault(int(i), {})[entry] = x
    adam.load_state_dict(state)
    return int(record["step"])
