"""`Course`, a training along which networks are collected, and how it is carried out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

import mcbench
from mcbench import Endpoint, Params, Problem


@dataclass(frozen=True)
class Course:
    """A training that goes on from a network.

    Arguments:
        name: Whose it is; the draws depend on it.
        rate: The learning rate in step i = 1, 2, ....
        marks: The steps after which the network is collected, ascending; the last ends it.
        mean: Whether the networks, that at the start too, are averaged into one.
    """

    name: str
    rate: Callable[[int], float]
    marks: tuple[int, ...]
    mean: bool = False


def steps_of(problem: Problem) -> int:
    """Minibatches in an epoch."""
    return -(-len(problem.data.train) // problem.recipe.batch_size)


def carry_out(course: Course, start: Endpoint, problem: Problem) -> list[Params]:
    """The networks that are collected, or their mean alone, on the problem's device.

    The state is kept in the problem's workshop: a training that was killed goes on from the last
    epoch that was saved and ends with the same numbers; one that is done is not repeated.

    Raises:
        RunError: If the training diverges.
    """
    state, _ = mcbench.solve(Training(course, start, problem), problem.workshop)
    return members_of(state, start.params)


def members_of(state: Params, like: Params) -> list[Params]:
    """The collected networks of a state, in which entry ``n`` of the i-th is named ``i.n``."""
    numbers = {name.partition(".")[0] for name in state} - {"network", "optimizer"}
    return [
        {n: state[f"{i}.{n}"].to(x.device) for n, x in like.items()} for i in range(len(numbers))
    ]


class Training:
    """A training under way, of one network, in training mode.

    Arguments:
        course: Where it goes.
        start: Where it starts; its seed is that of the draws, with the run's.
        problem: Network, data, and the recipe with all else.

    Attributes:
        collected: The networks so far, or their mean alone.
        count: How many were collected.
        done: The number of epochs that are done.
    """

    unit = "epoch"

    def __init__(self, course: Course, start: Endpoint, problem: Problem) -> None:
        self.course, self.problem, self.seed = course, problem, start.seed
        self.module = copy.deepcopy(problem.module).train()
        self.module.load_state_dict(start.params)
        self.weights = dict(self.module.named_parameters())
        for weight in self.weights.values():
            weight.requires_grad_()
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
        """How far it is."""
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
        """One pass over the data, or as much of it as is left; the mean loss."""
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
        """What was collected: entry ``n`` of the i-th network is named ``i.n``."""
        networks = enumerate(self.collected)
        return {f"{i}.{name}": x for i, network in networks for name, x in network.items()}

    def tensors(self) -> Params:
        """All that a resumed training needs."""
        state = self.result()
        state |= {f"network.{n}": x for n, x in self.module.state_dict().items()}
        return state | mcbench.optimizer_state(self.optimizer, self.weights)

    def init(self, tensors: Params, record: dict[str, Any]) -> None:
        """Go on from a state."""
        if not record:
            return
        known = self.module.state_dict()
        self.module.load_state_dict({n: tensors[f"network.{n}"] for n in known})
        mcbench.restore_optimizer(self.optimizer, self.weights, tensors)
        self.collected = [
            {n: x.clone() for n, x in network.items()} for network in members_of(tensors, known)
        ]
        self.count, self.done = record["collected"], record["epoch"]
