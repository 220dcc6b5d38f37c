"""`Course`, a training along which networks are collected, and the training itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

import mcbench
from mcbench import Endpoint, Params, Problem


@dataclass(frozen=True)
class Course:
    """Learning rate of a training, and when networks are collected.

    Arguments:
        name: The ensemble's name; the draws depend on it.
        rate: The learning rate in step i = 1, 2, ....
        marks: The steps after which the network is collected, ascending; the last ends it.
        mean: Whether the networks, the first one included, are averaged into one.
    """

    name: str
    rate: Callable[[int], float]
    marks: tuple[int, ...]
    mean: bool = False


def steps_of(problem: Problem) -> int:
    """Minibatches in an epoch."""
    return problem.steps(problem.recipe)


def collect(course: Course, start: Endpoint, problem: Problem) -> list[Params]:
    """Networks that are collected along a course, or their mean alone, on the problem's device.

    The state is kept in the problem's workshop: a training that was killed resumes at the last
    epoch that was saved and ends with the same numbers; one that is done is not repeated.

    Raises:
        RunError: If the training diverges.
    """
    state, _ = mcbench.solve(Training(course, start, problem), problem.workshop)
    return mcbench.unpack(state, start.params, first=0)


class Training:
    """Training of one network along a course.

    Arguments:
        course: Learning rate and collections.
        start: The network at the start; the draws depend on its seed and the run's.
        problem: Network, data, and the recipe for all else.

    Attributes:
        collected: The networks so far, or their mean alone.
        count: How many networks were collected.
        done: The number of epochs that are done.
    """

    unit = "epoch"

    def __init__(self, course: Course, start: Endpoint, problem: Problem) -> None:
        self.course, self.problem, self.seed = course, problem, start.seed
        self.module = problem.template().train()
        self.module.load_state_dict(start.params)
        self.weights = {n: w for n, w in self.module.named_parameters() if w.requires_grad}
        self.optimizer = problem.recipe.optimizer_of(self.weights.values())
        self.collected: list[Params] = []
        self.count = self.done = 0
        self.steps = -(-course.marks[-1] // steps_of(problem))
        self.title = f"the training of '{course.name}' from seed {start.seed}"
        self.advice = f"-e '{course.name}[...]', here {course.rate(1):g} at the start"
        if course.mean:
            self._collect()

    @property
    def record(self) -> dict[str, Any]:
        """The epochs that are done, and how many networks were collected."""
        return {"epoch": self.done, "collected": self.count}

    def progress(self, record: dict[str, Any]) -> int:
        """The epochs of a state."""
        return int(record.get("epoch", 0))

    def step(self) -> float:
        """The next epoch; its mean loss."""
        loss = self.epoch(self.done)
        self.done += 1
        return loss

    def epoch(self, epoch: int) -> float:
        """One pass over the data, the last one up to the last mark; the mean loss."""
        problem = self.problem
        purpose = (self.course.name, self.seed, epoch)
        total = torch.zeros((), dtype=torch.float64, device=problem.device)
        seen = 0
        step = epoch * steps_of(problem)
        torch.manual_seed(problem.generator(*purpose, "dropout").initial_seed())
        for inputs, targets in problem.shuffled(problem.recipe, *purpose):
            step += 1
            for group in self.optimizer.param_groups:
                group["lr"] = self.course.rate(step)
            self.optimizer.zero_grad()
            loss = problem.criterion(self.module(inputs), targets)
            loss.backward()
            self.optimizer.step()
            total += loss.detach().double() * len(targets)
            seen += len(targets)
            if step in self.course.marks:
                self._collect()
            if step == self.course.marks[-1]:
                break
        return float(total) / seen

    def _collect(self) -> None:
        point = {n: x.detach().clone() for n, x in self.module.state_dict().items()}
        self.count += 1
        if not self.course.mean or not self.collected:
            self.collected.append(point)
            return
        for name, mean in self.collected[0].items():
            if mean.is_floating_point():
                mean.add_(point[name] - mean, alpha=1 / self.count)

    def result(self) -> Params:
        """The networks that were collected."""
        return mcbench.pack(self.collected, first=0)

    def tensors(self) -> Params:
        """The collected networks, the network in training and the optimiser's state."""
        state = self.result()
        state |= {f"network.{n}": x for n, x in self.module.state_dict().items()}
        return state | mcbench.optimizer_state(self.optimizer, self.weights)

    def init(self, tensors: Params, record: dict[str, Any]) -> None:
        """Resume from a state, if there is one."""
        if not record:
            return
        network = self.module.state_dict()
        self.module.load_state_dict({n: tensors[f"network.{n}"] for n in network})
        mcbench.restore_optimizer(self.optimizer, self.weights, tensors)
        collected = mcbench.unpack(tensors, network, first=0)
        self.collected = [{n: x.clone() for n, x in each.items()} for each in collected]
        self.count, self.done = record["collected"], record["epoch"]
