"""`Network`, a network in training mode whose tensors lie in one vector."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from mcbench import Params, Problem, RunError


class Network:
    """A network whose weights are the values of one vector, and their gradients of another.

    To move it along a curve is one weighted sum then, whatever the number of its tensors, and
    costs less than to hand them over one by one. Tensors that share memory are one.

    Arguments:
        problem: Gives the architecture.

    Attributes:
        module: The network in training mode.
        point: All floating-point entries of its state, parameters first, shape (size,).
        gradient: Of the loss in the parameters, shape (trained,); backward passes add to it.
        trained: The number of entries that are parameters.

    Raises:
        RunError: If the state has more than one floating-point type.
    """

    def __init__(self, problem: Problem) -> None:
        self.module = copy.deepcopy(problem.module).train()
        tensors = {
            name: tensor
            for name, tensor in self.module.state_dict(keep_vars=True).items()
            if tensor.is_floating_point()
        }
        names = sorted(tensors, key=lambda n: not isinstance(tensors[n], torch.nn.Parameter))
        distinct = {id(tensors[n]): tensors[n] for n in names}
        offsets, size = {}, 0
        for key, tensor in distinct.items():
            offsets[key] = size
            size += tensor.numel()
            if isinstance(tensor, torch.nn.Parameter):
                self.trained = size
        types = {tensor.dtype for tensor in distinct.values()}
        if len(types) > 1:
            named = ", ".join(sorted(map(str, types)))
            raise RunError(f"curves are trained in one floating-point type, not in {named}")
        self._slices = {n: slice(offsets[id(x)], offsets[id(x)] + x.numel())
                        for n, x in tensors.items()}  # fmt: skip
        self.point = torch.empty(size, dtype=types.pop(), device=problem.device)
        self.gradient = torch.zeros_like(self.point[: self.trained])
        for name in names:
            tensor, place = tensors[name], self._slices[name]
            tensor.data = self.point[place].view(tensor.shape)
            if isinstance(tensor, torch.nn.Parameter):
                tensor.requires_grad_().grad = self.gradient[place].view(tensor.shape)

    def flatten(self, params: Params) -> Tensor:
        """The floating-point entries in the order of ``point``, shape (size,)."""
        row = torch.empty_like(self.point)
        for name, place in self._slices.items():
            row[place] = params[name].flatten()
        return row

    def unflatten(self, row: Tensor, like: Params) -> Params:
        """The entries of ``row`` by name; what is not floating point is that of ``like``."""
        return {
            name: row[self._slices[name]].view(x.shape).clone() if name in self._slices else x
            for name, x in like.items()
        }
