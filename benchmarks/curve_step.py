"""One step of training a curve, against a plain step of SGD with the same network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import options
import torch
from common import images, interleaved, repeated
from mcbench_curves import TrainedCurve
from mcbench_curves.coefficients import SHAPES
from mcbench_curves.training import Training
from results import Result, report, reporting
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mcbench.plugins.host import host
from mcbench.problem.problem import Problem

LIMIT = 1.3
NETWORKS = {
    "mlp2[width=2000]": ("anokhin2020-mnist", 28, 1),
    "conv2fc1": ("anokhin2020-cifar10", 32, 3),
    "residual, 8 layers": ("garipov2018-vgg16", 32, 3),
}
"""Recipe, size and channels of the images, by network."""
TIME = 0.4
"""Time on the curve, where all three control points of a Bezier curve count, two of a polygon."""


class Block(nn.Module):
    """Two 3x3 convolutions with batch norm, and a shortcut around them."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(before, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.around = nn.Identity()
        if before != channels:
            self.around = nn.Conv2d(before, channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (batch, channels, height, width)."""
        return (self.inner(x) + self.around(x)).relu()


class Residual:
    """A residual network of 8 layers with batch norm: three blocks of 16, 32 and 64 channels."""

    name = "residual"

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network."""
        stem = nn.Conv2d(input_shape[0], 16, 3, padding=1, bias=False)
        blocks = [Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2)]
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes)]
        return nn.Sequential(stem, nn.BatchNorm2d(16), nn.ReLU(), *blocks, *head)


def architecture(name: str) -> Any:
    """The architecture of a row of `NETWORKS`."""
    return Residual() if name.startswith("residual") else host().get("architecture", name)


def bent(task: Problem, shape: str, inputs: Tensor, targets: Tensor) -> Callable[[], Any]:
    """A step of a curve with one bend, as its training does it."""
    curve: TrainedCurve = host().get("method", shape)
    ends = (dict(task.build(seed).state_dict()) for seed in (0, 1))
    training = Training(curve, *ends, task)
    weights = SHAPES[curve.shape](torch.tensor([TIME], dtype=torch.float64), curve.bends)[0]
    rate = training.recipe.rate(0)
    return lambda: training.descend(weights.to(training.control.dtype), inputs, targets, rate)


def plain(task: Problem, inputs: Tensor, targets: Tensor) -> Callable[[], Any]:
    """A step of one network, with the optimiser that endpoints are trained with."""
    recipe, module = task.recipe, task.build(0).train()
    rest = {"momentum": recipe.momentum, "weight_decay": recipe.weight_decay, "fused": True}
    optimizer = torch.optim.SGD(module.parameters(), recipe.rate(0), **rest)

    def step() -> None:
        optimizer.zero_grad()
        cross_entropy(module(inputs), targets).backward()
        optimizer.step()

    return step


def run(steps: int = 10, repeats: int = 9) -> list[Result]:
    """Both shapes of curve with both networks: median seconds of a step."""
    results = []
    for name, (recipe, size, channels) in NETWORKS.items():
        training = host().get("recipe", recipe)
        data = images(training.batch_size * 6, size, channels)
        task = Problem(data, architecture(name), training)
        inputs, targets = next(task.batches("train", training.batch_size))
        for shape in SHAPES:
            ways = (bent(task, shape, inputs, targets), plain(task, inputs, targets))
            ours, naive = interleaved(*(repeated(way, steps) for way in ways), repeats)
            title = f"curve step, {shape}, {name}, batch {len(targets)}"
            results.append(Result(title, "seconds", ours / steps, naive / steps, LIMIT))
    return results


@click.command()
@click.option("--steps", default=10, show_default=True, type=click.IntRange(1),
              help="Steps in a row.")  # fmt: skip
@options.repeats(9)
@reporting
def main(style: str, out: Any, **sizes: Any) -> None:
    """Time one training step of a curve with one bend, polygonal chain or Bezier.

    OURS: the step as a run does it: the weighted sum of the control points, forward and backward
    pass there, weight decay, momentum, and the bend's move. NAIVE: a step of the same network on
    the same minibatch with torch's fused SGD, with momentum and weight decay: what training an
    endpoint costs, but for its data. So the ratio is what being a curve costs.

    The networks are the two-layer one with 2000 hidden units on images of MNIST's shape,
    conv2fc1 and a residual network of 8 layers with batch norm on images of CIFAR-10's, in the
    minibatches of their recipes.

    \b
    Claim: at most 1.3 times.
    Try: python benchmarks/curve_step.py --steps 5 --repeats 3
    """
    report(run(**sizes), style, out)


if __name__ == "__main__":
    main()
