"""Endpoint training, against a DataLoader that transforms PIL images, with the same network.

The naive way is the papers' code: torchvision's transforms on one image at a time, torch's
DataLoader (0 or 2 workers, whichever is faster), a plain module and a plain optimiser.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from common import Result, images, problem
from torch.utils.data import DataLoader, Dataset

from mcbench import training
from mcbench.plugins import host
from mcbench.problem import Problem


class Pictures(Dataset[Any]):
    """The training data as PIL images, transformed one by one."""

    def __init__(self, task: Problem) -> None:
        from torchvision import transforms

        self.inputs, self.targets = task.data.train.inputs, task.data.train.targets
        picture, augment = transforms.ToPILImage(), task.recipe.augment
        steps: list[Any] = [picture]
        steps += [transforms.RandomHorizontalFlip()] if "flip" in augment else []
        steps += [transforms.RandomCrop(self.inputs.shape[-1], 4)] if "crop" in augment else []
        self.transform = transforms.Compose([*steps, transforms.ToTensor()])

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, i: int) -> tuple[Any, int]:
        return self.transform(self.inputs[i]), int(self.targets[i])


def naive_epoch(task: Problem, workers: int, networks: int) -> float:
    """Seconds of one epoch for so many networks, one after another."""
    recipe = task.recipe
    loader = DataLoader(Pictures(task), recipe.batch_size, shuffle=True, num_workers=workers)
    began = time.perf_counter()
    for seed in range(networks):
        module = task.build(seed)
        optimizer = torch.optim.SGD(
            module.parameters(), recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay
        )
        for inputs, targets in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(module(inputs), targets).backward()
            optimizer.step()
    return time.perf_counter() - began


def our_epoch(task: Problem, networks: int) -> float:
    """Seconds of one epoch for so many networks, as mcbench trains them."""
    assert task.splits and task.module
    began = time.perf_counter()
    outcomes = training.train(task, list(range(networks)), {}, lambda *_: None, lambda *_: None)
    assert all(outcome.params is not None for outcome in outcomes)
    return time.perf_counter() - began


def compare(title: str, task: Problem, networks: int, claim: float) -> Result:
    """One epoch each."""
    our_epoch(task, networks)
    ours = min(our_epoch(task, networks) for _ in range(2))
    naive = min(naive_epoch(task, workers, networks) for workers in (0, 2))
    ratio = naive / ours
    text = f">= {claim:g} times faster" if claim else "none"
    return Result(title, "seconds", ours, naive, ratio, text, ratio >= claim)


def run(data_dir: Path | None = None) -> list[Result]:
    """The embedded default, MNIST's recipe narrow and wide, CIFAR-10's recipe."""
    from mcbench.data import load
    from mcbench.store import Store

    digits, _ = load(host().get("dataset", "digits"), None, Store())
    default = Problem(
        digits, host().get("architecture", "mlp2"), host().get("recipe", "quick[epochs=1]")
    )
    colour = Problem(
        images(10_000, 100, 32, 3),
        host().get("architecture", "mlp2[width=100]"),
        host().get("recipe", "anokhin2020-cifar10[epochs=1,normalize=none]"),
    )
    recipe = "anokhin2020-mnist[epochs=1]"
    return [
        compare("training, digits, width 32, 4 networks", default, 4, 3),
        compare("training, MNIST, width 100", problem(100, data_dir, recipe), 1, 3),
        compare("training, CIFAR-10's augmentation, width 100", colour, 1, 3),
        compare("training, MNIST, width 2,000", problem(2000, data_dir, recipe), 1, 0),
    ]
