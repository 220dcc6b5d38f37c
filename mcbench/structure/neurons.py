"""`Hidden`, the neurons of a hidden layer as vectors: incoming weights, bias, outgoing weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mcbench.params import Params
from mcbench.structure.chain import Affine


@dataclass(frozen=True)
class Hidden:
    """The hidden layer between two affine layers.

    Arguments:
        below: The layer whose rows are the incoming weights.
        above: The layer whose columns are the outgoing weights.
        incoming: The number of incoming weights of a neuron.
    """

    below: Affine
    above: Affine
    incoming: int

    @property
    def outgoing(self) -> int:
        """The first coordinate that is an outgoing weight."""
        return self.incoming + (self.below.bias is not None)

    def pack(self, params: Params) -> Tensor:
        """Neurons as rows, shape (n, incoming + bias + outgoing)."""
        parts = [params[self.below.weight], params[self.above.weight].T]
        if self.below.bias is not None:
            parts.insert(1, params[self.below.bias][:, None])
        return torch.cat(parts, dim=1)

    def unpack(self, neurons: Tensor) -> Params:
        """The entries of `Params` that neurons of shape (n, d) determine."""
        params = {
            self.below.weight: neurons[:, : self.incoming].contiguous(),
            self.above.weight: neurons[:, self.outgoing :].T.contiguous(),
        }
        if self.below.bias is not None:
            params[self.below.bias] = neurons[:, self.incoming].contiguous()
        return params

    def permute(self, params: Params, order: Tensor) -> Params:
        """The same function with neuron ``order[i]`` in place i."""
        permuted = params | {
            self.below.weight: params[self.below.weight][order],
            self.above.weight: params[self.above.weight][:, order],
        }
        if self.below.bias is not None:
            permuted[self.below.bias] = params[self.below.bias][order]
        return permuted
