"""`Layout`, the order of a network's floating-point entries in one flat vector (a row)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcbench.paths.params import Params

if TYPE_CHECKING:
    from torch import Tensor, nn


class Layout:
    """The order of a network's floating-point entries in a row of numbers.

    Trained parameters come first, in the order of the module, then frozen ones (without
    ``requires_grad``) and buffers. An entry of several names (tied weights) is stored once.

    Arguments:
        module: The network.

    Attributes:
        names: All names of each entry, by its first name, in the order of the row.
        shapes: The shape of each entry, by its first name.
        parameters: The number of entries that are trained parameters.
        trained: The number of scalars in them.
        size: The number of scalars in the row.
    """

    def __init__(self, module: nn.Module) -> None:
        state = module.state_dict(keep_vars=True)
        shared: dict[int, list[str]] = {}
        for name, x in state.items():
            if x.is_floating_point():
                shared.setdefault(id(x), []).append(name)
        entries = sorted(shared.values(), key=lambda n: not state[n[0]].requires_grad)
        self.names = {names[0]: names for names in entries}
        self.shapes = {name: state[name].shape for name in self.names}
        trained = [state[n].numel() for n in self.names if state[n].requires_grad]
        self.parameters, self.trained = len(trained), sum(trained)
        self.size = sum(shape.numel() for shape in self.shapes.values())

    def flatten(self, params: Params) -> Tensor:
        """Row of a network, shape (size,)."""
        import torch

        return torch.cat([params[name].flatten() for name in self.names])

    def pieces(self, rows: Tensor) -> Params:
        """Views of rows as entries of shape (..., *shape), by first name.

        Arguments:
            rows: Shape (..., size), or (..., trained) for the parameters alone.
        """
        shapes = dict(list(self.shapes.items())[: self.parameters])
        if rows.shape[-1] != self.trained:
            shapes = self.shapes
        parts = rows.split([shape.numel() for shape in shapes.values()], dim=-1)
        return {
            name: part.view((*rows.shape[:-1], *shape))
            for (name, shape), part in zip(shapes.items(), parts, strict=True)
        }

    def unflatten(self, row: Tensor, like: Params) -> Params:
        """The network of a row, copied to the dtypes of ``like``, with its other entries."""
        params = dict(like)
        for first, piece in self.pieces(row).items():
            for name in self.names[first]:
                params[name] = piece.to(like[name].dtype, copy=True)
        return params
