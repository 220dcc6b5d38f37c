"""Loss and accuracy at many points of a plane at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.func import vmap

from mcbench.evaluation.shared_layers import chain_of
from mcbench.evaluation.stacked import outputs, together
from mcbench.landscape.plane import Plane
from mcbench.paths.params import Params
from mcbench.problem.dataset import Split
from mcbench.problem.problem import Problem, SplitName
from mcbench.structure.chain import Chain
from mcbench.training.batch_norm import Statistics

POINTS = 64
"""Most points that go through the data at once."""

Values = tuple[float, float]
"""Mean loss, and accuracy in percent."""


class Surface:
    """Measures points of a plane, many in one pass over the data.

    Running statistics of batch norms are estimated anew at every point (`Statistics`); such
    networks, and those with convolutions on a CPU, are measured one after another. The outputs of
    a linear first layer are the same combination of the three corners' outputs as its weights are
    of theirs: three products for all points of the plane, not one for each.

    Arguments:
        problem: Network, data and loss.
        plane: The plane.
        split: ``train`` or ``test``, un-augmented.
        samples: Samples to draw without replacement by the problem's seed; 0 means all.

    Attributes:
        batch: The number of points to measure at once.
    """

    def __init__(
        self, problem: Problem, plane: Plane, split: SplitName = "test", samples: int = 0
    ) -> None:
        self.problem, self.plane = problem, plane
        self.data: Split = problem.splits[split]
        if 0 < samples < len(self.data):
            rows = problem.rows(split, samples, "plane", split)
            self.data = replace(
                self.data, inputs=self.data.inputs[rows], targets=self.data.targets[rows]
            )
        self.statistics = Statistics(problem, problem.recipe)
        self.chain = None if self.statistics.names else chain_of(problem)
        first = self.chain.layers[0] if self.chain else None
        if first and (first.geometry is not None or first.norm is not None):
            self.chain = None  # Only products of a linear first layer are shared.
        alone = self.statistics.names or together(problem, 64) == 1
        self.batch = 1 if alone else min(POINTS, together(problem, 64))

    def measure(self, places: Sequence[tuple[float, float]]) -> list[Values]:
        """Loss and accuracy at some places of the plane; `batch` of them at once are fastest."""
        values: list[Values] = []
        with torch.inference_mode():
            for start in range(0, len(places), self.batch):
                values += self._measure(places[start : start + self.batch])
        return values

    def _measure(self, places: Sequence[tuple[float, float]]) -> list[Values]:
        if self.chain is not None:
            forward = self._shared(places, self.chain)
        elif self.batch == 1:
            params = self.statistics.renew(self.plane(*places[0]))
            forward = lambda x: self.problem.forward(params, x)[None]  # noqa: E731
        else:
            stacked = self.plane.stacked(places)
            forward = lambda x: outputs(self.problem, stacked, x)  # noqa: E731
        losses = vmap(self.problem.criterion, (0, None, None))
        loss = torch.zeros(len(places), dtype=torch.float64, device=self.problem.device)
        correct = torch.zeros_like(loss)
        # Small enough for the activations of all points to stay in the cache.
        size = max(64, self.problem.batch_size // len(places))
        for inputs, targets in self.data.batches(size):
            logits = forward(inputs)
            loss += losses(logits, targets, "sum").double()
            correct += (logits.argmax(2) == targets).sum(1)
        count = len(self.data)
        return list(zip((loss / count).tolist(), (100 * correct / count).tolist(), strict=True))

    def _shared(
        self, places: Sequence[tuple[float, float]], chain: Chain
    ) -> Callable[[Tensor], Tensor]:
        """Outputs of the networks at ``places``; the first layer's products are shared."""
        first, rest = chain.layers[0], chain.layers[1:]
        corners = self.plane.points
        weights = torch.tensor([self.plane.weights(*place) for place in places])
        weights = weights.to(corners[0][first.weight])
        upper = {name for layer in rest for name in layer.entries}
        stacked = {n: x for n, x in self.plane.stacked(places).items() if n in upper}

        def after(params: Params, y: Tensor) -> Tensor:
            return chain.run(params, chain.through(1, y), 1, len(chain.layers))

        def outputs(inputs: Tensor) -> Tensor:
            x = chain.through(0, inputs)
            products = torch.stack([first.product(corner, x) for corner in corners])
            return vmap(after)(stacked, torch.tensordot(weights, products, 1))

        return outputs
