"""`Network`, a network in training mode whose tensors lie in one vector."""

from __future__ import annotations

import torch
from torch import Tensor

import mcbench
from mcbench import Layout, Params, Problem, RunError, Statistics

STATES = 16
"""Parts of a curve that have buffers of their own in training, such as running means."""


class Network:
    """A network whose weights are the values of one vector, and their gradients of another.

    So moving it along a curve is one weighted sum, whatever the number of its tensors, and costs
    less than moving them one by one. Tensors that share memory are one. Buffers that
    training changes but no batch norm has do not lie in it: they go on from step to step, those of
    each of `STATES` parts of the curve by themselves, from the straight line.

    Arguments:
        problem: Gives the architecture.
        a, b: The ends.

    Attributes:
        module: The network in training mode.
        point: All floating-point entries of its state, trained parameters first, shape (size,).
        gradient: The gradient in the parameters, shape (trained,); backward passes add to it.
        trained: The number of entries that are trained parameters.

    Raises:
        RunError: If the state has more than one floating-point type.
    """

    def __init__(self, problem: Problem, a: Params, b: Params) -> None:
        self.module = problem.template().train()
        self.running = Statistics(problem, problem.recipe).others
        times = [(i + 0.5) / STATES for i in range(STATES)] if self.running else []
        self.states = [{n: torch.lerp(a[n], b[n], t) for n in self.running} for t in times]
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

    def outputs(self, inputs: Tensor, t: float) -> Tensor:
        """The outputs at ``point``, which is at time t of the curve."""
        state = self.states[min(int(t * STATES), STATES - 1)] if self.states else {}
        for name, x in state.items():
            self.module.get_buffer(name).copy_(x)
        outputs: Tensor = self.module(inputs)
        state |= {name: self.module.get_buffer(name).detach().clone() for name in state}
        return outputs

    def state(self) -> Params:
        """The buffers of all parts of the curve, for a checkpoint."""
        return mcbench.pack(self.states, first=0)

    def restore(self, state: Params) -> None:
        """Continue with the buffers of a checkpoint."""
        for i, own in enumerate(self.states):
            own |= {name: state[f"{i}.{name}"].to(x) for name, x in own.items()}
