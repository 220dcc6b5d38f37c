"""Odd data of plugins: scikit-learn's digits in tensors of many kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from odd.images import CASES, CLASSES, SIZES, Case, Tensors, digits
from torch import Tensor, nn

from mcbench import Data, Split


def arrays() -> Tensors:
    """The digits as float32 from 0 to 16, and their labels."""
    x, y = torch.tensor(digits()[0], dtype=torch.float32)[:, None], torch.tensor(digits()[1])
    cut = SIZES["train"]
    return x[:cut], y[:cut], x[cut:], y[cut:]


def data(change: Callable[[Tensor], Tensor] = lambda x: x, **how: Any) -> Data:
    """The digits with changed inputs."""
    x, y, u, v = arrays()
    return Data(Split(change(x), y, **how), Split(change(u), v, **how), tuple(CLASSES))


@dataclass(frozen=True)
class Given:
    """A data set that gives what a function does."""

    name: str
    function: Callable[[], Any]
    summary: str = "odd"

    def find(self, directory: Path) -> list[Path]:
        """An empty list."""
        return []

    def read(self, directory: Path) -> Any:
        """The function's result."""
        return self.function()


GIVEN: dict[str, Callable[[], Any]] = {}


def _given(
    name: str,
    read: Callable[[], Any],
    change: Callable[[Tensor], Tensor],
    note: str,
    more: str = "",
) -> None:
    """Add a case of tensors, with the inputs that the network should get."""
    key = "".join(c if c.isalnum() else "-" for c in name)
    GIVEN[key] = read

    def make(folder: Path) -> Case:
        x, y, u, v = arrays()
        return Case(key, (change(x), y, change(u), v), note, more)

    CASES[name] = make


def _standard(x: Tensor) -> Tensor:
    train = arrays()[0] / 16
    return (x / 16 - train.mean()) / train.std(correction=0)


_given("float32, scale 16", lambda: data(scale=16.0), lambda x: x / 16, "divided by the scale")
_given("float32 in [0, 1]", lambda: data(lambda x: x / 16), lambda x: x / 16, "as they are")
_given(
    "float32, normalised by the recipe",
    lambda: data(scale=16.0),
    _standard,
    "scaled, then normalised",
    ",normalize=dataset",
)
_given(
    "uint8, scale 16", lambda: data(lambda x: x.byte(), scale=16.0), lambda x: x / 16, "divided"
)
_given(
    "uint8, normalised by the recipe",
    lambda: data(lambda x: x.byte(), scale=16.0),
    _standard,
    "scaled, then normalised",
    ",normalize=dataset",
)
_given(
    "a table: (samples, features)",
    lambda: data(lambda x: x.flatten(1) / 16),
    lambda x: x.flatten(1) / 16,
    "as they are",
)
_given(
    "sequences: (samples, steps, features)",
    lambda: data(lambda x: x[:, 0] / 16),
    lambda x: x / 16,
    "as they are",
)
_given(
    "transposed views",
    lambda: data(lambda x: (x / 16).transpose(2, 3)),
    lambda x: x.transpose(2, 3) / 16,
    "as they are",
)


# A regression ----------------------------------------------------------------------------------


def regression() -> Tensors:
    """Means of the pixels by row, and the number of dark pixels in tens to predict."""
    x, _, u, _ = arrays()
    (x, y), (u, v) = ((z.mean(3)[:, 0] / 16, (z > 8).float().sum((1, 2, 3)) / 10) for z in (x, u))
    return x, y, u, v


def _with_target() -> Data:
    """Each input with its target as a further feature; no classes."""
    x, y, u, v = regression()
    train, test = torch.cat([x, y[:, None]], 1), torch.cat([u, v[:, None]], 1)
    unused = torch.zeros(len(train), dtype=torch.int64), torch.zeros(len(test), dtype=torch.int64)
    return Data(Split(train, unused[0]), Split(test, unused[1]), (), "output")


GIVEN["regression"] = _with_target


class Regressor:
    """A linear regression whose output is the squared error, from inputs that hold the target."""

    name = "regressor"
    summary = "squared error of a linear layer"
    loss = "output"

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network: a linear layer, and the squared error."""

        class SquaredError(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.linear = nn.Linear(input_shape[0] - 1, 1)

            def forward(self, x: Tensor) -> Tensor:
                error: Tensor = self.linear(x[:, :-1]) - x[:, -1:]
                return error.square()

        return SquaredError()
