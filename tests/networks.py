"""Networks made of given layers, and problems on digits with untrained endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mcbench.plugins.host import host
from mcbench.problem import loading
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.store import Store

Layer = Callable[[], nn.Module]


class Net:
    """An architecture made of given layers."""

    name = "net"

    def __init__(self, *layers: Layer) -> None:
        self.layers = layers

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), *(layer() for layer in self.layers))


class Double(nn.Module):
    """A network in float64 with a buffer and one weight under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.below, self.above = nn.Linear(64, 6).double(), nn.Linear(6, 10).double()
        self.again = self.below
        self.register_buffer("shift", torch.randn(6, dtype=torch.float64))
        self.register_buffer("count", torch.tensor(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.above(torch.tanh(self.again(x.flatten(1).double())) + self.shift)


def linear(n: int, m: int, **how: Any) -> Layer:
    return lambda: nn.Linear(n, m, **how)


def problem_of(store: Store, architecture: Any, recipe: str = "quick") -> Problem:
    """The problem of an architecture, given itself or by name, on digits."""
    loaded, _ = loading.load(host().get("dataset", "digits"), None, store)
    if isinstance(architecture, str):
        architecture = host().get("architecture", architecture)
    return Problem(loaded, architecture, host().get("recipe", recipe))


def untrained(problem: Problem, seed: int) -> Endpoint:
    """An endpoint with its initial weights."""
    return Endpoint(problem.build(seed).state_dict(), seed, "", {})
