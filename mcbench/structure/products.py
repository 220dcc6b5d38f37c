"""Rules of products: linear layers, convolutions, embeddings, attention, recurrent networks.

A rule takes the links, the node, and its arguments, in which tensors are `Labels`, and gives the
labels of the output (several, if it has several).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mcbench.structure.labels import FREE, Labels, Links, compressed

# Nodes are Any: the arguments of an `fx.Node` have a type for each operation.


def shape_of(node: Any) -> tuple[int, ...]:
    """The shape of a node's output."""
    return tuple(node.meta["val"].shape)


def axis_of(labels: Labels, axis: int) -> Tensor:
    """The labels along one axis of a stored tensor."""
    found = labels.depending([axis])
    if not found:
        return torch.full((labels.shape[axis],), FREE)
    return (
        found[0]
        .expand(
            [
                n if i == axis else f
                for i, (n, f) in enumerate(zip(labels.shape, found[0].shape, strict=True))
            ]
        )
        .flatten()
    )


def channels(links: Links, x: Labels) -> Tensor:
    """The labels along axis 1; what else depends on it, or on positions, is fixed."""
    found = x.depending([1])
    for factor in x.factors:
        if any(n > 1 for i, n in enumerate(factor.shape) if i != 1):
            links.fix(factor)
            return torch.full((x.shape[1],), FREE)
    return found[0].flatten() if found else torch.full((x.shape[1],), FREE)


def along_axis(vector: Tensor, axis: int, dims: int) -> Tensor:
    """A vector of labels as a factor along an axis."""
    return vector.reshape([-1 if i == axis else 1 for i in range(dims)])


def _widened(x: Labels, dims: int) -> Labels:
    more = (1,) * (dims - len(x.shape))
    return Labels(more + x.shape, tuple(f.reshape(more + f.shape) for f in x.factors))


def linear(
    links: Links, node: Any, x: Labels, weight: Labels, bias: Labels | None = None
) -> Labels:
    """y = x W^T + c: the neurons of x are the columns of W, those of y are its rows."""
    rows, columns = axis_of(weight, 0), axis_of(weight, 1)
    last = len(x.shape) - 1
    contract(links, x, [last], columns)
    if bias is not None:
        links.unite(rows, axis_of(bias, 0))
    kept = tuple(f for f in x.others([last]))
    return Labels(shape_of(node), (*kept, along_axis(rows, last, last + 1)))


def contract(links: Links, x: Labels, axes: Sequence[int], columns: Tensor) -> None:
    """Sum over axes of x with a weight whose neurons there are ``columns``, in their order."""
    found = x.depending(axes)
    if not found:
        links.fix(columns)
    for factor in found:
        sizes = [x.shape[i] for i in axes]
        wanted = [x.shape[i] if i in axes else n for i, n in enumerate(factor.shape)]
        moved = factor.expand(wanted).movedim(list(axes), list(range(-len(axes), 0)))
        links.unite(moved.reshape(-1, torch.Size(sizes).numel()), columns)


def convolution(links: Links, node: Any, x: Labels, weight: Labels, bias: Labels | None = None,
                *rest: Any) -> Labels:  # fmt: skip
    """A convolution of any dimension: grouped, depthwise or transposed."""
    transposed = "transpose" in str(node.target)
    options = dict(enumerate(rest))
    groups = node.kwargs.get("groups", options.get(4 if transposed else 3, 1))
    inner, outer = (0, 1) if transposed else (1, 0)
    into = channels(links, x)
    for axis in range(2, len(weight.shape)):
        links.fix(axis_of(weight, axis))
    if groups == 1:
        links.unite(into, axis_of(weight, inner))
        out = axis_of(weight, outer)
    else:
        out = grouped(links, node, into, weight, groups)
    if bias is not None:
        links.unite(out, axis_of(bias, 0))
    return Labels(shape_of(node), (along_axis(out, 1, len(x.shape)),))


def grouped(links: Links, node: Any, into: Tensor, weight: Labels, groups: int) -> Tensor:
    """The output neurons of a grouped convolution.

    If a group has one input, its outputs move with it. Else the neurons of a group move among
    themselves, or whole groups move. One axis of the weight is divided among the groups; the
    other belongs, in each group's part, to that group's neurons (`Links.shared`).
    """
    divided, common = axis_of(weight, 0), axis_of(weight, 1)
    links.fix(common)
    into = into.reshape(groups, -1)
    transposed = "transpose" in str(node.target)
    if transposed:
        links.unite(into.flatten(), divided)
    if into.shape[1] == 1 and not transposed:
        out = into.expand(groups, len(divided) // groups).flatten()
        links.unite(out, divided)
        return out
    out = links.new(groups * len(common)) if transposed else divided
    out = out.reshape(groups, -1)
    links.shared.append((node.args[1].name, out if transposed else into))
    owners = links.new(groups)
    links.blocks += [(owners, into), (owners, out)]
    return out.flatten()


def embedding(links: Links, node: Any, weight: Labels, indices: Any, *rest: Any) -> Labels:
    """A table of vectors: words are fixed, their entries are neurons."""
    links.fix(axis_of(weight, 0))
    shape = shape_of(node)
    return Labels(shape, (along_axis(axis_of(weight, 1), len(shape) - 1, len(shape)),))


def matmul(links: Links, node: Any, a: Labels, b: Labels) -> Labels:
    """A product of matrices: the last axis of a and the last but one of b move together."""
    shape = shape_of(node)
    if len(a.shape) < 2 or len(b.shape) < 2:
        raise NotImplementedError
    dims = max(len(a.shape), len(b.shape))
    a, b = _widened(a, dims), _widened(b, dims)
    turned = Labels(
        (*b.shape[:-2], b.shape[-1], b.shape[-2]), tuple(f.transpose(-1, -2) for f in b.factors)
    )
    one, two = a.depending([dims - 1]), turned.depending([dims - 1])
    for f in one or two:
        if one and two:
            for g in two:
                links.unite(f, g)
        else:
            links.fix(f)
    left = Labels((*a.shape[:-1], 1), links.reduce(a, [dims - 1]))
    right = Labels((*b.shape[:-2], 1, b.shape[-1]), links.reduce(b, [dims - 2]))
    return batched(links, left, right, shape)


def batched(links: Links, left: Labels, right: Labels, shape: Sequence[int]) -> Labels:
    """Factors of a batched product; heads of one side own the neurons of the other in them."""
    dims = len(shape)
    factors = list(left.factors)
    for g in right.factors:
        axes = [i for i in range(dims - 2) if g.shape[i] > 1]
        heads = [f for f in left.factors if any(f.shape[i] > 1 for i in axes)]
        alone = all(n == 1 for n in g.shape[-2:])
        if axes and alone:
            for f in heads:
                links.unite(f, g)
        elif axes and heads:
            links.unite(heads[0], links.own(g, axes))
            factors = [f for f in factors if f is not heads[0]]
        if not (alone and heads):
            factors.append(g)
        if axes and not heads and any(left.shape[i] > 1 for i in axes):
            links.fix(g)
    return Labels(tuple(shape), tuple(factors))


def attention(links: Links, node: Any, q: Labels, k: Labels, v: Labels, *rest: Any) -> Labels:
    """Scaled dot products: q and k move together within their head, v with the output."""
    last = len(q.shape) - 1
    for f in q.depending([last]):
        for g in k.depending([last]):
            links.unite(f, g)
    heads = links.reduce(q, [last])
    links.reduce(k, [last])
    weights = Labels((*q.shape[:-1], 1), heads)
    mask = next((x for x in rest if isinstance(x, Labels)), None)
    if mask is not None:
        weights = links.join(weights, mask, torch.broadcast_shapes(weights.shape, mask.shape))
    return batched(links, weights, v, shape_of(node))


def recurrent(links: Links, node: Any, x: Labels, states: Any, params: Sequence[Labels],
              biases: bool, layers: int, *rest: Any) -> tuple[Labels, ...]:  # fmt: skip
    """An LSTM or a GRU: a unit has a row in every gate, and a column of the recurrent weights."""
    both = 2 if rest[2] else 1
    each = 4 if biases else 2
    if len(params) != each * layers * both:
        raise NotImplementedError  # Projections.
    feed = x
    last = len(x.shape) - 1
    finals = []
    for layer in range(layers):
        outputs = []
        for way in range(both):
            own = params[each * (layer * both + way) :][:each]
            units = own[1].shape[1]
            hidden = axis_of(own[1], 1)
            for tensor in own:
                links.unite(axis_of(tensor, 0).reshape(-1, units), hidden)
            contract(links, feed, [last], axis_of(own[0], 1))
            outputs.append(hidden)
            finals.append(hidden)
        joined = torch.cat(outputs)
        feed = Labels((*x.shape[:-1], len(joined)), (along_axis(joined, last, last + 1),))
    shapes = [tuple(value.shape) for value in node.meta["val"]]
    ends = torch.stack(finals)
    ends = ends.reshape(len(finals), *(1,) * (len(shapes[1]) - 2), ends.shape[1])
    return (Labels(shapes[0], feed.factors), *(Labels(s, (compressed(ends),)) for s in shapes[1:]))
