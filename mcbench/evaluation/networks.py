"""`Networks`, many networks as rows of a matrix: their losses and gradients, several at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import count, islice

import torch
from torch import Tensor
from torch.func import replace_all_batch_norm_modules_

from mcbench.evaluation.stacked import outputs, together, unstack
from mcbench.paths.call import call_keeping
from mcbench.paths.layout import Layout
from mcbench.paths.params import Params
from mcbench.problem.problem import Problem
from mcbench.problem.recipe import Recipe

Batch = tuple[Tensor, Tensor]
"""Inputs and targets."""


class Networks:
    """Losses and gradients of networks of one architecture, each a row of numbers.

    Forward and backward passes are batched over networks, as many as memory allows. Networks go
    one by one on a CPU where they have convolutions, and where they cannot be batched: if they
    draw at random, as dropout does, change a buffer, or branch on their data. The numbers are the
    same, up to rounding. Batch norms normalise by the batch; there are no running statistics.
    Other buffers that training changes go on from step to step, in their columns of the rows.

    Arguments:
        problem: Network, data and loss.
        recipe: Minibatches and weight decay.
        like: The network whose entries that are not floating point all have.
        purpose: First word of the purposes of all draws, such as a method's name.
        lanes: Number of networks that are batched at most; none: as memory allows.

    Attributes:
        size: The first columns, which are parameters. Floating-point buffers follow.
        dtype: The floating-point type of rows, in which all entries can be written.
        measured: Samples per batch of a pass over the whole data: the recipe's where batch norms
            see them.
        passes: Minibatches in a pass over the training data.
    """

    def __init__(
        self,
        problem: Problem,
        recipe: Recipe,
        like: Params,
        purpose: str,
        lanes: int | None = None,
    ) -> None:
        self.problem, self.recipe, self.like, self.purpose = problem, recipe, like, purpose
        self.module = problem.template()
        self.module.load_state_dict(like)
        normed = any(getattr(m, "running_mean", None) is not None for m in self.module.modules())
        self.measured = recipe.batch_size if normed else problem.batch_size
        replace_all_batch_norm_modules_(self.module)
        self.layout = Layout(self.module)
        self.size = self.layout.trained
        self.running = [n for n in problem.builder.behaviour.running if n in self.layout.names]
        self._after: Params = {}
        types = [like[name].dtype for name in self.layout.names]
        self.dtype = reduce(torch.promote_types, types, torch.float32)
        self.passes = problem.steps(recipe)
        self._most = lanes
        self._lanes: dict[tuple[int, bool, bool], int] = {}

    def flatten(self, params: Params) -> Tensor:
        """Row of a network, shape (columns,)."""
        return self.layout.flatten(params).to(self.dtype)

    def unflatten(self, row: Tensor) -> Params:
        """Network of a row; entries that are not floating point are those of ``like``."""
        return self.layout.unflatten(row, self.like)

    # Minibatches ---------------------------------------------------------------------------

    def minibatches(self, networks: int, start: int, *purpose: object) -> Iterator[list[Batch]]:
        """Minibatches without end, in every step one for each network, from step ``start`` on.

        Each network passes over the training data in its own order. What comes before ``start`` in
        its pass is drawn, so that a resumed training sees the same minibatches, but not counted.
        """
        for number in count(start // self.passes):
            draws = (self.purpose, *purpose, number)
            streams = [self.problem.shuffled(self.recipe, *draws, i) for i in range(networks)]
            steps = (list(each) for each in zip(*streams, strict=True))
            if number == start // self.passes:
                seen = self.problem.samples_seen
                for _ in islice(steps, start % self.passes):
                    pass
                self.problem.samples_seen = seen
            yield from steps

    def gradients(
        self, rows: Tensor, batches: Sequence[Batch], draws: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Losses, shape (rows,), and gradients with the weight decay's, shape (rows, size).

        Losses are without weight decay. The networks are in training mode.

        Arguments:
            rows: Shape (rows, columns); columns of buffers are changed, if training changes them.
            batches: One for each row, all of the same size.
            draws: Seeds what networks draw, as dropout does.
        """
        self.module.train()
        seeds = torch.randint(2**62, (len(rows),), generator=draws).tolist()
        lanes = self.lanes(len(batches[0][1]), training=True)
        parts = []
        for start in range(0, len(rows), lanes):
            if lanes == 1:
                torch.manual_seed(seeds[start])
            part = slice(start, start + lanes)
            parts.append(self._gradients(rows[part], batches[part]))
            for name in self.running:
                self.layout.pieces(rows)[name][start] = self._after[name]
        losses, gradients = (torch.cat(each) for each in zip(*parts, strict=True))
        gradients.add_(rows[:, : self.size], alpha=self.recipe.weight_decay)
        return losses, gradients

    # The whole training data ---------------------------------------------------------------

    def mean_losses(self, rows: Tensor) -> Tensor:
        """Mean losses on the whole training data, shape (rows,), float64.

        Neither augmentation nor dropout; batch norms normalise by minibatches of the training's
        size, which are the same for all rows.
        """
        total = torch.zeros(len(rows), dtype=torch.float64, device=rows.device)
        self.module.eval()
        lanes = self.lanes(self.measured, training=False)
        parts = [self._stacked(part) for part in rows.split(lanes)]
        with torch.inference_mode():
            for batch in self._whole(len(rows)):
                losses = torch.cat([self._losses(part, [batch]) for part in parts])
                total += losses.double() * len(batch[1])
        return total / self._measured_samples

    def mean_gradients(self, rows: Tensor) -> Tensor:
        """Gradients of `mean_losses` with the weight decay's, shape (rows, size)."""
        total = torch.zeros_like(rows[:, : self.size])
        self.module.eval()
        parts = rows.split(self.lanes(self.measured, training=True))
        for batch in self._whole(len(rows)):
            gradients = torch.cat([self._gradients(part, [batch])[1] for part in parts])
            total.add_(gradients, alpha=len(batch[1]) / self._measured_samples)
        return total.add_(rows[:, : self.size], alpha=self.recipe.weight_decay)

    @property
    def _measured_samples(self) -> int:
        """The samples of a pass over the training data."""
        order = torch.arange(len(self.problem.data.train))
        return sum(map(len, self.problem.builder.minibatches(order, self.measured)))

    def _whole(self, networks: int) -> Iterator[Batch]:
        """One pass over the training data, not augmented, counted for each network."""
        plain = replace(self.recipe, augment=(), batch_size=self.measured)
        for batch in self.problem.shuffled(plain, self.purpose, "measured"):
            self.problem.samples_seen += (networks - 1) * len(batch[1])
            yield batch

    # Batched passes ------------------------------------------------------------------------

    def lanes(self, batch: int, training: bool) -> int:
        """Number of networks that are batched in a pass of ``batch`` samples each."""
        key = batch, training, self.module.training
        if key not in self._lanes:
            most = self._most or together(self.problem, batch, gradients=training)
            most = 1 if self.running else most
            self._lanes[key] = most if most > 1 and self._can_be_batched(training) else 1
        return self._lanes[key]

    def _can_be_batched(self, gradients: bool) -> bool:
        """Whether two networks can be batched, with their gradients or not; on two samples."""
        train = self.problem.data.train
        batch = train.normalized(train.inputs[:2].to(self.problem.device)), train.targets[:2]
        row = self.flatten(self.like)
        try:
            rows = torch.stack([row, row])
            if gradients:
                self._gradients(rows, [batch])
            else:
                with torch.no_grad():
                    self._losses(self._stacked(rows), [batch])
        except torch.OutOfMemoryError:
            raise
        except Exception:
            return False
        return True

    def _stacked(self, rows: Tensor) -> Params:
        """Rows by name, with a first dimension for the networks: views, but for the buffers.

        A network may change its buffers.
        """
        stacked = self.layout.pieces(rows.detach())
        buffers = list(stacked)[self.layout.parameters :]
        return stacked | {name: stacked[name].clone() for name in buffers}

    def _gradients(self, rows: Tensor, batches: Sequence[Batch]) -> tuple[Tensor, Tensor]:
        """Losses and gradients of rows in one pass, without weight decay."""
        params = self._stacked(rows)
        weights = list(params.values())[: self.layout.parameters]
        for weight in weights:
            weight.requires_grad_()
        losses = self._losses(params, batches)
        gradients = torch.autograd.grad(losses.sum(), weights, materialize_grads=True)
        return losses.detach(), torch.cat([g.reshape(len(rows), -1) for g in gradients], 1)

    def _losses(self, params: Params, batches: Sequence[Batch]) -> Tensor:
        """Losses of stacked networks, each on its own batch or all on one."""
        inputs, targets = batches[0]
        criterion = self.problem.criterion
        networks = len(next(iter(params.values())))
        if networks == 1:
            (alone,) = unstack(params)
            logits, self._after = call_keeping(self.module, alone, inputs)
            return criterion(logits, targets)[None]
        shared = len(batches) == 1
        if not shared:
            inputs = torch.stack([x for x, _ in batches])
        logits = outputs(self.problem, params, inputs, shared, self.module)
        wanted = [targets] * networks if shared else [y for _, y in batches]
        return torch.stack([criterion(x, y) for x, y in zip(logits, wanted, strict=True)])
