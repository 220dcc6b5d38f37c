"""Rules by which operations of a ``torch.export`` graph pass on the labels of neurons.

A rule takes the links, the node, and its arguments, in which tensors are `Labels`, and gives the
labels of the output (several, if it has several). Operations are named as in ATen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from mcbench.structure.labels import FREE, Labels, Links, compressed
from mcbench.structure.products import (
    along_axis,
    attention,
    axis_of,
    channels,
    convolution,
    embedding,
    linear,
    matmul,
    recurrent,
    shape_of,
)

# Arguments and nodes are Any: their types differ from operation to operation.
Rule = Callable[..., Any]

ALONE = frozenset({
    "relu", "leaky_relu", "elu", "gelu", "silu", "hardtanh", "hardswish", "hardsigmoid", "tanh",
    "sigmoid", "softplus", "mish", "relu6", "selu", "celu", "abs", "neg", "exp", "log", "sqrt",
    "rsqrt", "square", "reciprocal", "clamp", "clamp_min", "erf", "sin", "cos", "logsigmoid",
    "dropout", "feature_dropout", "alpha_dropout", "contiguous", "clone", "detach", "to",
    "_to_copy", "alias", "softmax", "log_softmax", "_softmax", "rrelu", "pow", "eq",
    "ne", "isnan", "lift_fresh_copy", "softshrink", "softsign",
    "logical_not", "float", "max_pool1d", "max_pool2d", "max_pool3d",
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d",
    "adaptive_avg_pool3d", "adaptive_max_pool2d", "upsample_nearest2d", "upsample_bilinear2d",
})  # fmt: skip
"""Operations that treat every neuron by itself, or all in one way whatever their order."""

POOLS = ("pool", "upsample")
"""Parts of names of operations over positions: a neuron on these axes is fixed."""

PAIRED = frozenset({
    "add", "sub", "rsub", "mul", "div", "maximum", "minimum", "where", "masked_fill", "prelu",
    "lerp", "addcmul", "fill", "ge", "gt", "le", "lt", "logical_and",
})  # fmt: skip
"""Elementwise operations of several tensors."""

MOVES = frozenset({
    "view", "reshape", "flatten", "unflatten", "permute", "transpose", "t", "squeeze", "unsqueeze",
    "slice", "select", "chunk", "split", "split_with_sizes", "unbind", "narrow", "expand", "roll",
    "flip", "index", "index_select", "pixel_shuffle", "pixel_unshuffle",
    "channel_shuffle", "movedim", "swapaxes", "expand_as", "view_as", "repeat", "tile",
    "_unsafe_view", "numpy_T", "native_channel_shuffle",
})  # fmt: skip
"""Operations that only move entries: labels are moved by the operation itself."""

CONSTANTS = frozenset({
    "new_zeros", "new_ones", "new_full", "new_empty", "zeros_like", "ones_like", "full_like",
    "sym_size",
})  # fmt: skip
"""Operations whose output depends on the shape of their input only."""

SUMS = frozenset({"mean", "sum", "amax", "amin", "prod", "logsumexp", "var", "std", "norm"})
"""Operations that reduce axes, whatever the order of the entries on them."""


def batch_norm(links: Links, node: Any, x: Labels, *tensors: Any) -> Labels:
    """A batch or instance norm: scale, shift and statistics belong to the channels.

    Neurons on other axes are treated alike.
    """
    own = channels(links, Labels(x.shape, tuple(x.depending([1]))))
    for vector in tensors:
        if isinstance(vector, Labels):
            links.unite(own, axis_of(vector, 0))
    return Labels(shape_of(node), x.factors)


def layer_norm(links: Links, node: Any, x: Labels, sizes: Any, weight: Any = None,
               bias: Any = None, *rest: Any) -> Labels:  # fmt: skip
    """A layer or RMS norm over the last axes, whatever the order of the entries there."""
    for vector in (weight, bias):
        if isinstance(vector, Labels):
            x = links.join(x, vector, x.shape)
    return x


def group_norm(links: Links, node: Any, x: Labels, groups: int, weight: Any = None,
               bias: Any = None, *rest: Any) -> Labels:  # fmt: skip
    """A group norm: channels move within their group, or with it."""
    own = channels(links, x)
    for vector in (weight, bias):
        if isinstance(vector, Labels):
            links.unite(own, axis_of(vector, 0))
    if 1 < groups < len(own):
        links.blocks.append((links.new(groups), own.reshape(groups, -1)))
    return x


def paired(links: Links, node: Any, *tensors: Any) -> Labels:
    """An elementwise operation of several tensors."""
    shape = shape_of(node)
    operands = [x for x in tensors if isinstance(x, Labels)]
    if "prelu" in str(node.target) and operands[1].shape[0] > 1:
        size = len(shape)
        alpha = operands[1]
        factors = tuple(along_axis(f, 1, size) for f in alpha.factors)
        operands[1] = Labels((1, alpha.shape[0], *(1,) * (size - 2)), factors)
    result = operands[0]
    for other in operands[1:]:
        result = links.join(result, other, torch.broadcast_shapes(result.shape, other.shape))
    return Labels(shape, result.factors)


def concatenate(links: Links, node: Any, parts: Sequence[Labels], axis: int = 0) -> Labels:
    """A concatenation: neurons on the joined axis stay apart, others move together."""
    axis %= len(parts[0].shape)
    along: list[Tensor] = []
    across: Labels | None = None
    for part in parts:
        inside = part.depending([axis])
        size = [n if i == axis else 1 for i, n in enumerate(part.shape)]
        along.append(inside[0] if inside else torch.full(size, FREE))
        shape = tuple(1 if i == axis else n for i, n in enumerate(part.shape))
        rest = Labels(shape, part.others([axis]))
        across = rest if across is None else links.join(across, rest, across.shape)
    factors = across.factors if across else ()
    if any(bool((f != FREE).any()) for f in along):
        wide = [
            i for i in range(along[0].dim()) if i == axis or any(f.shape[i] > 1 for f in along)
        ]
        whole = [
            f.expand([n if i in wide else 1 for i, n in enumerate(part.shape)])
            for f, part in zip(along, parts, strict=True)
        ]
        factors = (compressed(torch.cat(whole, axis)), *factors)
    return Labels(shape_of(node), factors)


def padded(links: Links, node: Any, x: Labels, sizes: Sequence[int], *rest: Any) -> Labels:
    """A padding: what is filled in is the same for all neurons, unless it lies among them."""
    dims, shape = len(x.shape), shape_of(node)
    axes = [dims - 1 - i // 2 for i, n in enumerate(sizes) if n]
    for factor in x.depending(axes):
        links.fix(factor)
    return Labels(shape, x.others(axes))


def summed(links: Links, node: Any, x: Labels, axes: Any = None, *rest: Any) -> Labels:
    """A reduction over axes."""
    dims = len(x.shape)
    axes = range(dims) if axes is None else [axes] if isinstance(axes, int) else axes
    gone = sorted({i % dims for i in axes}) or list(range(dims))
    factors = links.reduce(x, gone)
    shape = shape_of(node)
    if len(shape) < dims:
        factors = tuple(f.squeeze(tuple(gone)) for f in factors)
    return Labels(shape, factors)


RULES: dict[str, Rule] = {
    "linear": linear, "conv1d": convolution, "conv2d": convolution, "conv3d": convolution,
    "conv_transpose1d": convolution, "conv_transpose2d": convolution,
    "conv_transpose3d": convolution, "batch_norm": batch_norm, "instance_norm": batch_norm,
    "layer_norm": layer_norm, "rms_norm": layer_norm, "group_norm": group_norm,
    "cat": concatenate, "concat": concatenate, "pad": padded, "constant_pad_nd": padded,
    "embedding": embedding, "matmul": matmul, "bmm": matmul, "mm": matmul,
    "scaled_dot_product_attention": attention, "lstm": recurrent, "gru": recurrent,
}  # fmt: skip
"""Rules of operations that are not in one of the sets above."""
