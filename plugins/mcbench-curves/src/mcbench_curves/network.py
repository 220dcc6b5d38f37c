"""`Network`, a network in training mode whose tensors lie in one vector."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from mcbench import Layout, Params, Problem, RunError


class Network:
    """A network whose weights are the values of one vector, and their gradients of another.

    So moving it along a curve is one weighted sum, whatever the number of its tensors, and costs
    less than moving them one by one. Tensors that share memory are one.

    Arguments:
        problem: Gives the architecture.

    Attributes:
        module: The network in training mode.
        point: All floating-point entries of its state, parameters first, shape (size,).
        gradient: The gradient in the parameters, shape (trained,); backward passes add to it.
        trained: The number of entries that are parameters.

    Raises:
        RunError: If the state has more than one floating-point type.
    """

    def __init__(self, problem: Problem) -> None:
        self.module = copy.deepcopy(problem.module).train()
        self.layout = Layout(self.module)
        self.trained = self.layout.trained
        state = self.module.state_dict(keep_vars=True)
        types = {state[name].dtype for name in self.layout.names}
        if len(types) > 1:
            named = ", ".join(sorted(map(str, types)))
            raise RunError(f"curves are trained in one floating-point type, not in {named}")
        self.point = torch.empty(self.layout.size, dtype=types.pop(), device=problem.device)
        self.gradient = torch.zeros_like(self.point[: self.trained])
        for name, piece in self.layout.pieces(self.point).items():
            state[name].data = piece
        for name, piece in self.layout.pieces(self.gradient).items():
            state[name].requires_grad_().grad = piece

    def flatten(self, params: Params) -> Tensor:
        """The floating-point entries in the order of ``point``, shape (size,)."""
        return self.layout.flatten(params).to(self.point)

    def unflatten(self, row: Tensor, like: Params) -> Params:
        """The entries of ``row`` by name; what is not floating point is that of ``like``."""
        return self.layout.unflatten(row, like)
