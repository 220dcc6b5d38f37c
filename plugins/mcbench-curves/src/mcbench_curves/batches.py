"""The training data in random order, augmented as the recipe says."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mcbench import Problem, Recipe, augment


def batches(problem: Problem, recipe: Recipe, *purpose: object) -> Iterator[tuple[Tensor, Tensor]]:
    """One pass in minibatches, normalised; the same ``purpose`` gives the same draws.

    Arguments:
        problem: Data, device and the seed of the draws.
        recipe: Says how large batches are and how they are augmented.
        purpose: What the draws are for.
    """
    raw = problem.data.train.to(problem.device) if recipe.augment else problem.splits["train"]
    order = torch.randperm(len(raw), generator=problem.generator(*purpose, "order"))
    draws = problem.generator(*purpose, "augment")
    for rows in order.to(problem.device).split(recipe.batch_size):
        inputs = raw.inputs[rows]
        if recipe.augment:
            inputs = augment(inputs, recipe.augment, draws)
        yield raw.normalized(inputs), raw.targets[rows]
