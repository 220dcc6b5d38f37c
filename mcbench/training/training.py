"""Training of endpoints: data as tensors in memory, several small networks at once.

A network's numbers do not depend on which others train beside it: whether networks train together
follows from the problem alone, and each seed has its own draws and its own lane, an index of the
batch of networks. Kernels round differently at different indices and for different numbers of
matrices, so a lane without a seed is filled with a copy, whose numbers are discarded.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap

from mcbench.errors import McbenchError, RunError, reason_of
from mcbench.paths.call import call
from mcbench.paths.params import Params
from mcbench.plugins.host import host
from mcbench.problem.augmentation import augment
from mcbench.problem.problem import Problem
from mcbench.seeds import derive, generator
from mcbench.store.checkpoint import Workshop
from mcbench.training.loop import diverged, solve
from mcbench.training.optimizer_state import optimizer_state, restore_optimizer

log = logging.getLogger("mcbench")

TOGETHER = 2**23
"""The most multiplications (weights x batch) in a step of a network that trains with others."""

LANES = 4
"""The number of networks that train together; seed s is in lane s modulo this."""


@dataclass(frozen=True)
class TrainingResult:
    """The end of one network's training: its ``params``, or the ``error`` that stopped it.

    ``losses`` are the mean training losses of its epochs.
    """

    seed: int
    params: Params | None
    error: RunError | None
    seconds: float
    losses: list[float]


def trains_together(problem: Problem) -> bool:
    """Whether networks of this problem train in one batch of networks.

    This pays for small networks; dropout, buffers (batch norm) and all that cannot be stacked
    rule it out.
    """
    module = problem.module
    weights = sum(p.numel() for p in module.parameters())
    dropout = any(isinstance(m, torch.nn.modules.dropout._DropoutNd) for m in module.modules())
    return (
        weights * problem.recipe.batch_size <= TOGETHER
        and not dropout
        and not any(True for _ in module.buffers())
        and problem.builder.stacks_in_training
    )


def train(problem: Problem, checkpoints: Mapping[int, Workshop]) -> Iterator[TrainingResult]:
    """Train endpoints; one that diverges does not stop the others.

    Arguments:
        problem: Architecture, data and recipe.
        checkpoints: The storage of each training by its seed; ``Workshop()`` stores nothing.
    """
    lanes = LANES if trains_together(problem) else 1
    states = {seed: checkpoints[seed].load() for seed in sorted(checkpoints)}
    groups: dict[tuple[int, int], list[int]] = {}
    for seed, state in states.items():
        done = state[1]["epoch"] if state else 0
        groups.setdefault((-done, seed // lanes), []).append(seed)
    for _, group in sorted(groups.items()):
        start = time.perf_counter()
        networks = _Networks(problem, tuple(group))
        loaded = {seed: state for seed in group if (state := states.pop(seed)) is not None}
        tensors = _solved(networks, _Checkpoint(networks, checkpoints, loaded))
        seconds = (time.perf_counter() - start) / len(group)
        for seed, losses in networks.losses.items():
            error = networks.errors.get(seed)
            params = None if error else _of_seed(tensors, seed)
            yield TrainingResult(seed, params, error, seconds, losses)


def _solved(networks: _Networks, checkpoint: _Checkpoint) -> Params:
    """The trained networks; an error in the code of a network is the failure of all of them."""
    try:
        return solve(networks, checkpoint)[0]
    except McbenchError:
        raise
    except Exception as error:
        log.debug("training failed", exc_info=True)
        for seed in networks.seeds:
            reason = f"training of seed {seed} failed: {reason_of(error)}"
            networks.errors.setdefault(seed, RunError(reason))
        return {}


@dataclass
class _Checkpoint:
    """The states of networks that train together, each stored under its own seed.

    Arguments:
        networks: The networks.
        checkpoints: The storage of each by its seed.
        loaded: The stored states, all of the same epoch; empty if the training begins.
    """

    networks: _Networks
    checkpoints: Mapping[int, Workshop]
    loaded: dict[int, tuple[Params, dict[str, Any]]]

    def load(self) -> tuple[Params, dict[str, Any]] | None:
        """The states of all networks as one."""
        if not self.loaded:
            return None
        tensors = {f"{s}.{n}": x for s, (own, _) in self.loaded.items() for n, x in own.items()}
        records = {seed: record for seed, (_, record) in self.loaded.items()}
        epoch = min(record["epoch"] for record in records.values())
        return tensors, {"epoch": epoch, "losses": {s: r["losses"] for s, r in records.items()}}

    def save(self, tensors: Params, record: dict[str, Any], final: bool = False) -> None:
        """Store the networks that did not diverge, every few seconds; final ones are yielded."""
        alive = [seed for seed in self.networks.seeds if seed not in self.networks.errors]
        if not final and any(self.checkpoints[seed].due for seed in alive):
            for seed in alive:  # All at the same epoch, so that they train together again.
                own = {"epoch": record["epoch"], "losses": record["losses"][seed]}
                self.checkpoints[seed].save(_of_seed(tensors, seed), own, final=True)

    def report(self, step: int, steps: int, loss: float) -> None:
        """Report an epoch with its mean loss, of a training that is stored."""
        seeds = self.networks.seeds
        keys = tuple(self.checkpoints[seed].key for seed in seeds)
        if all(keys):
            host().notify(
                "mcbench_epoch_finished", seeds=seeds, keys=keys, epoch=step, epochs=steps,
                loss=loss,
            )  # fmt: skip


def _of_seed(tensors: Params, seed: int) -> Params:
    """The entries ``SEED.NAME`` of one seed, by name."""
    prefix = f"{seed}."
    return {n.removeprefix(prefix): x for n, x in tensors.items() if n.startswith(prefix)}


class _Networks:
    """The solver of networks that train together; only forward and backward passes are batched.

    Attributes:
        done: The number of epochs done.
        losses: The mean loss of each of them, by seed.
        errors: The errors of the seeds that diverged.
    """

    title, unit = "training", "epoch"

    def __init__(self, problem: Problem, seeds: tuple[int, ...]) -> None:
        self.problem, self.seeds = problem, seeds
        recipe = problem.recipe
        self.steps = recipe.last
        self.advice = f"--recipe '{recipe.name}[lr=...]', here {recipe.lr:g}"
        self.done = 0
        self.losses: dict[int, list[float]] = {seed: [] for seed in seeds}
        self.errors: dict[int, RunError] = {}
        self.stacked = trains_together(problem)
        count = LANES if self.stacked else 1
        self.lane = {seed: seed % count for seed in seeds}
        self.lanes = [seeds[0]] * count
        for seed, lane in self.lane.items():
            self.lanes[lane] = seed
        self.modules = [problem.build(seed).to(problem.device).train() for seed in self.lanes]
        self.weights: list[Params] = [
            {n: w for n, w in m.named_parameters() if w.requires_grad} for m in self.modules
        ]
        tensors = [w for weights in self.weights for w in weights.values()]
        self.optimizer = recipe.optimizer_of(tensors)

    @property
    def record(self) -> dict[str, Any]:
        """The number of epochs done, and the losses."""
        return {"epoch": self.done, "losses": self.losses}

    def progress(self, record: dict[str, Any]) -> int:
        """The epochs done; all of them if every network diverged."""
        return self.steps if len(self.errors) == len(self.seeds) else int(record.get("epoch", 0))

    def step(self) -> float | None:
        """Train for an epoch; the mean loss of the networks that have not diverged."""
        for seed, loss in zip(self.seeds, self.epoch(self.done).tolist(), strict=True):
            self.losses[seed].append(loss)
            if not isfinite(loss) and seed not in self.errors:
                title = f"training of seed {seed}"
                self.errors[seed] = diverged(self, title, loss, self.done)
        self.done += 1
        last = [losses[-1] for seed, losses in self.losses.items() if seed not in self.errors]
        return fmean(last) if last else None

    def epoch(self, epoch: int) -> Tensor:
        """One pass over the data, each network in its own order; the mean loss of each."""
        recipe, problem = self.problem.recipe, self.problem
        if not self.stacked:
            torch.manual_seed(derive(self.seeds[0], "epoch", epoch))  # For dropout.
        raw, minibatches = problem.training_data(recipe), problem.builder.minibatches
        orders = [generator(s, "order", epoch) for s in self.lanes]
        draws = [generator(s, "augment", epoch) for s in self.lanes]
        order = torch.stack([torch.randperm(len(raw), generator=g) for g in orders])
        batches = minibatches(order.T.to(problem.device), recipe.batch_size)
        total = torch.zeros(len(self.lanes), dtype=torch.float64, device=problem.device)
        for step, batch in enumerate(batches):
            for group in self.optimizer.param_groups:
                group["lr"] = recipe.rate(epoch, step, len(batches))
            inputs = [
                augment(raw.inputs[rows], recipe.augment, g)
                for rows, g in zip(batch.T, draws, strict=True)
            ]
            normalized = torch.stack([raw.normalized(x) for x in inputs])
            losses = self._losses(normalized, raw.targets[batch.T])
            self.optimizer.zero_grad()
            losses.sum().backward()
            self.optimizer.step()
            total += losses.detach().double() * len(batch)
        return total[list(self.lane.values())] / sum(map(len, batches))

    def _losses(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of each network, shape (lanes,)."""
        if not self.stacked:  # As a user would: the network writes its state into itself.
            outputs = self.modules[0](inputs[0])
            return self.problem.criterion(outputs, targets[0])[None]

        def loss(weights: Params, x: Tensor, y: Tensor) -> Tensor:
            return self.problem.criterion(call(self.modules[0], weights, x), y)

        networks = [dict(m.named_parameters()) for m in self.modules]
        stacked = {n: torch.stack([each[n] for each in networks]) for n in networks[0]}
        return vmap(loss)(stacked, inputs, targets)

    def result(self) -> Params:
        """The state of each network, ``SEED.NAME`` in the order of its ``state_dict``."""
        states = [(s, self.modules[i].state_dict()) for s, i in self.lane.items()]
        return {f"{s}.{n}": x.detach().clone() for s, state in states for n, x in state.items()}

    def tensors(self) -> Params:
        """Each network and its optimiser's state, as ``SEED.NAME``."""
        state: Params = {}
        for seed, i in self.lane.items():
            own = {f"network.{n}": x for n, x in _tensors(self.modules[i]).items()}
            own |= optimizer_state(self.optimizer, self.weights[i])
            state |= {f"{seed}.{n}": x for n, x in own.items()}
        return state

    def init(self, tensors: Params, record: dict[str, Any]) -> None:
        """Continue from a state."""
        if not record:
            return
        self.done, self.losses = record["epoch"], record["losses"]
        for seed, module, weights in zip(self.lanes, self.modules, self.weights, strict=True):
            state = _of_seed(tensors, seed)
            with torch.no_grad():
                for name, tensor in _tensors(module).items():
                    tensor.copy_(state[f"network.{name}"])
            restore_optimizer(self.optimizer, weights, state)


def _tensors(module: torch.nn.Module) -> Params:
    """The parameters and buffers of a network, tied ones once."""
    return dict(module.named_parameters()) | dict(module.named_buffers())
