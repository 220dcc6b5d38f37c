"""`Hidden`, the neurons of a hidden layer as vectors: incoming weights, bias, outgoing weights."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from mcbench.paths.params import Params
from mcbench.structure.affine import Affine
from mcbench.structure.chain import Chain
from mcbench.structure.rows import Rows


@dataclass(frozen=True)
class Hidden:
    """The hidden layer between two affine layers; a filter of a convolution is a neuron.

    A neuron is a vector of its incoming weights, its scalars (bias, entries of a batch
    normalisation) and its outgoing weights. Every neuron owns a block of columns of the layer
    above: one if both are linear, one per kernel entry if that is a convolution, one per position
    if maps, or several rows of neurons, are flattened between them.

    Arguments:
        below: The layer whose rows are the incoming weights.
        above: The layer whose columns are the outgoing weights.
        shapes: The shapes of the two weights.
    """

    below: Affine
    above: Affine
    shapes: tuple[tuple[int, ...], tuple[int, ...]]

    @staticmethod
    def of(chain: Chain, params: Params, layer: int) -> Hidden:
        """The neurons that affine layer ``layer`` (from 0) outputs."""
        below, above = chain.layers[layer], chain.layers[layer + 1]
        shapes = tuple(params[below.weight].shape), tuple(params[above.weight].shape)
        return Hidden(below, above, shapes)

    @property
    def count(self) -> int:
        """n, the number of neurons."""
        return self.shapes[0][0]

    @property
    def rows(self) -> Rows:
        """The neurons without their outgoing weights."""
        return Rows(self.below, self.shapes[0])

    @property
    def incoming(self) -> int:
        """The number of incoming weights of a neuron."""
        return self.rows.incoming

    @property
    def block(self) -> int:
        """The number of columns of the layer above that a neuron owns."""
        return prod(self.shapes[1][1:]) // self.count

    @property
    def columns(self) -> Tensor:
        """The indices of the columns that each neuron owns, shape (n, block)."""
        indices = torch.arange(self.count * self.block)
        return indices.view(self.above.outer, self.count, -1).transpose(0, 1).flatten(1)

    @property
    def outgoing(self) -> int:
        """The first coordinate that is an outgoing weight."""
        return self.rows.length

    def out_weights(self, params: Params) -> Tensor:
        """Outgoing weights by neuron, shape (n, block x out)."""
        weight = params[self.above.weight]
        split = weight.reshape(len(weight), self.above.outer, self.count, -1)
        return split.permute(2, 1, 3, 0).flatten(1)

    def pack(self, params: Params) -> Tensor:
        """Neurons, shape (n, outgoing + block x out)."""
        return torch.cat([self.rows.pack(params), self.out_weights(params)], dim=1)

    def unpack(self, neurons: Tensor) -> Params:
        """The entries of `Params` from whole neurons."""
        rows, outgoing = neurons[:, : self.outgoing], neurons[:, self.outgoing :]
        return self.rows.unpack(rows) | self.unpack_out(outgoing)

    def unpack_out(self, neurons: Tensor) -> Params:
        """The entry from outgoing weights, shape (n, block x out)."""
        out = self.shapes[1][0]
        split = neurons.reshape(self.count, self.above.outer, -1, out).permute(3, 1, 0, 2)
        return {self.above.weight: split.reshape(self.shapes[1])}

    def permute(self, params: Params, order: Tensor) -> Params:
        """The same function with neuron ``order[i]`` in place i."""
        above = params[self.above.weight]
        split = above.reshape(len(above), self.above.outer, self.count, -1)
        columns = split[:, :, order]
        rows = {name: params[name][order] for name in self.below.entries}
        return params | {self.above.weight: columns.reshape(above.shape)} | rows
