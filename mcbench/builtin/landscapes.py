"""Landscapes: losses that are formulas of two weights, to see and to test methods."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mcbench.plugins.hookspecs import hookimpl
from mcbench.problem.dataset import Data, Split
from mcbench.problem.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor, nn

SAMPLES = 64
"""Number of samples in each split; all are equal, and only set the number of steps."""


class Flatland:
    """Samples without information, for architectures whose output is the loss itself.

    Both splits are the same 64 zeros, so that an epoch of the recipe ``landscape`` has 32 steps.
    There are no classes, and so no accuracies.
    """

    name = "landscape"
    summary = "no data: the loss is a formula of two weights (ring, valley, eggbox)"
    recipe = "landscape"

    def find(self, directory: pathlib.Path) -> list[pathlib.Path]:
        """An empty list: no files are needed."""
        return []

    def read(self, directory: pathlib.Path) -> Data:
        """Samples of zeros."""
        import torch

        split = Split(torch.zeros(SAMPLES, 1, 1, 1), torch.zeros(SAMPLES, dtype=torch.int64), 1.0)
        return Data(split, split, (), "output")


def ring(w: Tensor) -> Tensor:
    r""":math:`L(w) = (|w|^2 - 1)^2`: a circle of minima around a hill.

    All minima are connected: the best path is an arc of the unit circle, on which the loss is 0.
    The straight line between two minima that are the angle :math:`\alpha` apart is highest in its
    middle, :math:`\sin^4(\alpha/2)`; that between opposite ones goes over the top, at 1.
    """
    return (w.square().sum(-1) - 1).square()


def valley(w: Tensor) -> Tensor:
    r""":math:`L(w) = (w_2 - \sin w_1)^2`: a valley that winds, its floor at 0.

    The best path follows the floor, :math:`w_2 = \sin w_1`, at a loss of 0.
    """
    return (w[..., 1] - w[..., 0].sin()).square()


def eggbox(w: Tensor) -> Tensor:
    r""":math:`L(w) = \frac14 (2 - \cos 2\pi w_1 - \cos 2\pi w_2)`: pits, passes and peaks.

    Minima at 0 lie where both weights are whole numbers, peaks at 1 where both are half way
    between, and passes at 1/2 where one of them is. No path between two minima is lower than
    1/2 everywhere: between neighbours the straight line is best.
    """
    from math import pi

    return (2 - (2 * pi * w).cos().sum(-1)) / 4


def _around(radii: Tensor) -> Tensor:
    """A point at a random angle, its distance from 0 between 1/2 and 3/2."""
    import torch

    distance, angle = 0.5 + radii[0], 2 * torch.pi * radii[1]
    return distance * torch.stack([angle.cos(), angle.sin()])


def _within(width: float, height: float) -> Callable[[Tensor], Tensor]:
    """A point of the rectangle of these sides around 0."""

    def place(draws: Tensor) -> Tensor:
        return (draws - 0.5) * draws.new_tensor([width, height])

    return place


@dataclass(frozen=True)
class Landscape:
    """A function of two weights as a network.

    Its one parameter is ``w``, shape (2,); its output for every sample is L(w), shape (batch, 1).

    Arguments:
        name: Name of the component.
        summary: One line for listings.
        function: L, from w, shape (..., 2), to shape (...).
        start: Function from two numbers, uniform on [0, 1], to the initial w.
    """

    name: str
    summary: str
    function: Callable[[Tensor], Tensor]
    start: Callable[[Tensor], Tensor]
    loss: Literal["cross-entropy", "output"] = "output"

    @property
    def description(self) -> str:
        """The docstring of the function."""
        return self.function.__doc__ or ""

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network at a random start, from which training finds a minimum."""
        import torch
        from torch import nn

        class Surface(nn.Module):
            def __init__(self, start: Tensor, function: Callable[[Tensor], Tensor]) -> None:
                super().__init__()
                self.w, self.function = nn.Parameter(start), function

            def forward(self, x: Tensor) -> Tensor:
                return self.function(self.w).expand(len(x), 1)

        return Surface(self.start(torch.rand(2)), self.function)


@hookimpl
def mcbench_datasets() -> Iterator[object]:
    """The data set of landscapes."""
    yield Flatland()


@hookimpl
def mcbench_architectures() -> Iterator[Landscape]:
    """Functions of two weights."""
    yield Landscape("ring", "landscape: a circle of minima around a hill", ring, _around)
    yield Landscape("valley", "landscape: a winding valley", valley, _within(12, 4))
    yield Landscape("eggbox", "landscape: pits, passes and peaks", eggbox, _within(5, 5))


@hookimpl
def mcbench_recipes() -> Iterator[Recipe]:
    """The recipe of landscapes."""
    yield Recipe(
        "landscape", "to a minimum of a landscape, in an instant", lr=0.02, epochs=20, batch_size=2
    )
