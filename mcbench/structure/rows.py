"""`Rows`, the rows of an affine layer as vectors: incoming weights, bias, normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from mcbench.paths.params import Params
from mcbench.structure.affine import Affine
from mcbench.structure.chain import Chain


@dataclass(frozen=True)
class Rows:
    """The rows of an affine layer: a vector for each of its n neurons.

    A row is the neuron's incoming weights and its scalars: its bias, its entries of a batch
    normalisation.

    Arguments:
        layer: The layer.
        shape: The shape of its weights, (n, ...).
    """

    layer: Affine
    shape: tuple[int, ...]

    @staticmethod
    def of(chain: Chain, params: Params, layer: int) -> Rows:
        """The rows of affine layer ``layer``, counted from 0; the last one's from -1 down."""
        affine = chain.layers[layer]
        return Rows(affine, tuple(params[affine.weight].shape))

    @property
    def incoming(self) -> int:
        """The number of incoming weights of a neuron."""
        return prod(self.shape[1:])

    @property
    def scalars(self) -> list[str]:
        """Names of the entries of shape (n,)."""
        return [name for name in self.layer.entries if name != self.layer.weight]

    @property
    def length(self) -> int:
        """The number of coordinates of a row."""
        return self.incoming + len(self.scalars)

    def pack(self, params: Params) -> Tensor:
        """Rows, shape (n, length)."""
        scalars = [params[name][:, None] for name in self.scalars]
        return torch.cat([params[self.layer.weight].flatten(1), *scalars], dim=1)

    def unpack(self, rows: Tensor) -> Params:
        """The entries of `Params` from rows, shape (n, length)."""
        params = {self.layer.weight: rows[:, : self.incoming].reshape(self.shape)}
        for i, name in enumerate(self.scalars, self.incoming):
            params[name] = rows[:, i].contiguous()
        return params

    def between(
        self, interpolation: Any, a: Tensor, b: Tensor, u: float, alone: bool = False
    ) -> Tensor:
        """Vectors at u, interpolated from those of two networks.

        Variances of a batch normalisation are always interpolated linearly: so they stay positive.

        Arguments:
            interpolation: The interpolation.
            a, b: Vectors that begin with a row, shape (n, length or more).
            u: The time.
            alone: Whether scalars are no coordinates of their neurons: all of them are
                interpolated as one vector of their own, with no others to take a mean over.
        """
        vectors: Tensor = interpolation.interpolate(a, b, u)  # Any: its protocol is in `methods`.
        if alone and self.scalars:
            one, two = (x[:, self.incoming : self.length].reshape(1, -1) for x in (a, b))
            scalars = interpolation.interpolate(one, two, u)
            vectors[:, self.incoming : self.length] = scalars.view(len(a), -1)
        if self.layer.norm is not None:
            k = self.incoming + self.scalars.index(self.layer.norm.var)
            vectors[:, k] = (1 - u) * a[:, k] + u * b[:, k]
        return vectors
