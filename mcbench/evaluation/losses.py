"""Loss and accuracy of networks, of several in one pass over the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcbench.evaluation.protocol import Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from mcbench.paths.params import Params
    from mcbench.problem.problem import Problem, SplitName

Values = dict[str, Any]
"""Values of one network: ``loss``, ``accuracy`` and ``with_start`` by split, and ``square``."""


@dataclass
class Progress:
    """Progress of an evaluation.

    Arguments:
        points: Measured values by t.
        sums: Summed softmax outputs by ensemble (``start`` is A alone) and split, shape
            (samples, classes).
        computing: Opened while points of the path are computed: ``meter.running`` adds their cost.
    """

    points: dict[float, Values] = field(default_factory=dict)
    sums: dict[str, Tensor] = field(default_factory=dict)
    computing: Callable[[], AbstractContextManager[object]] = nullcontext


def measure(params: Params, problem: Problem, protocol: Protocol) -> Values:
    """Loss and accuracy of one network by split."""
    return measure_all([params], problem, protocol, Progress(), [()])[0]


def measure_all(
    points: Sequence[Params],
    problem: Problem,
    protocol: Protocol,
    progress: Progress,
    ensembles: Sequence[tuple[str, ...]],
) -> list[Values]:
    """Loss and accuracy of some networks by split.

    Arguments:
        points: The networks; layers that they share are computed once
            (`mcbench.evaluation.shared_layers`).
        problem: Data and loss.
        protocol: The choice of training data.
        progress: Holds the sums of softmax outputs.
        ensembles: For each network, the sums that its softmax outputs are added to.
    """
    import torch

    from mcbench.evaluation.shared_layers import outputs

    results: list[Values] = [
        {"loss": {}, "accuracy": {}, "with_start": {}, "square": square(p, problem)}
        for p in points
    ]
    with torch.inference_mode():
        forward = outputs(problem, points)
        for split, batches in _batches(problem, protocol, len(points)):
            tallies = [_Tally(problem, split, progress.sums, names) for names in ensembles]
            for inputs, targets in batches:
                for tally, logits in zip(tallies, forward(inputs), strict=True):
                    tally.add(logits, targets)
            for tally, result in zip(tallies, results, strict=True):
                tally.write(result)
    return results


def square(params: Params, problem: Problem) -> float:
    """The squared Euclidean norm of a network's parameters, without buffers."""
    import torch

    names = [name for name, _ in problem.module.named_parameters()]
    return float(sum(params[name].square().sum(dtype=torch.float64) for name in names))


class _Tally:
    """Running loss and accuracy of one network on one split."""

    def __init__(
        self, problem: Problem, split: SplitName, sums: dict[str, Tensor], names: tuple[str, ...]
    ) -> None:
        import torch

        self.problem, self.split, self.sums, self.names = problem, split, sums, names
        self.loss = torch.zeros((), dtype=torch.float64, device=problem.device)
        self.count = 0
        self.correct, self.with_start = torch.zeros_like(self.loss), torch.zeros_like(self.loss)

    def add(self, logits: Tensor, targets: Tensor) -> None:
        """Add a batch of the network's outputs."""
        self.loss += self.problem.criterion(logits, targets, "sum").double()
        rows = slice(self.count, self.count + len(targets))
        self.count = rows.stop
        if not self.problem.data.classes:
            return
        probabilities = logits.softmax(1)
        correct = (logits.argmax(1) == targets).sum()
        self.correct += correct
        start = self.sums.get(f"start.{self.split}")
        if start is None or "start" in self.names:  # A's ensemble with itself is A.
            self.with_start += correct
        else:
            self.with_start += ((start[rows] + probabilities).argmax(1) == targets).sum()
        for name in self.names:
            self._sum(f"{name}.{self.split}", probabilities)[rows] += probabilities

    def _sum(self, key: str, like: Tensor) -> Tensor:
        """A sum of softmax outputs, zero at first."""
        if key not in self.sums:
            count = len(self.problem.splits[self.split])
            self.sums[key] = like.new_zeros(count, like.shape[1])
        return self.sums[key]

    def write(self, result: Values) -> None:
        """Write the means into the network's values."""
        result["loss"][self.split] = float(self.loss) / self.count
        if self.problem.data.classes:
            result["accuracy"][self.split] = 100 * float(self.correct) / self.count
            result["with_start"][self.split] = 100 * float(self.with_start) / self.count


def _batches(
    problem: Problem, protocol: Protocol, points: int
) -> Iterator[tuple[SplitName, Iterator[tuple[Tensor, Tensor]]]]:
    """The batches of each split."""
    # The same augmented pass at every point: the points of a path are compared with each other.
    train = problem.augmented("evaluation") if protocol.augment else problem.batches("train")
    yield "train", _smaller(train, problem, points)
    yield "test", _smaller(problem.batches("test"), problem, points)


def _smaller(
    batches: Iterator[tuple[Tensor, Tensor]], problem: Problem, points: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches, for several points in parts whose activations stay in the cache."""
    rows = problem.batch_size if points == 1 else max(64, problem.batch_size // 4)
    for inputs, targets in batches:
        yield from zip(inputs.split(rows), targets.split(rows), strict=True)
