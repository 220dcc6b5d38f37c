"""`Propagation`, the labels of all tensors of a network, from one pass over its graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mcbench.structure import operations
from mcbench.structure.labels import FREE, Labels, Links
from mcbench.structure.products import shape_of


@dataclass
class Classes:
    """Neurons that move together, as one.

    Arguments:
        neuron: The class of every label.
        free: The classes that can move.
        marks: The owners of a class, by relation: only neurons of equal owners are exchanged.
        relations: The classes of each relation's owners, (n,), and of what they own, (n, m).
    """

    neuron: Tensor
    free: set[int]
    marks: dict[int, tuple[tuple[int, int], ...]]
    relations: list[tuple[Tensor, Tensor]]

    def blocks(self, lies: dict[int, list[tuple[int, int]]]) -> Iterator[Tensor]:
        """The blocks that move as a whole, shape (n, m), of each set of related owners."""
        by_owner: dict[int, list[tuple[int, list[int]]]] = {}
        for number, (owners, owned) in enumerate(self.relations):
            for owner, row in zip(owners.tolist(), owned.tolist(), strict=True):
                by_owner.setdefault(owner, []).append((number, row))
        alike: dict[Any, list[list[int]]] = {}
        for owner, parts in sorted(by_owner.items()):
            members = list(dict.fromkeys(x for _, row in parts for x in row))
            if owner not in self.free or not set(members) <= self.free:
                continue
            own = lies.get(owner)
            mark = tuple((n, len(row)) for n, row in parts), tuple(own or ())
            alike.setdefault(mark, []).append(([owner] if own else []) + members)
        for rows in alike.values():
            flat = [x for row in rows for x in row]
            if len(rows) > 1 and len({len(r) for r in rows}) == 1 and len(set(flat)) == len(flat):
                yield torch.tensor(rows)


class Propagation:
    """Labels passed through a network.

    Arguments:
        program: The network's exported graph.
        module: The network, whose tensors say which names share their memory.
    """

    # Nodes are Any: the arguments of an `fx.Node` have a type for each operation.
    def __init__(self, program: torch.export.ExportedProgram, module: nn.Module) -> None:
        self.links = Links()
        signature = program.graph_signature
        self.stored = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        self.states = module.state_dict(keep_vars=True)
        self.labels: dict[str, Any] = {}
        self._by_memory: dict[int, Labels] = {}
        self._constants: dict[str, Tensor] = {}
        for node in program.graph.nodes:
            if node.op == "placeholder":
                self.labels[node.name] = self._placeholder(node, program)
            elif node.op == "call_function":
                self.labels[node.name] = self._call(node)
            elif node.op == "output":
                for x in torch.utils._pytree.tree_leaves(node.args):
                    if isinstance(x, torch.fx.Node):
                        self._fix(self.labels[x.name])

    def _placeholder(self, node: Any, program: torch.export.ExportedProgram) -> Labels:
        value = node.meta.get("val")
        shape = tuple(value.shape) if isinstance(value, Tensor) else ()
        tensor = self.states.get(self.stored.get(node.name, ""))
        if tensor is None or not tensor.is_floating_point() or not node.users:
            constant = tensor
            if constant is None:
                name = self.stored.get(node.name) or (
                    program.graph_signature.inputs_to_lifted_tensor_constants.get(node.name, "")
                )
                constant = program.constants.get(name)
            if isinstance(constant, Tensor):
                self._constants[node.name] = constant.detach()
            return Labels(shape)
        memory = tensor.untyped_storage().data_ptr()
        if memory not in self._by_memory:
            dims = len(shape)
            factors = [
                self.links.new(n).reshape([n if i == axis else 1 for i in range(dims)])
                for axis, n in enumerate(shape)
                if n > 1
            ]
            self._by_memory[memory] = Labels(shape, tuple(factors))
        return self._by_memory[memory]

    def _call(self, node: Any) -> Any:
        name = str(node.target).split(".")[1] if "aten" in str(node.target) else str(node.target)
        name = name.removesuffix("_") if not name.startswith("_") else name
        args = torch.fx.node.map_arg(node.args, lambda n: self.labels[n.name])
        kwargs = torch.fx.node.map_arg(node.kwargs, lambda n: self.labels[n.name])
        if "getitem" in name:
            return args[0][args[1]]
        inputs = [x.name for x in node.all_input_nodes]
        if all(x in self._constants for x in inputs) and inputs:
            try:
                real = torch.fx.node.map_arg(node.args, lambda n: self._constants[n.name])
                self._constants[node.name] = node.target(*real, **node.kwargs)
            except Exception:  # Its value is not needed then.
                pass
        try:
            return self._rule(name, node, args, kwargs)
        except (NotImplementedError, RuntimeError, IndexError, KeyError, TypeError, ValueError):
            for x in torch.utils._pytree.tree_leaves((args, kwargs)):
                self._fix(x)
            self.links.reasons[name] = self.links.reasons.get(name, 0) + 1
            return _unlabelled(node.meta["val"])

    def _rule(self, name: str, node: Any, args: Any, kwargs: Any) -> Any:
        """The labels of an operation's output."""
        tensors = [x for x in torch.utils._pytree.tree_leaves((args, kwargs)) if _labelled(x)]
        value = node.meta["val"]
        if not tensors:
            return _unlabelled(value)
        if name in operations.CONSTANTS:
            return _unlabelled(value)
        if name in operations.RULES:
            more = [x for x in kwargs.values() if isinstance(x, Labels)]
            return operations.RULES[name](self.links, node, *args, *more)
        if name in operations.ALONE:
            return self._alone(name, node, args[0])
        if name in operations.PAIRED:
            operands = [x for x in (*args, *kwargs.values()) if isinstance(x, Labels)]
            return operations.paired(self.links, node, *operands)
        if name in operations.SUMS:
            return operations.summed(self.links, node, *args)
        if name in operations.MOVES and args[0] is tensors[0]:
            return self._moved(node, args[0])
        raise NotImplementedError

    def _alone(self, name: str, node: Any, x: Labels) -> Labels:
        shape = shape_of(node)
        for factor in x.factors:
            if any(n > 1 and n != m for n, m in zip(factor.shape, shape, strict=True)):
                self.links.fix(factor)  # A pooled axis.
        pooled = any(part in name for part in operations.POOLS)
        kept = [
            f for f in x.factors
            if all(n in (1, m) for n, m in zip(f.shape, shape, strict=True))
            and not (pooled and any(n > 1 for n in f.shape[2:]))
        ]  # fmt: skip
        for factor in x.factors:
            if not any(factor is f for f in kept):
                self.links.fix(factor)
        return Labels(shape, tuple(kept))

    def _moved(self, node: Any, x: Labels) -> Any:
        """Labels moved by the operation itself, with constants in the place of other tensors."""

        def move(factor: Tensor) -> Any:
            whole = (factor + 1).contiguous()  # What an operation fills in is 0: no neuron's.
            args = torch.fx.node.map_arg(
                node.args, lambda n: whole if self.labels[n.name] is x else self._constants[n.name]
            )
            return node.target(*args, **node.kwargs)

        value = node.meta["val"]
        if isinstance(value, Tensor):
            return x.moved(lambda f: move(f) - 1, value.shape)
        return tuple(
            x.moved(lambda f, i=i: move(f)[i] - 1, part.shape)  # type: ignore[misc]
            for i, part in enumerate(value)
        )

    def _fix(self, x: Any) -> None:
        if isinstance(x, Labels):
            for factor in x.factors:
                self.links.fix(factor)
        elif isinstance(x, (tuple, list)):
            for part in x:
                self._fix(part)

    def places(self) -> Iterator[tuple[str, int, Tensor]]:
        """Where labels lie: the stored tensor, the axis, the labels on it."""
        shared = {self.stored[name]: labels for name, labels in self.links.shared}
        aliases = {
            name: self._by_memory.get(x.untyped_storage().data_ptr())
            for name, x in self.states.items()
        }
        for name, labels in aliases.items():
            for factor in labels.factors if labels else ():
                axis = next(i for i, n in enumerate(factor.shape) if n > 1)
                if not (axis == 1 and name in shared):
                    yield name, axis, factor.flatten()
            if name in shared:
                yield name, 1, shared[name]

    def classes(self) -> Classes:
        """Neurons that move together as one, after all owners of the same neurons are one."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        pairs = [torch.stack(pair) for pair in self.links.together]
        while True:
            edges = torch.cat([*pairs, torch.zeros(2, 0, dtype=torch.long)], 1).numpy()
            size = self.links.count
            graph = coo_matrix(([True] * edges.shape[1], tuple(edges)), (size, size))
            neuron = torch.from_numpy(connected_components(graph, False)[1]).long()
            extra = _owners_together(neuron, self.links.blocks)
            if not extra.shape[1]:
                break
            pairs.append(extra)
        fixed = {int(x) for labels in self.links.fixed for x in neuron[labels].tolist()}
        relations, marks = [], dict[int, dict[int, int]]()
        for number, (owners, owned) in enumerate(self.links.blocks):
            inner = torch.where(owned == FREE, owned, neuron[owned])
            relations.append((neuron[owners], inner))
            for owner, row in zip(neuron[owners].tolist(), inner.tolist(), strict=True):
                for x in row:
                    if marks.setdefault(x, {}).setdefault(number, owner) != owner:
                        fixed |= {x, owner}  # It is in two blocks at once.
        everything = set(range(int(neuron.max()) + 1)) if size else set()
        owned_by = {x: tuple(sorted(m.items())) for x, m in marks.items()}
        return Classes(neuron, everything - fixed - {FREE}, owned_by, relations)


def _owners_together(neuron: Tensor, blocks: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Pairs of owners of the same neurons that are not yet one."""
    first: dict[tuple[int, ...], int] = {}
    pairs = []
    for owners, owned in blocks:
        for owner, row in zip(owners.tolist(), neuron[owned].tolist(), strict=True):
            other = first.setdefault(tuple(sorted(set(row))), owner)
            if neuron[owner] != neuron[other]:
                pairs.append((owner, other))
    return torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T


def _labelled(x: Any) -> bool:
    return isinstance(x, Labels) and bool(x.factors)


def _unlabelled(value: Any) -> Any:
    if isinstance(value, Tensor):
        return Labels(tuple(value.shape))
    if isinstance(value, (tuple, list)):
        return tuple(_unlabelled(x) for x in value)
    return value
