"""`Network`, a network in training mode whose tensors lie in one vector."""

from __future__ import annotations

import torch
from torch import Tensor

from mcbench import Layout, Params, Problem, RunError


class Network:
    """A network whose weights are the values of one vector, and their gradients of another.

    So moving it along a curve is one weighted sum, whatever the number of its tensors, and costs
    less than moving them one by one. Tensors that share memory are one. Running statistics and
    other buffers that a forward pass changes do not lie in it: they go on from step to step.

    Arguments:
        problem: Gives the architecture.
        start: The network whose running statistics are the first.

    Attributes:
        module: The network in training mode.
        point: All floating-point entries of its state, trained parameters first, shape (size,).
        gradient: The gradient in the parameters, shape (trained,); backward passes add to it.
        trained: The number of entries that are trained parameters.

    Raises:
        RunError: If the state has more than one floating-point type.
    """

    def __init__(self, problem: Problem, start: Params) -> None:
        self.module = problem.template().train()
        self.module.load_state_dict(start)
        self.running = problem.builder.behaviour.running
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
            if name not in self.running:
                state[name].data = piece
        for name, piece in self.layout.pieces(self.gradient).items():
            state[name].requires_grad_().grad = piece

    def flatten(self, params: Params) -> Tensor:
        """The floating-point entries in the order of ``point``, shape (size,)."""
        return self.layout.flatten(params).to(self.point)

    def unflatten(self, row: Tensor, like: Params) -> Params:
        """The entries of ``row`` by name; what is not floating point is that of ``like``."""
        return self.layout.unflatten(row, like)

    def state(self) -> Params:
        """The running statistics, for a checkpoint."""
        return {f"running.{name}": self.module.get_buffer(name) for name in self.running}

    def restore(self, state: Params) -> None:
        """Continue from the running statistics of a checkpoint."""
        for name in self.running:
            self.module.get_buffer(name).copy_(state[f"running.{name}"])
