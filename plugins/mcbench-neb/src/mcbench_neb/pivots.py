"""`Pivots`, networks as rows of a matrix: their losses and gradients, many at once."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.func import functional_call, replace_all_batch_norm_modules_

from mcbench import Layout, Params, Problem, Recipe, outputs, together, unstack

Batch = tuple[Tensor, Tensor]
"""Inputs and targets."""


class Pivots:
    """Networks of one architecture whose weights are rows, all in one floating-point type.

    Forward and backward passes are batched over networks: as many go together as memory allows.
    They go one by one on a CPU where networks have convolutions, and where the network cannot be
    batched: if it draws at random, as dropout does, changes a buffer, or branches on its data.
    The numbers are the same, up to rounding. Batch norms normalise by the batch; there are no
    running statistics.

    Arguments:
        problem: Network, data and loss.
        recipe: Minibatches and weight decay.
        a: The network whose entries that are not floating point all have.
        lanes: So many go together at most; none: as memory allows.

    Attributes:
        size: Entries of a row that are parameters; they come first. Floating-point buffers follow.
        measured: Samples per batch of a measurement: where batch norms see them, as in training.
    """

    def __init__(
        self, problem: Problem, recipe: Recipe, a: Params, lanes: int | None = None
    ) -> None:
        self.problem, self.recipe, self.a = problem, recipe, a
        self.module = copy.deepcopy(problem.module)
        self.module.load_state_dict(a)
        normed = any(getattr(m, "running_mean", None) is not None for m in self.module.modules())
        self.measured = recipe.batch_size if normed else problem.batch_size
        replace_all_batch_norm_modules_(self.module)
        self.layout = Layout(self.module)
        self.size = self.layout.trained
        self.dtype = torch.float32
        for name in self.layout.names:
            self.dtype = torch.promote_types(self.dtype, a[name].dtype)
        self._lanes = lanes
        self._known: dict[tuple[int, bool], int] = {}

    def flatten(self, params: Params) -> Tensor:
        """A network as a row, shape (columns,)."""
        return self.layout.flatten(params).to(self.dtype)

    def unflatten(self, row: Tensor) -> Params:
        """The network of a row; what has no place in it is A's."""
        return self.layout.unflatten(row, self.a)

    # Passes --------------------------------------------------------------------------------

    def gradients(
        self, rows: Tensor, batches: Sequence[Batch], seeds: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        """Losses, shape (rows,), and gradients with the weight decay's, shape (rows, size).

        Losses are without weight decay. The networks are in training mode.

        Arguments:
            rows: Shape (rows, columns).
            batches: One for each row, all of the same size; or one for all.
            seeds: Of what the network draws, one for each row.
        """
        self.module.train()
        own = len(batches) > 1
        lanes = self.lanes(len(batches[0][1]), training=True)
        losses, found = [], []
        for start in range(0, len(rows), lanes):
            place = slice(start, start + lanes)
            if lanes == 1:
                torch.manual_seed(seeds[start])
            chosen = batches[place] if own else batches
            loss, gradient = self._pass(rows[place], chosen)
            losses.append(loss)
            found.append(gradient)
        gradients = torch.cat(found)
        gradients.add_(rows[:, : self.size], alpha=self.recipe.weight_decay)
        return torch.cat(losses), gradients

    def _pass(self, rows: Tensor, batches: Sequence[Batch]) -> tuple[Tensor, Tensor]:
        params = self._stacked(rows)
        weights = list(params.values())[: self.layout.parameters]
        for weight in weights:
            weight.requires_grad_()
        losses = self._losses(params, batches)
        gradients = torch.autograd.grad(losses.sum(), weights)
        return losses.detach(), torch.cat([g.reshape(len(rows), -1) for g in gradients], 1)

    def losses(self, rows: Tensor) -> Tensor:
        """Mean losses on the whole training data, shape (rows,), float64.

        Neither augmentation nor dropout; batch norms normalise by minibatches of the training's
        size, which are the same for all rows.
        """
        total = torch.zeros(len(rows), dtype=torch.float64, device=rows.device)
        self.module.eval()
        lanes = self.lanes(self.measured, training=False)
        shards = [self._stacked(shard) for shard in rows.split(lanes)]
        with torch.inference_mode():
            for batch in self._whole(len(rows)):
                found = [self._losses(shard, [batch]) for shard in shards]
                total += torch.cat(found).double() * len(batch[1])
        return total / len(self.problem.data.train)

    def slopes(self, rows: Tensor) -> Tensor:
        """Gradients as of `gradients`, on the data and in the mode of `losses`."""
        total = torch.zeros_like(rows[:, : self.size])
        self.module.eval()
        lanes = self.lanes(self.measured, training=True)
        for batch in self._whole(len(rows)):
            share = len(batch[1]) / len(self.problem.data.train)
            found = [self._pass(shard, [batch])[1] for shard in rows.split(lanes)]
            total.add_(torch.cat(found), alpha=share)
        return total.add_(rows[:, : self.size], alpha=self.recipe.weight_decay)

    def _whole(self, count: int) -> Iterator[Batch]:
        """One pass over the training data, not augmented; it is counted ``count`` times."""
        plain = replace(self.recipe, augment=(), batch_size=self.measured)
        for batch in self.problem.shuffled(plain, "neb", "measured"):
            self.problem.samples_seen += (count - 1) * len(batch[1])
            yield batch

    # How -----------------------------------------------------------------------------------

    def _stacked(self, rows: Tensor) -> Params:
        """Rows by name, with a first dimension for the networks: views, but for the buffers.

        A network may change its buffers.
        """
        stacked = self.layout.pieces(rows.detach())
        buffers = list(stacked)[self.layout.parameters :]
        return stacked | {name: stacked[name].clone() for name in buffers}

    def _losses(self, params: Params, batches: Sequence[Batch]) -> Tensor:
        """Of stacked networks, each on its own batch or all on one."""
        inputs, targets = batches[0]
        criterion = self.problem.criterion
        count = len(next(iter(params.values())))
        if count == 1:
            (alone,) = unstack(params)
            return criterion(functional_call(self.module, alone, (inputs,)), targets)[None]
        shared = len(batches) == 1
        if not shared:
            inputs = torch.stack([x for x, _ in batches])
        found = outputs(self.problem, params, inputs, shared, self.module)
        wanted = [targets] * count if shared else [y for _, y in batches]
        return torch.stack([criterion(x, y) for x, y in zip(found, wanted, strict=True)])

    def lanes(self, batch: int, training: bool) -> int:
        """How many networks go together on batches of ``batch`` samples."""
        if (batch, training) not in self._known:
            most = self._lanes or together(self.problem, batch, gradients=training)
            self._known[batch, training] = most if most > 1 and self._can_be_batched() else 1
        return self._known[batch, training]

    def _can_be_batched(self) -> bool:
        """Whether the network gives the outputs of two at once, tried on two samples."""
        train = self.problem.data.train
        batch = train.normalized(train.inputs[:2].to(self.problem.device)), train.targets[:2]
        row = self.flatten(self.a)
        try:
            with torch.no_grad():
                self._losses(self._stacked(torch.stack([row, row])), [batch])
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:
            return False
        return True
