"""Training of endpoints: data as tensors in memory, several small networks at once.

A network's numbers do not depend on which others train beside it. Whether networks train
together follows from the problem alone, and each seed has its own draws and its own lane: kernels
round differently at different places of a tensor, and for different numbers of matrices. So a
lane that no seed was asked for is filled with a twin, whose numbers are thrown away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from mcbench.errors import RunError
from mcbench.paths.params import Params
from mcbench.problem.augmentation import augment
from mcbench.problem.problem import Problem
from mcbench.seeds import derive, generator
from mcbench.store.store import save_seconds
from mcbench.training.optimizer_state import optimizer_state, restore_optimizer

TOGETHER = 2**23
"""Networks train together if a step of one multiplies less often than this (weights x batch)."""

LANES = 4
"""So many networks train together; seed s is in lane s modulo this."""


@dataclass
class State:
    """A training under way, of one network.

    Arguments:
        epoch: The number of epochs that are done.
        tensors: The network's and the optimiser's, by name.
        losses: The mean training loss of each of those epochs.
    """

    epoch: int
    tensors: Params
    losses: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """A training that ended: with ``params``, or with the ``error`` that says why not.

    ``losses`` are the mean training losses of its epochs.
    """

    seed: int
    params: Params | None
    error: RunError | None
    seconds: float
    losses: list[float]


Save = Callable[[int, State], None]
Report = Callable[[tuple[int, ...], int, int, float], None]


def trains_together(problem: Problem) -> bool:
    """Whether networks of this problem train in one batch of networks.

    That pays for small ones, whose steps are overhead; buffers (batch norm) rule it out.
    """
    module = problem.module
    weights = sum(p.numel() for p in module.parameters())
    dropout = any(isinstance(m, torch.nn.modules.dropout._DropoutNd) for m in module.modules())
    return (
        weights * problem.recipe.batch_size <= TOGETHER
        and not dropout
        and not any(True for _ in module.buffers())
    )


def train(
    problem: Problem,
    seeds: list[int],
    states: dict[int, State],
    save: Save,
    report: Report,
) -> Iterator[Outcome]:
    """Train endpoints; one that diverges does not stop the others.

    Arguments:
        problem: Architecture, data and recipe.
        seeds: One per endpoint.
        states: Where interrupted trainings stopped, by seed.
        save: Called with a seed and its state now and then, so that a kill loses little.
        report: Called after each epoch with (seeds, epoch, epochs, mean loss).
    """
    lanes = LANES if trains_together(problem) else 1
    groups: dict[tuple[int, int], list[int]] = {}
    for seed in sorted(seeds):
        done = states[seed].epoch if seed in states else 0
        groups.setdefault((-done, seed // lanes), []).append(seed)
    for (done, _), group in sorted(groups.items()):
        known = [states[s] for s in group] if done else []
        yield from _train_group(problem, tuple(group), -done, known, save, report)


def _train_group(
    problem: Problem,
    seeds: tuple[int, ...],
    start: int,
    states: list[State],
    save: Save,
    report: Report,
) -> Iterator[Outcome]:
    recipe = problem.recipe
    began = saved = time.perf_counter()
    networks = _Networks(problem, seeds)
    if states:
        networks.restore([state.tensors for state in states])
    history = [list(state.losses) for state in states] or [[] for _ in seeds]
    errors: dict[int, RunError] = {}
    for epoch in range(start, recipe.last):
        losses = networks.epoch(epoch)
        for past, loss in zip(history, losses.tolist(), strict=True):
            past.append(loss)
        for seed, loss in zip(seeds, losses.tolist(), strict=True):
            if not abs(loss) < float("inf") and seed not in errors:
                errors[seed] = RunError(
                    f"training diverged: the loss of seed {seed} is {loss} in epoch {epoch + 1}; "
                    f"a lower learning rate may help (--recipe '{recipe.name}[lr=...]', "
                    f"here {recipe.lr:g})"
                )
        if len(errors) == len(seeds):
            break
        report(seeds, epoch + 1, recipe.last, float(losses.mean()))
        if time.perf_counter() - saved > save_seconds() and epoch + 1 < recipe.last:
            for seed, tensors, past in zip(seeds, networks.snapshot(), history, strict=True):
                if seed not in errors:
                    save(seed, State(epoch + 1, tensors, list(past)))
            saved = time.perf_counter()
    seconds = (time.perf_counter() - began) / len(seeds)
    for seed, params, past in zip(seeds, networks.params(), history, strict=True):
        failed = errors.get(seed)
        yield Outcome(seed, None if failed else params, failed, seconds, past)


class _Networks:
    """Networks that train in step, each with parameters and an optimiser's state of its own.

    Only the forward and backward pass are batched.
    """

    def __init__(self, problem: Problem, seeds: tuple[int, ...]) -> None:
        self.problem, self.seeds = problem, seeds
        self.stacked = trains_together(problem)
        count = LANES if self.stacked else 1
        self.lane = [seed % count for seed in seeds]
        self.lanes = [seeds[0]] * count
        for seed, lane in zip(seeds, self.lane, strict=True):
            self.lanes[lane] = seed
        modules = [problem.build(seed).to(problem.device).train() for seed in self.lanes]
        self.template = modules[0]
        self.weights: list[Params] = [
            {n: w.detach().requires_grad_() for n, w in m.named_parameters()} for m in modules
        ]
        self.buffers = dict(self.template.named_buffers())
        tensors = [w for weights in self.weights for w in weights.values()]
        self.optimizer = problem.recipe.optimizer_of(tensors)

    def epoch(self, epoch: int) -> Tensor:
        """One pass over the data, each network in its own order; the mean loss of each."""
        recipe, problem = self.problem.recipe, self.problem
        if not self.stacked:
            torch.manual_seed(derive(self.seeds[0], "epoch", epoch))  # For dropout.
        raw = problem.data.train.to(problem.device) if recipe.augment else problem.splits["train"]
        orders = [generator(s, "order", epoch) for s in self.lanes]
        draws = [generator(s, "augment", epoch) for s in self.lanes]
        order = torch.stack([torch.randperm(len(raw), generator=g) for g in orders])
        order = order.to(problem.device)
        total = torch.zeros(len(self.lanes), dtype=torch.float64, device=problem.device)
        steps = -(-len(raw) // recipe.batch_size)
        for step in range(steps):
            for group in self.optimizer.param_groups:
                group["lr"] = recipe.rate(epoch, step, steps)
            chosen = order[:, step * recipe.batch_size : (step + 1) * recipe.batch_size]
            inputs = [raw.inputs[rows] for rows in chosen]
            if recipe.augment:
                inputs = [
                    augment(x, recipe.augment, g) for x, g in zip(inputs, draws, strict=True)
                ]
            batch = torch.stack([raw.normalized(x) for x in inputs])
            losses = self._losses(batch, raw.targets[chosen])
            self.optimizer.zero_grad()
            losses.sum().backward()
            self.optimizer.step()
            total += losses.detach().double() * chosen.shape[1]
        return total[self.lane] / len(raw)

    def _losses(self, inputs: Tensor, targets: Tensor) -> Tensor:
        def loss(weights: Params, x: Tensor, y: Tensor) -> Tensor:
            outputs = functional_call(self.template, (weights, self.buffers), (x,))
            return self.problem.criterion(outputs, y)

        if not self.stacked:
            return loss(self.weights[0], inputs[0], targets[0])[None]
        stacked = {n: torch.stack([w[n] for w in self.weights]) for n in self.weights[0]}
        return vmap(loss)(stacked, inputs, targets)

    def params(self) -> list[Params]:
        """The state of each network, in the order of its ``state_dict``."""
        names = self.template.state_dict().keys()
        return [_copy({n: known[n] for n in names}) for known in self._known()]

    def _known(self) -> list[Params]:
        """Parameters and buffers of each network that was asked for."""
        return [{**self.weights[i], **self.buffers} for i in self.lane]

    def snapshot(self) -> list[Params]:
        """All that a resumed training needs, of each network."""
        states = []
        for known, i in zip(self._known(), self.lane, strict=True):
            state = {f"network.{n}": x for n, x in known.items()}
            states.append(_copy(state | optimizer_state(self.optimizer, self.weights[i])))
        return states

    def restore(self, snapshots: list[Params]) -> None:
        """Go on from snapshots."""
        for seed, weights in zip(self.lanes, self.weights, strict=True):
            state = snapshots[self.seeds.index(seed)]
            with torch.no_grad():
                for name, tensor in {**weights, **self.buffers}.items():
                    tensor.copy_(state[f"network.{name}"])
            restore_optimizer(self.optimizer, weights, state)


def _copy(tensors: Params) -> Params:
    return {n: x.detach().clone() for n, x in tensors.items()}
