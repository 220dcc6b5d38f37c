"""`Layout`, the places of a network's floating-point entries in a row of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcbench.paths.params import Params

if TYPE_CHECKING:
    from torch import Tensor, nn


class Layout:
    """Places of the floating-point entries of a network in a row of numbers.

    Parameters come first, in the order of the module, then buffers. An entry that several names
    share stands there once.

    Arguments:
        module: The network.

    Attributes:
        names: The names of each entry, by the first of them, in the order of the row.
        shapes: The shape of each, by its first name.
        parameters: How many entries are parameters.
        trained: How many numbers they are.
        size: How many numbers the row has.
    """

    def __init__(self, module: nn.Module) -> None:
        from torch import nn

        state = module.state_dict(keep_vars=True)
        shared: dict[int, list[str]] = {}
        for name, x in state.items():
            if x.is_floating_point():
                shared.setdefault(id(x), []).append(name)
        entries = sorted(shared.values(), key=lambda n: not isinstance(state[n[0]], nn.Parameter))
        self.names = {names[0]: names for names in entries}
        self.shapes = {name: state[name].shape for name in self.names}
        trained = [state[n].numel() for n in self.names if isinstance(state[n], nn.Parameter)]
        self.parameters, self.trained = len(trained), sum(trained)
        self.size = sum(shape.numel() for shape in self.shapes.values())

    def flatten(self, params: Params) -> Tensor:
        """Row of a network, shape (size,)."""
        import torch

        return torch.cat([params[name].flatten() for name in self.names])

    def pieces(self, rows: Tensor) -> Params:
        """Views of rows by name, the first of each entry; dimensions before the last stay.

        Arguments:
            rows: Shape (..., size), or (..., trained): parameters alone.
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
        """Network of a row, copied in the types of ``like``, whose other entries it has."""
        params = dict(like)
        for first, piece in self.pieces(row).items():
            for name in self.names[first]:
                params[name] = piece.to(like[name].dtype, copy=True)
        return params
