"""WA-ensembles: networks on a common backbone, their heads weight-adjusted to sit on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import mcbench
from mcbench import Evaluation, Params, Stage
from mcbench_wa import REFERENCE, WeightAdjustment


def adjusted_to(evaluation: Evaluation) -> tuple[Params, Params]:
    """A, and B with A's hidden layers and its own last layer adjusted to keep B's outputs."""
    a, b = evaluation.ends
    layers = evaluation.problem.chain.layers
    own = set(layers[-1].entries)
    transplanted = {n: b.params[n] if n in own else x for n, x in a.params.items()}
    stage = Stage(len(layers) - 1, transplanted, b.params)
    return a.params, WeightAdjustment().prepare(stage, evaluation.problem)(transplanted, 1.0)


@dataclass(frozen=True)
class WAEnsemble:
    """Accuracy of the ensemble of A and B on A's hidden layer: WA(1), one layer in the head."""

    name = "wa-ensemble"
    summary = "accuracy of the WA(1)-ensemble: both networks on A's hidden layer"
    unit = "%"
    better = "higher"
    splits = True
    reference = REFERENCE

    def measure(self, evaluation: Evaluation, split: Literal["train", "test"]) -> float:
        """Averaged softmax outputs."""
        import torch

        problem = evaluation.problem
        members = adjusted_to(evaluation)
        correct = count = 0
        with torch.inference_mode():
            for inputs, targets in problem.batches(split):
                total = sum(problem.forward(p, inputs).softmax(1) for p in members)
                correct += int((total.argmax(1) == targets).sum())
                count += len(targets)
        return 100 * correct / count


@dataclass(frozen=True)
class WAStorage:
    """What a WA(n)-ensemble of two networks stores: one backbone and two heads of n layers."""

    name = "wa-storage"
    summary = "stored parameters and bytes of the WA(n)-ensemble against independent networks"
    unit = ""
    better = "lower"
    splits = False
    reference = REFERENCE
    head: int = mcbench.parameter(1, "n, layers in the head", gt=0)

    def measure(self, evaluation: Evaluation, split: None) -> dict[str, float]:
        """Parameters, bytes, and their share of those of independent networks."""
        a, b = evaluation.ends
        layers = evaluation.problem.chain.layers[-self.head :]
        names = {name for layer in layers for name in layer.entries}
        whole = sum(x.numel() for x in a.params.values())
        head = sum(b.params[n].numel() for n in names)
        size = next(iter(a.params.values())).element_size()
        return {
            "parameters": whole + head,
            "independent-parameters": 2 * whole,
            "bytes": (whole + head) * size,
            "independent-bytes": 2 * whole * size,
        }
