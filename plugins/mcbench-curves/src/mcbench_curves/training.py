"""Training of a curve's bends: one minibatch and one point of the curve per step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

import mcbench
from mcbench import Endpoint, Params, Problem, Recipe, Statistics
from mcbench_curves import TrainedCurve
from mcbench_curves.coefficients import SHAPES, weighted
from mcbench_curves.network import Network
from mcbench_curves.objectives import Moment, objective


def train(curve: TrainedCurve, a: Endpoint, b: Endpoint, problem: Problem) -> list[Params]:
    """The control points of the trained curve, A first and B last.

    The state is kept in the problem's workshop: a training that was killed resumes at the last
    epoch that was saved and ends with the same numbers; one that is done is not repeated.

    Raises:
        RunError: If the training diverges.
    """
    state, _ = mcbench.solve(Training(curve, a.params, b.params, problem), problem.workshop)
    return [a.params, *mcbench.unpack(state, a.params), b.params]


class Training:
    r"""Training of a curve.

    With :math:`\phi(t) = \sum_i c_i w_i` the gradient in bend i is
    :math:`c_i\, (\nabla \mathrm{CE}(\phi(t)) + \lambda\, \phi(t))`: a step is one forward and
    backward pass at the point :math:`\phi(t)`, as for a single network. Times and weights are
    given by the objective; see `mcbench_curves.objectives`.

    Arguments:
        curve: Its shape, its bends and how they are trained.
        a, b: The ends.
        problem: Network, data and the seed of all draws.

    Attributes:
        control: The control points as rows, shape (bends + 2, size); the ends stay.
        velocity: The sum that momentum keeps, shape (bends, trained).
        record: The number of epochs that are done.
    """

    title, unit = "the curve's training", "epoch"

    def __init__(self, curve: TrainedCurve, a: Params, b: Params, problem: Problem) -> None:
        self.curve, self.a, self.problem = curve, a, problem
        self.recipe: Recipe = curve.recipe(problem)
        self.steps = self.recipe.epochs
        self.advice = f"-m '{curve.name}[lr=...]', here {self.recipe.lr:g}"
        self.record: dict[str, Any] = {"epoch": 0}
        self.network = Network(problem, a, b)
        start, stop = self.network.flatten(a), self.network.flatten(b)
        count = curve.bends + 1
        self.control = torch.stack([torch.lerp(start, stop, i / count) for i in range(count + 1)])
        self.velocity = torch.zeros_like(self.control[1:-1, : self.network.trained])
        self.objective = objective(curve, self.control[:, : self.network.trained])

    def progress(self, record: dict[str, Any]) -> int:
        """The epochs of a state."""
        return int(record.get("epoch", 0))

    def init(self, tensors: Params, record: dict[str, Any]) -> None:
        """Resume from a state, if there is one."""
        if record:
            self.record = {"epoch": record["epoch"]}
            self.control[1:-1] = tensors["control"].to(self.control)
            self.velocity.copy_(tensors["velocity"])
            self.objective.restore(tensors)
            self.network.restore(tensors)

    def tensors(self) -> Params:
        """The bends, their velocity, and the states of the objective and the network."""
        own = {"control": self.control[1:-1], "velocity": self.velocity}
        return own | self.objective.state() | self.network.state()

    def result(self) -> Params:
        """The bends, with running statistics of their own."""
        statistics = Statistics(self.problem, self.recipe)
        bends = (self.network.unflatten(row, self.a) for row in self.control[1:-1])
        return mcbench.pack(map(statistics.renew, bends))

    def step(self) -> float:
        """The next epoch; its mean loss."""
        loss = self.epoch(self.record["epoch"])
        self.record["epoch"] += 1
        return loss

    def epoch(self, epoch: int) -> float:
        """One pass over the data; the mean cross-entropy over samples and times."""
        problem = self.problem
        draws = problem.generator("curve", epoch, "t")
        uniform = torch.rand(
            problem.steps(self.recipe), self.objective.draws, generator=draws, dtype=torch.float64
        )
        # Where times do not depend on losses, coefficients are computed for the whole epoch.
        ahead = self.coefficients(uniform[:, 0]) if self.objective.draws == 1 else None
        self.objective.begin()
        rate = self.recipe.rate(epoch)
        total, count = torch.zeros((), dtype=torch.float64, device=problem.device), 0
        torch.manual_seed(problem.generator("curve", epoch, "dropout").initial_seed())
        samples = problem.shuffled(self.recipe, "curve", epoch)
        for i, (inputs, targets) in enumerate(samples):
            moment = self.objective.moment(uniform[i].tolist())
            weights = self.coefficients([moment.t])[0] if ahead is None else ahead[i]
            loss = self.descend(weights, inputs, targets, rate, moment)
            total += loss.double() * len(targets)
            count += len(targets)
        return float(total) / count

    def coefficients(self, times: Tensor | Sequence[float]) -> Tensor:
        """Coefficients of the control points, shape (times, bends + 2), on the CPU."""
        t = torch.as_tensor(times, dtype=torch.float64)
        return SHAPES[self.curve.shape](t, self.curve.bends).to(self.control.dtype)

    def descend(
        self,
        weights: Tensor,
        inputs: Tensor,
        targets: Tensor,
        rate: float,
        moment: Moment | None = None,
    ) -> Tensor:
        """Move the bends by one step.

        Arguments:
            weights: The coefficients of the control points, on the CPU, shape (bends + 2,).
            inputs, targets: A minibatch.
            rate: The learning rate.
            moment: The time and weights; without them, those of the uniform objective.

        Returns:
            The cross-entropy at the point, before the step.
        """
        network, bends = self.network, weights[1:-1].to(self.control.device)
        moment = moment or Moment()
        weighted(weights, self.control, network.point)
        parameters = network.point[: network.trained]
        torch.mul(parameters, moment.decay * self.recipe.weight_decay, out=network.gradient)
        loss = self.problem.criterion(network.outputs(inputs, moment.t), targets)
        (loss if moment.loss == 1 else moment.loss * loss).backward()
        self.velocity.addr_(bends, network.gradient, beta=self.recipe.momentum)
        self.objective.learn(moment, loss.detach(), self.velocity)
        self.control[1:-1, : network.trained].add_(self.velocity, alpha=-rate)
        return loss.detach()
