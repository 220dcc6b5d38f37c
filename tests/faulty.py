"""Components that break one property each, for the tests of the conformance kit."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import faulty_methods  # noqa: F401 (its methods register themselves)
import faulty_paths  # noqa: F401 (as well)
from faulty_components import FAULTY
from mcbench import Board, Data, Split, combine

# Metrics -----------------------------------------------------------------------------------


class Best:
    """The highest accuracy."""

    name = "theirs"
    unit, better, splits = "%", "higher", True

    def measure(self, evaluation: Any, split: Any) -> Any:
        return max(evaluation.curve.accuracy[split])


FAULTY["metric", "declaration"] = [
    type("Undeclared", (Best,), {"better": "more"})(),
    type("Unitless", (Best,), {"unit": 1})(),
]


def measuring(function: Callable[[Any, Any], Any], **attributes: Any) -> Any:
    """A metric of a function of evaluation and split."""
    measure = lambda self, evaluation, split: function(evaluation, split)  # noqa: E731
    return type("Measured", (Best,), {"measure": measure, **attributes})()


def _sorting(evaluation: Any, split: Any) -> float:
    evaluation.curve.accuracy[split].sort()
    return evaluation.curve.accuracy[split][0]


def _scaling(evaluation: Any, split: Any) -> float:
    next(iter(evaluation.ends[0].params.values())).mul_(2)
    return 0.0


FAULTY["metric", "finite numbers"] = [
    measuring(lambda evaluation, split: float("nan")),
    measuring(lambda evaluation, split: "97 %"),
    measuring(lambda evaluation, split: {}),
]
FAULTY["metric", "path of length 0"] = [
    measuring(lambda e, split: e.curve.position[-1] / e.curve.straight),
]
FAULTY["metric", "determinism"] = [
    measuring(lambda e, split: float(torch.rand(1))),
    measuring(lambda e, split, count=[0]: float(count.append(0) or len(count))),
]
FAULTY["metric", "evaluation not modified"] = [measuring(_sorting), measuring(_scaling)]
FAULTY["metric", "ends only"] = [measuring(lambda e, s: e.curve.position[-1], ends_only=True)]
FAULTY["metric", "store"] = [measuring(lambda e, split: {"low:high": 1.0})]


# Data sets ---------------------------------------------------------------------------------


def data(**changes: Any) -> Data:
    """Small data, with changes of the test split."""
    x = torch.arange(12 * 4, dtype=torch.uint8).view(12, 1, 2, 2)
    y = torch.arange(12) % 3
    test = {"inputs": x[8:], "targets": y[8:]} | changes
    return Data(Split(x[:8], y[:8]), Split(**test), ("a", "b", "c"))


def reading(read: Callable[[], Data], **attributes: Any) -> Any:
    """A data set whose ``read`` is this function."""
    methods = {"find": lambda self, directory: [], "read": lambda self, directory: read()}
    return type("Read", (), {"__doc__": "Theirs.", "name": "theirs", **methods, **attributes})()


FAULTY["dataset", "tensors"] = [
    reading(lambda: data(inputs=torch.zeros(4, 4, dtype=torch.uint8))),
    reading(lambda: data(inputs=torch.zeros(4, 1, 2, 2, dtype=torch.float64))),
    reading(lambda: data(inputs=torch.zeros(4, 1, 3, 3, dtype=torch.uint8))),
    reading(lambda: data(targets=torch.zeros(4))),
    reading(lambda: data(targets=torch.zeros(3, dtype=torch.int64))),
    reading(lambda: data(scale=16.0)),
    reading(lambda: data(inputs=torch.full((4, 1, 2, 2), float("nan")))),
]
FAULTY["dataset", "labels"] = [
    reading(lambda: data(targets=torch.tensor([1, 2, 3, 1]))),
    reading(lambda: Data(data().train, data().test, ("a", "b", "c", "never"))),
    reading(lambda: Data(data().train, data().test, ("a", "a", "b"))),
]
FAULTY["dataset", "determinism"] = [
    reading(lambda: data(targets=torch.randint(3, (4,)))),
    reading(lambda count=[]: data(targets=torch.full((4,), len(count.append(0) or count) % 3))),  # type: ignore[func-returns-value]
]
FAULTY["dataset", "store"] = [reading(lambda: data(mean=(0.5,), std=(0.1,)))]
FAULTY["dataset", "recipe"] = [reading(data, recipe="quikc")]
FAULTY["dataset", "missing files"] = [
    reading(data, find=lambda self, directory: None),  # It has no layout.
    reading(data, find=lambda self, directory: [directory / "theirs.npz"]),
]


# Architectures -----------------------------------------------------------------------------


class Perceptron(nn.Module):
    """One linear layer, which subclasses break."""

    def __init__(self, size: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.layer = nn.Linear(size, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(1))


def building(cls: type[nn.Module], **attributes: Any) -> Any:
    """An architecture that builds networks of this class."""

    def build(self: Any, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        return cls(torch.zeros(input_shape).numel(), classes)

    default = {"__doc__": "Theirs.", "name": "theirs", "build": build}
    return type("Built", (), default | attributes)()


class Seeded(Perceptron):
    def __init__(self, *sizes: int) -> None:
        torch.manual_seed(0)
        super().__init__(*sizes)


class Chancy(Perceptron):
    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        nn.init.constant_(self.layer.bias, random.random())


class Wide(Perceptron):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x)[:, None]


class Counting(Perceptron):
    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += 1
        return super().forward(x)


class Dropping(Perceptron):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(super().forward(x), 0.5, training=True)


class Centred(Perceptron):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) - super().forward(x).mean(0)


class Hidden(Perceptron):
    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.scale = torch.rand(())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * self.scale


class Idle(Perceptron):
    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.unused = nn.Linear(2, 2)


class TwoFaced(Perceptron):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(1) if torch.compiler.is_exporting() else x.flatten(1).tanh())


FAULTY["architecture", "determinism"] = [building(Seeded), building(Chancy)]
FAULTY["architecture", "outputs"] = [building(Wide)]
FAULTY["architecture", "input shapes"] = [
    building(Perceptron, build=lambda self, input_shape, classes: Perceptron())
]
FAULTY["architecture", "forward leaves no trace"] = [building(Counting), building(Dropping)]
FAULTY["architecture", "samples are independent"] = [building(Centred)]
FAULTY["architecture", "functional"] = [building(Hidden)]
FAULTY["architecture", "training"] = [building(Idle)]
FAULTY["architecture", "chain"] = [building(TwoFaced)]


# Ensembles, parts, leaderboards ------------------------------------------------------------


def joining(member: Callable[[Any, Any], Any], count: int | None = None) -> Any:
    """An ensemble whose members are a function of an endpoint and the first one."""

    class Joined:
        """Theirs."""

        name = "theirs"

        def members(self, endpoints: Any, problem: Any) -> Any:
            return [member(e, endpoints[0]) for e in list(endpoints)[:count]]

    return Joined()


def snapshots(epochs: tuple[float, ...]) -> Any:
    """Snapshots that start from networks of the recipe, and declare these epochs."""

    class Collected:
        """Theirs."""

        name = "theirs"

        def start(self, recipe: Any) -> Any:
            return recipe

        def epochs(self, recipe: Any) -> tuple[float, ...]:
            return epochs

        def collect(self, start: Any, problem: Any) -> Any:
            return [start.params]

    return Collected()


FAULTY["ensemble", "epochs"] = [
    snapshots(()),
    snapshots((9.0, 8.0)),
    snapshots((1.0,)),
]
FAULTY["ensemble", "members"] = [
    snapshots((6.0, 7.0)),
    joining(lambda end, first: end.params, 2),
    joining(lambda end, first: dict(list(end.params.items())[:-1])),
]
FAULTY["ensemble", "shared tensors"] = [
    joining(lambda end, first: {n: x.clone() for n, x in first.params.items()})
]
FAULTY["ensemble", "determinism"] = [
    joining(lambda end, first: {n: x + torch.rand(()) for n, x in end.params.items()})
]
FAULTY["ensemble", "endpoints not modified"] = [
    joining(lambda end, first: {n: x.add_(1) for n, x in end.params.items()})
]
FAULTY["ensemble", "measured"] = [
    joining(lambda end, first: combine(end.params, end.params, 1e38, 0))
]


def part(**attributes: Any) -> Any:
    """A part of a composed method."""
    return type("Part", (), {"__doc__": "Theirs.", "name": "theirs", **attributes})()


FAULTY["matching", "permutation"] = [
    part(match=lambda self, a, b, incoming: torch.zeros(len(a), dtype=torch.int64)),
    part(match=lambda self, a, b, incoming: torch.arange(len(a), dtype=torch.int32)),
    part(match=lambda self, a, b, incoming: torch.randperm(len(a))),
]
FAULTY["interpolation", "limits"] = [
    part(interpolate=lambda self, a, b, t: t * a + (1 - t) * b),
    part(interpolate=lambda self, a, b, t: ((1 - t) * a + t * b).double()),
    part(interpolate=lambda self, a, b, t: a.add_(t * (b - a))),
]
FAULTY["adjustment", "start of a leg"] = [
    part(prepare=lambda self, stage, problem: lambda p, u: combine(p, p, 0.9, 0)),
    part(prepare=lambda self, stage, problem: lambda p, u: p if u == 0 else {}),
]
FAULTY["leaderboard", "names"] = [
    Board("theirs", "theirs", "", "digist", "mlp2", "quick", 2, {}, {}, ()),
    Board("theirs", "theirs", "", "digits", "mlp2", "quick", 2, {}, {"x": "wurst:test"}, ()),
]
