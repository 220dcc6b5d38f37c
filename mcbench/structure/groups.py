"""`derive_groups`, the permutation symmetries of a network, derived from its graph and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mcbench.errors import StructureError
from mcbench.paths.params import Params
from mcbench.structure.labels import FREE
from mcbench.structure.propagation import Propagation


@dataclass(frozen=True)
class Place:
    """Where neurons are in a stored tensor.

    Arguments:
        name: The tensor's name.
        axis: The axis on which they lie.
        neurons: The neuron at each index of the axis, `FREE` for none. A neuron may lie at several
            indices. For the inputs of a grouped convolution the shape is (groups, length): each
            group's part of axis 0 has other neurons on axis 1.
    """

    name: str
    axis: int
    neurons: Tensor


@dataclass(frozen=True)
class Group:
    """Neurons whose order does not matter: any permutation leaves the outputs unchanged.

    Arguments:
        name: The first place where they lie, ``NAME:AXIS``.
        blocks: The neurons that move together, shape (n, m): single neurons (m = 1), or the heads
            of an attention with all neurons in them.
    """

    name: str
    blocks: Tensor

    @property
    def count(self) -> int:
        """n, the number of things that are permuted."""
        return len(self.blocks)


@dataclass(frozen=True)
class Symmetry:
    """The permutation symmetries of a network.

    Arguments:
        groups: Its groups; they move independently of each other.
        places: Where all neurons lie.
        fixed: Why other neurons cannot move: the number of operations of each name that are not
            understood.
        rejected: Names of groups that changed the outputs when they were tried.
    """

    groups: tuple[Group, ...]
    places: tuple[Place, ...]
    fixed: Mapping[str, int]
    rejected: tuple[str, ...] = ()

    def places_of(self, group: Group) -> list[Place]:
        """Where a group's neurons lie."""
        return [p for p in self.places if bool(torch.isin(p.neurons, group.blocks).any())]

    def permute(self, params: Params, orders: Mapping[str, Tensor]) -> Params:
        r"""The same function, with ``blocks[order[i]]`` of each group in the place of block i.

        Arguments:
            params: The network.
            orders: A permutation of ``range(count)`` by the name of its group.
        """
        by_name = {group.name: group for group in self.groups}
        count = 1 + max((int(p.neurons.max()) for p in self.places), default=0)
        source = torch.arange(count)
        for name, order in orders.items():
            blocks = by_name[name].blocks
            moved = blocks[order]
            source[blocks[blocks != FREE]] = moved[blocks != FREE]
        result = dict(params)
        for place in self.places:
            index = _index(place.neurons, source)
            if index is None:
                continue
            x = result[place.name]
            index = index.to(x.device)
            if index.dim() == 1:
                result[place.name] = x.index_select(place.axis, index)
            else:
                parts = x.reshape(len(index), -1, *x.shape[1:])
                rows = [part[:, row] for part, row in zip(parts, index, strict=True)]
                result[place.name] = torch.stack(rows).reshape(x.shape)
        return result

    def random(self, generator: torch.Generator, names: Sequence[str] = ()) -> dict[str, Tensor]:
        """Random permutations of the groups of some names, or of all."""
        return {
            group.name: torch.randperm(group.count, generator=generator)
            for group in self.groups
            if not names or group.name in names
        }


def _index(neurons: Tensor, source: Tensor) -> Tensor | None:
    """The indices that bring ``source[neuron]`` to each neuron's places; ``None`` if all stay.

    The k-th place of a neuron takes from the k-th place of the other. For several rows, each is
    permuted on its own after the rows have moved.
    """
    wanted = torch.where(neurons == FREE, neurons, source[neurons])
    if bool((wanted == neurons).all()):
        return None
    flat = _order(wanted.flatten()), _order(neurons.flatten())
    index = torch.empty_like(flat[0])
    index[flat[0]] = flat[1]
    free = neurons.flatten() == FREE
    index[free] = torch.arange(len(index))[free]
    return index if neurons.dim() == 1 else index.reshape(neurons.shape) % neurons.shape[1]


def _order(labels: Tensor) -> Tensor:
    return torch.argsort(labels, stable=True)


def derive_groups(module: nn.Module, example: Any, tries: int = 2) -> Symmetry:
    """The permutation symmetries of a network.

    Every axis of every stored tensor starts with neurons of its own; the operations of the
    network's ``torch.export`` graph say which of them move together, which are fixed, and which
    move only within a block. Those that lie in the same places form a group. A group counts only
    if random permutations of it leave the outputs unchanged, in float64 and with random weights
    and statistics of norms.

    Arguments:
        module: The network; it is not changed.
        example: An input of at least two samples, or a tuple of inputs.
        tries: The number of random permutations that all groups have to pass.

    Raises:
        StructureError: If the graph cannot be exported.
    """
    inputs = example if isinstance(example, tuple) else (example,)
    training = module.training
    try:
        program = torch.export.export(module.eval(), inputs)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise StructureError(f"the network's graph cannot be exported: {reason}") from error
    finally:
        module.train(training)
    propagation = Propagation(program, module)
    symmetry = _collect(propagation, module)
    return _checked(symmetry, module, inputs, tries)


def _collect(propagation: Propagation, module: nn.Module) -> Symmetry:
    """Groups of the neurons that lie in the same places and blocks."""
    classes = propagation.classes()
    places = []
    for name, axis, labels in propagation.places():
        neurons = torch.where(labels == FREE, labels, classes.neuron[labels])
        if bool((neurons != FREE).any()):
            places.append(Place(name, axis, neurons))
    lies: dict[int, list[tuple[int, int]]] = {}
    for number, place in enumerate(places):
        values, counts = place.neurons.flatten().unique(return_counts=True)
        for neuron, times in zip(values.tolist(), counts.tolist(), strict=True):
            lies.setdefault(neuron, []).append((number, times))
    alike: dict[Any, list[int]] = {}
    owners = {int(x) for owner, _ in classes.relations for x in owner}
    for neuron in sorted(classes.free & lies.keys() - owners - {FREE}):
        mark = tuple(lies[neuron]), classes.marks.get(neuron, ())
        alike.setdefault(mark, []).append(neuron)
    rows = [torch.tensor(members)[:, None] for members in alike.values() if len(members) > 1]
    groups, names = [], set[str]()
    for blocks in [*rows, *classes.blocks(lies)]:
        first = next(p for p in places if bool(torch.isin(p.neurons, blocks).any()))
        name = f"{first.name}:{first.axis}"
        number = 2
        while name in names:
            name, number = f"{first.name}:{first.axis}#{number}", number + 1
        names.add(name)
        groups.append(Group(name, blocks))
    return Symmetry(tuple(groups), tuple(places), propagation.links.reasons)


def _checked(symmetry: Symmetry, module: nn.Module, inputs: Any, tries: int) -> Symmetry:
    """Only the groups that leave the outputs unchanged, all together and each alone."""
    from mcbench.structure.probe import Probe

    probe = Probe(module, inputs)
    draws = torch.Generator().manual_seed(0)
    if all(probe.unchanged(symmetry.permute(probe.params, symmetry.random(draws)))
           for _ in range(tries)):  # fmt: skip
        return symmetry
    kept = [
        group for group in symmetry.groups
        if probe.unchanged(symmetry.permute(probe.params, symmetry.random(draws, [group.name])))
    ]  # fmt: skip
    rejected = tuple(g.name for g in symmetry.groups if g not in kept)
    return Symmetry(tuple(kept), symmetry.places, symmetry.fixed, rejected)
