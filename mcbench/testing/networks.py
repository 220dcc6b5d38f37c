"""Small networks for the checks: trained on digits in seconds, once in a process."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import cache, cached_property, wraps
from math import prod
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from mcbench.errors import StructureError
from mcbench.plugins.host import host
from mcbench.problem.dataset import Data, Split
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.problem.recipe import Recipe
from mcbench.store.checkpoint import Workshop
from mcbench.structure.chain import Chain
from mcbench.testing.check import Fault, Test
from mcbench.testing.components import one_line_or_fault
from mcbench.testing.subject import Subject
from mcbench.training.training import train

Result = TypeVar("Result")

RECIPE = Recipe("kit", "a few passes over few digits", lr=0.05, epochs=6, batch_size=40)

TRAIN, TEST = 320, 120
"""Numbers of samples of the digits."""


def normalised(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """A convolution with batch normalisation, pooling, and a linear layer."""
    conv = nn.Conv2d(input_shape[0], 4, 3, padding=1, bias=False)
    last = nn.Linear(4 * (input_shape[1] // 2) * (input_shape[2] // 2), classes)
    return nn.Sequential(conv, nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), last)


class Residual(nn.Module):
    """Two linear layers, the second one with a shortcut around it, and a linear classifier."""

    def __init__(self, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.first, self.inner = nn.Linear(prod(input_shape), 8), nn.Linear(8, 8)
        self.last = nn.Linear(8, classes)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs, shape (batch, classes)."""
        x = self.first(x.flatten(1)).relu()
        outputs: Tensor = self.last(x + self.inner(x).relu())
        return outputs


FIRST = (0, 1, 2)
"""Seeds that most checks use; they are trained in one go."""

ARCHITECTURES: dict[str, str | SimpleNamespace] = {
    "two-layer": "mlp[widths=(8)]",
    "deep without biases": "mlp[widths=(8,6),bias=false]",
    "convolutional": "conv2fc1[channels=(3,4)]",
    "batch-normalised": SimpleNamespace(name="normalised", build=normalised),
    "residual": SimpleNamespace(name="residual", build=Residual),
}
"""Networks by their distinctive feature: built-ins as `name[p=v]`, and the kit's own. Only the
residual one is no chain of layers."""


@cache
def digits() -> Data:
    """The first samples of scikit-learn's digits."""
    whole = host().get("dataset", "digits").read(Path())

    def head(split: Split, count: int) -> Split:
        return replace(split, inputs=split.inputs[:count], targets=split.targets[:count])

    return Data(head(whole.train, TRAIN), head(whole.test, TEST), whole.classes)


def _cast(split: Split, dtype: torch.dtype) -> Split:
    """The split with its inputs normalised and of a floating-point dtype."""
    return replace(split, inputs=split.normalized(split.inputs).to(dtype))


class Trained:
    """Endpoints of one small network.

    Arguments:
        name: One of `ARCHITECTURES`.
    """

    def __init__(self, name: str) -> None:
        self.name, self.architecture = name, ARCHITECTURES[name]
        if isinstance(self.architecture, str):
            self.architecture = host().get("architecture", self.architecture)
        self._endpoints: dict[int, Endpoint] = {}

    @cached_property
    def _chain(self) -> Chain | None:
        return Problem(digits(), self.architecture, RECIPE).chain_or_none

    def problem(
        self, data: Data | None = None, dtype: torch.dtype = torch.float32, device: str = "cpu"
    ) -> Problem:
        """A new problem of this network, which shares no state with others.

        Arguments:
            data: Data in place of the digits.
            dtype: The dtype of the inputs.
            device: The device of data and network.
        """
        data = data or digits()
        if dtype != torch.float32:
            data = replace(data, train=_cast(data.train, dtype), test=_cast(data.test, dtype))
        problem = Problem(data, self.architecture, RECIPE, device)
        if self._chain is not None:
            problem.chain = self._chain  # Deriving it takes longer than most checks.
        return problem

    def endpoint(
        self, seed: int, dtype: torch.dtype = torch.float32, device: str = "cpu"
    ) -> Endpoint:
        """A trained endpoint, in tensors of its own."""
        if seed not in self._endpoints:
            self._train(FIRST if seed in FIRST else [seed])
        result = copy.deepcopy(self._endpoints[seed])
        for name, x in result.params.items():
            result.params[name] = x.to(device, dtype if x.is_floating_point() else None)
        return result

    def pool(self, count: int, **where: Any) -> list[Endpoint]:  # Any: dtype and device.
        """Endpoints with seeds from 1000 on, for methods that are fitted on a pool."""
        seeds = [1000 + i for i in range(count)]
        self._train([seed for seed in seeds if seed not in self._endpoints])
        return [self.endpoint(seed, **where) for seed in seeds]

    def _train(self, seeds: Collection[int]) -> None:
        for result in train(self.problem(), dict.fromkeys(seeds, Workshop())):
            if result.params is None:
                raise RuntimeError(f"the kit's network '{self.name}' diverged: {result.error}")
            key, record = f"{self.name} {result.seed}", {"losses": result.losses}
            self._endpoints[result.seed] = Endpoint(result.params, result.seed, key, record)


@cache
def trained(name: str) -> Trained:
    """The endpoints of a small network, trained when they are first asked for."""
    return Trained(name)


def applicable(
    networks: Collection[str], compute: Callable[[Trained], Result]
) -> Iterator[tuple[Trained, Result]]:
    """The networks that a component takes, with what it computes on them.

    Raises:
        Fault: If it takes none of them.
    """
    refusals = []
    for name in networks:
        try:
            yield trained(name), compute(trained(name))
        except StructureError as error:
            one_line_or_fault(error, f"on the {name} network")
            refusals.append(f"{name}: {error}")
    if len(refusals) == len(networks):
        raise Fault(
            f"it takes none of the kit's networks: {'; '.join(refusals)}",
            "raise StructureError only where it must",
        )


def on_each(
    results: Callable[[Subject], Iterator[tuple[Trained, Result]]],
) -> Callable[[Callable[[Subject, Trained, Result], None]], Test]:
    """Carry out a test on every network that a component takes; faults name the network.

    Arguments:
        results: Function from a component to these networks, each with what it gives there.
    """

    def decorate(test: Callable[[Subject, Trained, Result], None]) -> Test:
        @wraps(test)
        def test_each(subject: Subject) -> None:
            for network, result in results(subject):
                try:
                    test(subject, network, result)
                except Fault as fault:
                    found = f"{fault.found}, on the {network.name} network"
                    raise Fault(found, fault.fix) from fault

        return test_each

    return decorate
