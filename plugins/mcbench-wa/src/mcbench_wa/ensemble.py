"""WA-ensembles: networks on a common backbone, their heads weight-adjusted to sit on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import mcbench
from mcbench import Endpoint, Evaluation, Params, Problem, Stage, StructureError
from mcbench_wa import REFERENCE, WeightAdjustment


def transplant(network: Params, backbone: Params, head: int, problem: Problem) -> Params:
    """Network with the layers of another one below its head of n layers.

    The head's first layer is adjusted so that it keeps its outputs on the training data. With a
    head of all layers the network is as it was.

    Arguments:
        network: The network that gives the head.
        backbone: The network that gives the layers below.
        head: n, from 1 to the number of layers.
        problem: Gives the chain and the data.

    Raises:
        StructureError: If the network has fewer than n layers.
    """
    layers = problem.chain.layers
    below = _below(problem, head)
    if below == 0:
        return network
    own = {name for layer in layers[below:] for name in layer.entries}
    start = {name: network[name] if name in own else x for name, x in backbone.items()}
    adjust = WeightAdjustment().prepare(Stage(below, start, network), problem)
    return adjust(start, 1.0)


def _below(problem: Problem, head: int) -> int:
    """The number of layers below a head of n layers."""
    count = len(problem.chain.layers)
    if head > count:
        raise StructureError(
            f"the network has {count} layers: take a head of 1 to {count}, not {head}"
        )
    return count - head


def _head() -> int:
    value: int = mcbench.parameter(1, "n, layers in the head", gt=0)
    return value


@dataclass(frozen=True)
class WA:
    """WA(n): networks on the backbone of the first one, each with its own head of n layers.

    A head's first layer is weight-adjusted so that it keeps its outputs on the training data; the
    layers above are the network's own. With n = all layers the networks are independent.
    """

    name = "wa"
    summary = "networks on the first one's backbone, with heads of n layers, the lowest adjusted"
    reference = REFERENCE
    head: int = _head()

    def members(self, endpoints: Sequence[Endpoint], problem: Problem) -> Iterator[Params]:
        """The first network, then the others on its backbone."""
        backbone = endpoints[0].params
        yield backbone
        for i in range(1, len(endpoints)):
            yield transplant(endpoints[i].params, backbone, self.head, problem)


@dataclass(frozen=True)
class WAEnsemble:
    """Accuracy of the WA(n)-ensemble of A and B: B's head of n layers adjusted to A's backbone.

    Two networks on one backbone: A itself, and A's layers below B's head of n layers, the first of
    which is weight-adjusted on the training set so that B's outputs are kept. Softmax outputs are
    averaged. With n = all layers it is the ensemble of A and B themselves. It needs a chain of
    affine layers and does not depend on the method.
    """

    name = "wa-ensemble"
    summary = "accuracy of the WA(n)-ensemble of A and B on A's backbone"
    unit = "%"
    better = "higher"
    splits = True
    ends_only = True
    reference = REFERENCE
    head: int = _head()

    def measure(self, evaluation: Evaluation, split: Literal["train", "test"]) -> float:
        """Share of samples that are classified correctly, in percent."""
        import torch

        problem = evaluation.problem
        a, b = evaluation.ends
        members = a.params, transplant(b.params, a.params, self.head, problem)
        correct = count = 0
        with torch.inference_mode():
            for inputs, targets in problem.batches(split):
                outputs = (problem.forward(p, inputs).softmax(1) for p in members)
                total = sum(outputs, torch.zeros(()))
                correct += int((total.argmax(1) == targets).sum())
                count += len(targets)
        return 100 * correct / count


@dataclass(frozen=True)
class WAStorage:
    """Storage of the WA(n)-ensemble of two networks: one backbone and two heads of n layers.

    ``parameters`` are counted apart from ``statistics``, the entries that no gradient trains, such
    as the running means and variances of batch norms; ``bytes`` are of both, each entry in its own
    type. What there is none of is left out.
    """

    name = "wa-storage"
    summary = "stored parameters and bytes of the WA(n)-ensemble against independent networks"
    unit = ""
    better = "lower"
    splits = False
    ends_only = True
    reference = REFERENCE
    head: int = _head()

    def measure(self, evaluation: Evaluation, split: None) -> dict[str, float]:
        """Parameters, statistics and bytes, of the ensemble and of independent networks.

        Raises:
            StructureError: If the network has fewer than n layers.
        """
        problem = evaluation.problem
        trained = {name for name, _ in problem.module.named_parameters()}
        a, b = evaluation.ends
        below = _below(problem, self.head)
        own = {name for layer in problem.chain.layers[below:] for name in layer.entries}
        entries = [*a.params.items(), *((n, x) for n, x in b.params.items() if n in own)]
        alone = [*a.params.items(), *b.params.items()]
        counts = {
            f"{prefix}{name}": value
            for prefix, stored in (("", entries), ("independent-", alone))
            for name, value in (
                ("parameters", sum(x.numel() for n, x in stored if n in trained)),
                ("statistics", sum(x.numel() for n, x in stored if n not in trained)),
                ("bytes", sum(x.nbytes for _, x in stored)),
            )
        }
        return {name: value for name, value in counts.items() if value}
