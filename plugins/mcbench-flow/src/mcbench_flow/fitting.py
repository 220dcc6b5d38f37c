"""`fit`, resumable gradient descent on a normalising map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import cos, inf, pi
from typing import Any

import torch
from torch import Tensor

import mcbench
from mcbench import Params, Problem
from mcbench_flow.normalizing import Normalizing

CLIP = 10.0
"""The largest norm of a gradient; larger ones are clipped to it."""

REPORTS = 100
"""Number of times in a fit that progress is reported and checked."""

PATIENCE = 10
"""A fit ends after so many checks without a better loss."""


@dataclass(frozen=True)
class Objective:
    """Loss that is minimised by Adam, with a learning rate that falls to 0 on half a cosine.

    Arguments:
        name: The method's name, for draws and errors.
        loss: The loss of one step, given the generator of its draws.
        steps: How many steps.
        lr: The learning rate at the start.
        check: The loss on held-out neurons. The map with the lowest is kept, the one at the start
            included; without a check the last one is.
    """

    name: str
    loss: Callable[[torch.Generator], Tensor]
    steps: int
    lr: float
    check: Callable[[], float] | None = None


@dataclass
class Best:
    """The best map so far: its held-out loss, its step and its ``state_dict``."""

    loss: float = inf
    step: int = 0
    tensors: Params = field(default_factory=dict)

    def update(self, loss: float, step: int, nu: Normalizing) -> None:
        """Keep ``nu`` if its loss is lower."""
        if loss < self.loss:
            tensors = {name: x.clone() for name, x in nu.state_dict().items()}
            self.loss, self.step, self.tensors = loss, step, tensors


def fit(nu: Normalizing, objective: Objective, problem: Problem) -> tuple[Params, int]:
    """Minimise a loss; the ``state_dict`` of the map that is kept, and its step, 0 for the start.

    The draws of a step depend on the run's seed and the step's number only, so a resumed fit gives
    the same numbers, bit for bit.

    Arguments:
        nu: Where to start; it is changed.
        objective: What to minimise, and how.
        problem: Gives the draws, and keeps the state.

    Raises:
        RunError: If the loss or its gradient is not finite.
    """
    fitted, record = mcbench.solve(Fit(nu, objective, problem), problem.workshop)
    step = record["best_step"] if objective.check else record["steps"]
    return {name: x.to(nu.mean.device) for name, x in fitted.items()}, step


class Fit:
    """Training of a map; see `fit`."""

    unit = "step"

    def __init__(self, nu: Normalizing, objective: Objective, problem: Problem) -> None:
        self.nu, self.objective, self.problem = nu, objective, problem
        self.title, self.steps = f"the fit of '{objective.name}'", objective.steps
        self.advice = f"-m '{objective.name}[lr=...]', here {objective.lr:g}"
        self.every = max(1, objective.steps // REPORTS)
        self.weights = dict(nu.named_parameters())
        self.adam = torch.optim.Adam(self.weights.values(), lr=objective.lr)
        self.best, self.done = Best(), 0

    @property
    def record(self) -> dict[str, Any]:
        """The steps that are done, and the best map's step and loss."""
        return {"steps": self.done, "best_loss": self.best.loss, "best_step": self.best.step}

    def progress(self, record: dict[str, Any]) -> int:
        """The steps of a state; all where none of the last ones was better."""
        steps: int = record.get("steps", 0)
        spent = steps - record.get("best_step", 0) >= PATIENCE * self.every
        return self.steps if self.objective.check and spent else steps

    def init(self, tensors: Params, record: dict[str, Any]) -> None:
        """Begin with a check, or resume from a state."""
        if not record:
            self._check()
            return
        parts: dict[str, Params] = {"optimizer": {}, "nu": {}, "best": {}}
        for name, x in tensors.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = x
        self.nu.load_state_dict(parts["nu"])
        best = {n: x.to(self.nu.mean.device) for n, x in parts["best"].items()}
        self.best = Best(record["best_loss"], record["best_step"], best)
        mcbench.restore_optimizer(self.adam, self.weights, tensors)
        self.done = record["steps"]

    def step(self) -> float:
        """Several steps and a check; the mean loss of the steps."""
        stop = min(self.done + self.every, self.steps)
        count, total = stop - self.done, torch.zeros((), device=self.nu.mean.device)
        while self.done < stop:
            total += self._descend()
        self._check()
        return float(total) / count

    def _check(self) -> None:
        if self.objective.check:
            self.best.update(self.objective.check(), self.done, self.nu)

    def _descend(self) -> Tensor:
        rate = self.objective.lr * (1 + cos(pi * self.done / self.steps)) / 2
        self.adam.param_groups[0]["lr"] = rate
        self.done += 1
        loss = self.objective.loss(self.problem.generator("fit", self.objective.name, self.done))
        self.adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights.values(), CLIP)
        self.adam.step()
        return loss.detach()

    def tensors(self) -> Params:
        """The map, the best one and the optimiser's state."""
        tensors = {f"nu.{name}": x for name, x in self.nu.state_dict().items()}
        tensors |= {f"best.{name}": x for name, x in self.best.tensors.items()}
        return tensors | mcbench.optimizer_state(self.adam, self.weights)

    def result(self) -> Params:
        """The best map, or the last one where nothing is held out."""
        return self.best.tensors or dict(self.nu.state_dict())
