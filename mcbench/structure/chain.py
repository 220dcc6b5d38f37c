"""`Chain`, the affine layers of a network and what stands between them.

Derived from the network's ``torch.export`` graph, so that architectures declare nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mcbench.errors import StructureError
from mcbench.params import Params


@dataclass(frozen=True)
class Affine:
    """An affine layer: the names of its weight (out, in) and its bias (out,), if it has one."""

    weight: str
    bias: str | None


Step = Affine | Callable[[Tensor], Tensor]

_BETWEEN: dict[str, Callable[..., Callable[[Tensor], Tensor]]] = {
    "aten.relu.default": lambda: torch.relu,
    "aten.relu_.default": lambda: torch.relu,
    "aten.flatten.using_ints": lambda start=0, end=-1: lambda x: x.flatten(start, end),
    "aten.dropout.default": lambda p, train: lambda x: x,
    "aten.contiguous.default": lambda: lambda x: x,
}
"""What may stand between affine layers: from an operation's further arguments to a function."""


@dataclass(frozen=True)
class Chain:
    """A network as steps, each an `Affine` layer or a function of the activations.

    Arguments:
        steps: In order from the input to the output.
    """

    steps: tuple[Step, ...]

    @property
    def layers(self) -> list[Affine]:
        """The affine layers in order."""
        return [step for step in self.steps if isinstance(step, Affine)]

    def features(self, params: Params, inputs: Tensor, layer: int) -> Tensor:
        """The input of affine layer ``layer`` (from 0), shape (batch, in).

        ``layer = len(layers)`` gives the network's output.
        """
        x = inputs
        for step in self.steps:
            if not isinstance(step, Affine):
                x = step(x)
                continue
            if layer == 0:
                return x
            layer -= 1
            bias = None if step.bias is None else params[step.bias]
            x = nn.functional.linear(x, params[step.weight], bias)
        return x


def derive_chain(module: nn.Module, example: Tensor) -> Chain:
    """The chain of a network.

    Arguments:
        module: The network; it is not changed.
        example: A batch of inputs (at least two, for the batch axis must not look special).

    Raises:
        StructureError: Naming the operation that is no part of a chain of affine layers.
    """
    training = module.training
    try:
        program = torch.export.export(module.eval(), (example,))
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise StructureError(f"the network's graph cannot be exported: {reason}") from error
    finally:
        module.train(training)
    signature = program.graph_signature
    stored = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    steps: list[Step] = []
    current: str | None = None
    for node in program.graph.nodes:
        if node.op == "placeholder":
            if node.name not in stored:
                current = node.name
        elif node.op == "call_function":
            steps.append(_step(node, current, stored))
            current = node.name
        elif node.op == "output" and node.args[0][0].name != current:
            raise StructureError("the network's output is not the end of a chain of layers")
    chain = Chain(tuple(steps))
    weights = [layer.weight for layer in chain.layers]
    if len(set(weights)) < len(weights):
        raise StructureError("the network uses one weight in two layers: it is no chain")
    return chain


def _step(node: Any, current: str | None, stored: dict[str, str]) -> Step:
    operation = str(node.target)
    where = next(reversed(node.meta.get("nn_module_stack", {"": ("", "")}).values()))[0]
    place = f" in module '{where}'" if where else ""
    inputs = [n.name for n in node.all_input_nodes if n.name not in stored]
    if inputs != [current]:
        raise StructureError(f"{operation}{place} breaks the chain: it joins or branches off")
    if operation == "aten.linear.default":
        weight, bias = node.args[1].name, node.args[2].name if len(node.args) > 2 else None
        return Affine(stored[weight], stored[bias] if bias else None)
    rest = node.args[1:]
    if operation in ("aten.view.default", "aten.reshape.default"):
        if not _flattens(node):
            raise StructureError(f"{operation}{place} is no flattening of each sample")
        return lambda x: x.flatten(1)
    if operation not in _BETWEEN or any(isinstance(a, torch.fx.Node) for a in rest):
        raise StructureError(
            f"{operation}{place} is no part of a chain of affine layers; "
            f"known are linear, view, {', '.join(sorted(n.split('.')[1] for n in _BETWEEN))}"
        )
    return _BETWEEN[operation](*rest, **node.kwargs)


def _flattens(node: Any) -> bool:
    before: Sequence[int] = node.args[0].meta["val"].shape
    after: Sequence[int] = node.meta["val"].shape
    return len(after) == 2 and before[0] == after[0]
