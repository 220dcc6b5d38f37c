"""Endpoint training, against a DataLoader that transforms PIL images, with the same network."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import options
import torch
from common import images, mnist, problem
from PIL import Image
from results import Result, report, reporting
from torch.utils.data import DataLoader, Dataset

from mcbench.problem.dataset import CHANNELS
from mcbench.problem.problem import Problem, SplitName
from mcbench.store.checkpoint import Workshop
from mcbench.training import training

LIMIT = 1 / 3
WIDEST = 100
"""Largest width with a claim: beyond it the matrix products take most of the time."""
RECIPES = {"anokhin2020-mnist": 60_000, "anokhin2020-cifar10": 50_000}
"""Number of training samples, by recipe."""
WIDTHS = (32, 100, 500, 2000)


class Pictures(Dataset[Any]):
    """A split as torchvision's data sets give it: PIL images, transformed each."""

    def __init__(self, task: Problem, split: SplitName = "train") -> None:
        from torchvision import transforms

        data, recipe = getattr(task.data, split), task.recipe
        pixels = data.inputs
        self.pixels = pixels.permute(0, 2, 3, 1).squeeze(-1).contiguous().numpy()
        self.targets = data.targets.tolist()
        augmentations = {
            "flip": transforms.RandomHorizontalFlip(),
            "crop": transforms.RandomCrop(pixels.shape[-1], 4),
        }
        steps: list[Any] = [augmentations[name] for name in recipe.augment]
        steps.append(transforms.ToTensor())
        if recipe.normalize in CHANNELS:
            steps.append(transforms.Normalize(*CHANNELS[recipe.normalize]))
        self.transform = transforms.Compose(steps)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, i: int) -> tuple[Any, int]:
        return self.transform(Image.fromarray(self.pixels[i])), self.targets[i]


def usual(task: Problem, workers: int, networks: int) -> float:
    """Seconds of one epoch for so many networks, one after another."""
    recipe = task.recipe
    loader = DataLoader(Pictures(task), recipe.batch_size, shuffle=True, num_workers=workers)
    began = time.perf_counter()
    for seed in range(networks):
        module = task.build(seed).train()
        rest = {"momentum": recipe.momentum, "weight_decay": recipe.weight_decay, "fused": True}
        optimizer = torch.optim.SGD(module.parameters(), recipe.rate(0), **rest)
        for inputs, targets in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(module(inputs), targets).backward()
            optimizer.step()
    return time.perf_counter() - began


def ours(task: Problem, networks: int) -> float:
    """Seconds of one epoch for so many networks, as a run trains them: small ones on 1 thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if training.trains_together(task) else threads)
    began = time.perf_counter()
    results = training.train(task, dict.fromkeys(range(networks), Workshop()))
    assert all(result.params is not None for result in results)
    torch.set_num_threads(threads)
    return time.perf_counter() - began


def run(samples: int = 60_000, widths: tuple[int, ...] = WIDTHS, networks: int = 0,
        repeats: int = 1, data_dir: Path | None = None) -> list[Result]:  # fmt: skip
    """One epoch of each recipe at each width: the fastest of each way, per network, by turns."""
    results = []
    for recipe, size in RECIPES.items():
        count = min(samples, size)
        data = mnist(count, data_dir) if recipe.endswith("mnist") else images(count, 32, 3)
        for width in widths:
            task = problem(data, width, f"{recipe}[epochs=1]")
            n = networks or (training.LANES if training.trains_together(task) else 1)
            ours(task, n)  # A warm-up, with normalisation and lazy imports.
            seconds: list[tuple[float, float]] = []
            for _ in range(repeats):
                naive = min(usual(task, workers, n) / n for workers in (0, 2))
                seconds.append((ours(task, n) / n, naive))
            title = f"training, {recipe}, width {width:,}, networks: {n}"
            fastest = map(min, zip(*seconds, strict=True))
            results.append(Result(title, "seconds", *fastest, LIMIT if width <= WIDEST else None))
    return results


@click.command()
@options.samples("Training samples at most; CIFAR-10 has 50,000.")
@options.widths(*WIDTHS)
@click.option("--networks", default=0, help="Networks to train; 0: as many as mcbench trains at "
              "once, 4 where steps are small, else 1.")  # fmt: skip
@options.repeats(1, "Number of turns, of which the fastest counts.")
@options.data_directory
@reporting
def main(style: str, out: Any, **sizes: Any) -> None:
    """Time one epoch of endpoint training, per network, by MNIST's and CIFAR-10's recipe.

    OURS: the data as tensors, augmented by the batch. NAIVE: the usual way, as in the published
    code: PIL images, torchvision's transforms (ToTensor; RandomHorizontalFlip, RandomCrop and
    Normalize for CIFAR-10's recipe), torch's DataLoader with 0 or 2 workers, whichever is
    faster, and the same network and optimiser (SGD, fused). Decoding the data, done once, is not
    timed. CIFAR-10's recipe gets seeded images of CIFAR-10's shape.

    \b
    Claim: 3 times faster up to width 100. Wider networks are measured without a claim: there the
    matrix products, which both ways have to do, take most of the time. Takes some minutes.
    Try: python benchmarks/training.py --samples 5000 --width 100
    """
    report(run(**sizes), style, out)


if __name__ == "__main__":
    main()
