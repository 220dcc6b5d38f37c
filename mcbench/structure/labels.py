"""`Labels`, which neurons the entries of a tensor belong to, and the links between neurons.

A label is the number of a neuron. The labels of a tensor are factors: integer tensors of as many
axes, of size 1 where the label does not depend on the axis. A weight matrix has one factor for its
rows and one for its columns; an activation that was split into heads has one factor over two axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

FREE = -1
"""The label of an entry that belongs to no neuron: it stays in its place."""


@dataclass(frozen=True)
class Labels:
    """The labels of a tensor.

    Arguments:
        shape: The tensor's shape.
        factors: Its factors; no two of them depend on the same axis.
    """

    shape: tuple[int, ...]
    factors: tuple[Tensor, ...] = ()

    def depending(self, axes: Sequence[int]) -> list[Tensor]:
        """The factors that depend on some of the axes."""
        return [f for f in self.factors if any(f.shape[axis] > 1 for axis in axes)]

    def others(self, axes: Sequence[int]) -> tuple[Tensor, ...]:
        """The factors that depend on none of the axes."""
        return tuple(f for f in self.factors if all(f.shape[axis] == 1 for axis in axes))

    def moved(self, move: Callable[[Tensor], Tensor], shape: Sequence[int]) -> Labels:
        """The labels after an operation that only moves entries."""
        factors = [compressed(move(f.expand(self.shape))) for f in self.factors]
        return Labels(tuple(shape), tuple(f for f in factors if not bool((f == FREE).all())))


def _axes(factor: Tensor) -> list[int]:
    """The axes that a factor depends on."""
    return [i for i, size in enumerate(factor.shape) if size > 1]


def compressed(factor: Tensor) -> Tensor:
    """A factor without the axes that it does not depend on."""
    for axis, size in enumerate(factor.shape):
        first = factor.narrow(axis, 0, 1) if size else factor
        if size > 1 and bool((factor == first).all()):
            factor = first
    return factor


@dataclass
class Links:
    """What the operations of a network say of its neurons.

    Attributes:
        count: The number of neurons so far.
        together: Pairs of neurons that move together, as pairs of equally long tensors.
        fixed: Neurons that cannot move.
        blocks: Of each relation, the owning neurons, shape (n,), and those that move with each of
            them, shape (n, m): heads own the neurons in them.
        shared: Names of weights whose axis 1 belongs to other neurons in each equal part of axis
            0, and these neurons, shape (parts, length of axis 1).
        reasons: Why neurons were fixed, by the operation that is not understood.
    """

    count: int = 0
    together: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    fixed: list[Tensor] = field(default_factory=list)
    blocks: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    shared: list[tuple[str, Tensor]] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)

    def new(self, count: int) -> Tensor:
        """Numbers of new neurons."""
        self.count += count
        return torch.arange(self.count - count, self.count)

    def fix(self, labels: Tensor) -> None:
        """Say that neurons cannot move."""
        self.fixed.append(labels[labels != FREE].unique())

    def unite(self, a: Tensor, b: Tensor) -> None:
        """Say that neurons of equal places move together; those beside a free entry are fixed."""
        a, b = torch.broadcast_tensors(a, b)
        a, b = a.flatten(), b.flatten()
        both = (a != FREE) & (b != FREE)
        self.together.append((a[both], b[both]))
        self.fix(a[b == FREE])
        self.fix(b[a == FREE])

    def join(self, a: Labels, b: Labels, shape: Sequence[int]) -> Labels:
        """The labels of an elementwise operation of two tensors, whose neurons move together."""
        dims = len(shape)
        one, two = (
            Labels((1,) * (dims - len(x.shape)) + x.shape,
                   tuple(f.reshape((1,) * (dims - len(x.shape)) + f.shape) for f in x.factors))
            for x in (a, b)
        )  # fmt: skip
        kept: list[Tensor] = []
        for x, y in ((one, two), (two, one)):
            for f in x.factors:
                axes = _axes(f)
                beside = y.depending(axes)
                for g in beside:
                    self.unite(f, g)
                if not beside and any(y.shape[i] > 1 for i in axes):
                    self.fix(f)
                elif not any(set(axes) <= set(_axes(g)) for g in kept):
                    kept = [g for g in kept if not set(_axes(g)) & set(axes)] + [f]
        return Labels(tuple(shape), tuple(kept))

    def reduce(self, labels: Labels, axes: Sequence[int]) -> tuple[Tensor, ...]:
        """The factors, of size 1 along axes that an operation sums over, whatever their order.

        A factor that also depends on other axes leaves blocks: each place on those owns the
        neurons that are summed there, which move only among themselves, or all together.
        """
        kept = list(labels.others(axes))
        for factor in labels.depending(axes):
            rest = [i for i, n in enumerate(factor.shape) if n > 1 and i not in axes]
            if rest:
                kept.append(self.own(factor, rest))
        return tuple(kept)

    def own(self, factor: Tensor, rest: Sequence[int]) -> Tensor:
        """New neurons for the places on some axes of a factor, which own the neurons there."""
        inner = [i for i in range(factor.dim()) if i not in rest]
        places = [factor.shape[i] for i in rest]
        owners = self.new(torch.Size(places).numel())
        self.blocks.append((owners, factor.permute(*rest, *inner).reshape(len(owners), -1)))
        return owners.reshape([factor.shape[i] if i in rest else 1 for i in range(factor.dim())])
