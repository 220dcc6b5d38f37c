"""`Hessian`, of the training loss at several points at once, by its products with vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import grad_and_value, vjp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

import mcbench
from mcbench import Params, Problem


class Hessian:
    """Hessian of the mean loss in all trained parameters, at several points.

    Entries are numbered through the parameters, in the order of the module; those that share
    memory are one. Products are exact: the gradient's own derivative. Attention is computed by its
    formula, since the fused kernels have no second derivative.

    Arguments:
        problem: Gives the network, in evaluation mode, the loss and the data.
        points: The networks; buffers and frozen parameters are theirs.
        rows: The samples of the training data, indices on the data's device.

    Attributes:
        size: The number of parameters, d.
        losses: The loss at each point, after a product.
    """

    def __init__(self, problem: Problem, points: Sequence[Params], rows: Tensor) -> None:
        self.problem, self.rows, self.count = problem, rows, len(points)
        self.layout = mcbench.Layout(problem.module)
        self.size = self.layout.trained
        stacked = mcbench.stack(points)
        trained = list(self.layout.names)[: self.layout.parameters]
        self.weights = {name: stacked[name] for name in trained}
        self.buffers = {name: x for name, x in stacked.items() if name not in trained}
        self.like = next(iter(self.weights.values()))
        self.losses = torch.zeros(self.count, dtype=torch.float64)

    def normal(self, *purpose: object) -> Tensor:
        """Normal vector, the same at all points, shape (points, d)."""
        draws = self.problem.generator("hessian", *purpose)
        return self._everywhere(torch.randn(self.size, generator=draws))

    def signs(self, *purpose: object) -> Tensor:
        """Vector of random signs (Rademacher), the same at all points, shape (points, d)."""
        draws = self.problem.generator("hessian", *purpose)
        return self._everywhere(2.0 * torch.randint(2, (self.size,), generator=draws) - 1)

    def _everywhere(self, vector: Tensor) -> Tensor:
        return vector.to(self.like).expand(self.count, -1)

    def times(self, vectors: Tensor) -> Tensor:
        """Product of the Hessian at each point with its vector, shape (points, d)."""
        tangents = self.layout.pieces(vectors)
        total = torch.zeros_like(vectors)
        losses = torch.zeros(self.count, dtype=torch.float64, device=vectors.device)
        split = self.problem.splits["train"]
        for rows in self.rows.split(self.problem.batch_size):
            inputs, targets = split.normalized(split.inputs[rows]), split.targets[rows]
            with sdpa_kernel(SDPBackend.MATH):
                loss, product = self._products(tangents, inputs.to(self.like.dtype), targets)
            total += torch.cat([product[n].reshape(self.count, -1) for n in self.weights], dim=1)
            losses += loss.double()
        self.losses = losses.cpu()
        return total

    def _products(
        self, tangents: Params, inputs: Tensor, targets: Tensor
    ) -> tuple[Tensor, Params]:
        """Share of a batch in the losses, shape (points,), and in the products, by parameter."""

        def one(weights: Params, buffers: Params, tangent: Params) -> tuple[Tensor, Params]:
            def loss(weights: Params) -> Tensor:
                outputs = self.problem.forward(weights | buffers, inputs)
                return self.problem.criterion(outputs, targets, "sum") / len(self.rows)

            # The Hessian is symmetric, so backwards twice does. More operations have that than
            # a derivative forwards, which also takes seconds to set up.
            # With has_aux, vjp returns three values, of which its types declare two.
            result: Any = vjp(grad_and_value(loss), weights, has_aux=True)
            _, pull, value = result
            return value, pull(tangent)[0]

        if self.count > 1:
            return vmap(one)(self.weights, self.buffers, tangents)
        # Alone it is computed as it is: a convolution with kernels by the point is slower.
        only = ({n: x[0] for n, x in y.items()} for y in (self.weights, self.buffers, tangents))
        value, product = one(*only)
        return value[None], {n: x[None] for n, x in product.items()}
