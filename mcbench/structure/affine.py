"""`Affine`, a linear or convolutional layer of a chain as one matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from mcbench.paths.params import Params

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Geometry:
    """Geometry of a two-dimensional convolution, each entry as (height, width)."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Norm:
    """The batch normalisation of a layer: names of its entries, each of shape (out,)."""

    weight: str | None
    bias: str | None
    mean: str
    var: str
    eps: float

    @property
    def names(self) -> list[str]:
        """The entries' names."""
        return [n for n in (self.weight, self.bias, self.mean, self.var) if n is not None]

    def apply(self, params: Params, x: Tensor) -> Tensor:
        r""":math:`\gamma\,(x - \mu)/\sqrt{\sigma^2 + \epsilon} + \beta` with stored statistics."""
        weight = None if self.weight is None else params[self.weight]
        bias = None if self.bias is None else params[self.bias]
        mean, var = params[self.mean], params[self.var]
        return nn.functional.batch_norm(x, mean, var, weight, bias, eps=self.eps)


@dataclass(frozen=True)
class Affine:
    """A layer y = W x + c; a convolution is one on the patches it sees.

    Arguments:
        weight: The name of W: shape (out, in), or (out, channels, height, width).
        bias: The name of c, shape (out,), if it has one.
        geometry: The geometry of a convolution; ``None`` for a linear layer.
        norm: The batch normalisation that follows, if one does: it belongs to the layer.
        before_norm: Functions between W x + c and the normalisation, such as pooling; each treats
            every neuron alike and by itself.
        outer: The positions before the neuron in the order of W's columns: these are (outer,
            neurons of the layer below, positions after), flattened. 1 unless a linear layer over
            the last axis of several was flattened.
    """

    weight: str
    bias: str | None
    geometry: Geometry | None = None
    norm: Norm | None = None
    before_norm: tuple[Function, ...] = ()
    outer: int = 1

    @property
    def entries(self) -> list[str]:
        """The names of all entries of `Params` that belong to the layer."""
        own = [self.weight] + ([self.bias] if self.bias is not None else [])
        return own + (self.norm.names if self.norm else [])

    def matrix(self, params: Params) -> Tensor:
        """W as a matrix, shape (out, features): features are those of `patches`."""
        return params[self.weight].flatten(1)

    def product(self, params: Params, x: Tensor) -> Tensor:
        """W x + c, before the normalisation."""
        bias = None if self.bias is None else params[self.bias]
        if self.geometry is None:
            return nn.functional.linear(x, params[self.weight], bias)
        g = self.geometry
        return nn.functional.conv2d(x, params[self.weight], bias, g.stride, g.padding, g.dilation)

    def apply(self, params: Params, x: Tensor) -> Tensor:
        """The layer's output, normalised if it has a normalisation."""
        return self.normed(params, self.product(params, x))

    def normed(self, params: Params, y: Tensor) -> Tensor:
        """The layer's output from y = W x + c."""
        for function in self.before_norm:
            y = function(y)
        return self.norm.apply(params, y) if self.norm else y

    def patches(self, x: Tensor, positions: Tensor | None = None) -> Tensor:
        """The vectors that W is multiplied with, shape (rows, features).

        A linear layer has one row per sample; a convolution one per sample and position, in the
        order of `rows`.

        Arguments:
            x: The layer's input.
            positions: The positions of a convolution to take, shape (samples, count), counted
                along rows of the output; ``None`` takes all.
        """
        if self.geometry is None:
            return x.flatten(0, -2)
        g = self.geometry
        if positions is None:
            unfolded = nn.functional.unfold(x, g.kernel, g.dilation, g.padding, g.stride)
            return unfolded.transpose(1, 2).flatten(0, 1)
        sides = (g.padding[1], g.padding[1], g.padding[0], g.padding[0])
        windows = nn.functional.pad(x, sides)  # Views of all patches, no copies.
        for axis in (0, 1):
            extent = g.dilation[axis] * (g.kernel[axis] - 1) + 1
            windows = windows.unfold(2 + axis, extent, g.stride[axis])
        windows = windows[..., :: g.dilation[0], :: g.dilation[1]]
        samples = torch.arange(len(x), device=x.device)[:, None]
        width = windows.shape[3]
        patches = windows[samples, :, positions // width, positions % width]
        return patches.flatten(2).flatten(0, 1)

    def rows(self, y: Tensor, positions: Tensor | None = None) -> Tensor:
        """An output of the layer as rows, shape (rows, out), as `patches` orders them."""
        if self.geometry is None:
            return y.flatten(0, -2)
        flat = y.flatten(2).transpose(1, 2)
        if positions is not None:
            flat = flat.gather(1, positions[:, :, None].expand(-1, -1, flat.shape[2]))
        return flat.flatten(0, 1)

    def places(self, x: Tensor) -> int:
        """The number of positions at which a convolution of x has outputs; 1 if linear."""
        if self.geometry is None:
            return 1
        g = self.geometry
        axes = zip(x.shape[2:], g.padding, g.dilation, g.kernel, g.stride, strict=True)
        return prod((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, d, k, s in axes)
