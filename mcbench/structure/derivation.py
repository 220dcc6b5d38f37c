"""`derive_chain`, the chain of a network from its ``torch.export`` graph.

Architectures declare nothing. A chain counts only if permutations of its hidden neurons leave the
network's outputs unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from mcbench.errors import StructureError
from mcbench.structure.affine import Affine, Function, Geometry, Norm
from mcbench.structure.chain import Chain
from mcbench.structure.permutations import check_permutations

NEURONWISE = frozenset(
    {
        "relu", "relu_", "leaky_relu", "leaky_relu_", "elu", "elu_", "gelu", "silu", "silu_",
        "hardtanh", "hardtanh_", "tanh", "sigmoid", "softplus",
        "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d",
        "dropout", "dropout_", "feature_dropout", "contiguous", "flatten", "view", "reshape",
    }
)  # fmt: skip
"""Operations allowed between affine layers: they treat every neuron alike and by itself."""

_IDLE = frozenset({"clone", "dropout", "dropout_", "feature_dropout", "contiguous"})
_FLATTENING = frozenset({"flatten", "view", "reshape"})


def derive_chain(module: nn.Module, example: Tensor) -> Chain:
    """The chain of a network.

    Arguments:
        module: The network; it is not changed.
        example: At least two inputs (a batch of one would be exported as a special case).

    Raises:
        StructureError: If it is no chain, or permuting neurons changes its outputs; the message
            names the operation or the layer in the way.
    """
    training = module.training
    try:
        chain = _chain_of(_exported(module.eval(), example))
        check_permutations(chain, module, example)
        return chain
    finally:
        module.train(training)


def _exported(module: nn.Module, example: Tensor) -> torch.export.ExportedProgram:
    try:
        return torch.export.export(module, (example,))
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise StructureError(f"the network's graph cannot be exported: {reason}") from error


def _chain_of(program: torch.export.ExportedProgram) -> Chain:
    """The chain that a graph is read as."""
    signature = program.graph_signature
    stored = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    layers: list[Affine] = []
    between: list[list[Function]] = [[]]
    current: str | None = None
    outer = 1  # Positions before the neuron in the columns of the next layer.
    bare = False  # Whether the last layer may still get a normalisation: it has none, unflattened.
    for node in program.graph.nodes:
        if node.op == "placeholder":
            if node.name not in stored:
                current = node.name
        elif node.op == "call_function":
            if [n.name for n in node.all_input_nodes if n.name not in stored] != [current]:
                raise StructureError(f"{_place(node)} breaks the chain: it joins or branches off")
            current = node.name
            operation = _operation(node)
            if operation in ("linear", "conv2d"):
                layers.append(replace(_affine(node, stored), outer=outer))
                outer = 1
                between.append([])
                bare = True
            elif operation == "batch_norm" and bare:
                norm = _norm(node, stored)
                layers[-1] = replace(layers[-1], norm=norm, before_norm=tuple(between[-1]))
                between[-1], bare = [], False
            elif operation not in _IDLE:
                between[-1].append(_function(node, operation))
                bare = bare and operation not in _FLATTENING
                if operation in _FLATTENING and layers and layers[-1].geometry is None:
                    outer *= prod(node.args[0].meta["val"].shape[1:-1])
        elif node.op == "output" and node.args[0][0].name != current:
            raise StructureError("the network's output is not the end of a chain of layers")
    weights = [layer.weight for layer in layers]
    if len(set(weights)) < len(weights):
        raise StructureError("the network uses one weight in two layers: it is no chain")
    return Chain(tuple(layers), tuple(map(tuple, between)))


# Nodes of the graph are `Any`: the arguments of an `fx.Node` have a type for each operation.


def _operation(node: Any) -> str:
    """The name of a node's operation: ``conv2d`` of ``aten.conv2d.padding``."""
    return str(node.target).split(".")[1]


def _place(node: Any) -> str:
    where = next(reversed(node.meta.get("nn_module_stack", {"": ("", "")}).values()))[0]
    return f"{_operation(node)} in module '{where}'" if where else _operation(node)


def _named(node: Any, stored: dict[str, str]) -> str | None:
    return None if node is None else stored[node.name]


def _affine(node: Any, stored: dict[str, str]) -> Affine:
    """The layer of linear(x, w, b) or conv2d(x, w, b, stride, padding, dilation, groups)."""
    args = [*node.args, *[None] * (7 - len(node.args))]
    try:
        weight, bias = stored[args[1].name], _named(args[2], stored)
    except (KeyError, AttributeError):
        raise StructureError(f"{_place(node)} has a weight that is no parameter") from None
    if _operation(node) == "linear":
        return Affine(weight, bias)
    if args[6] not in (None, 1):
        raise StructureError(f"{_place(node)} is a grouped convolution, which is no affine layer "
                             "of all its neurons")  # fmt: skip
    kernel = tuple(args[1].meta["val"].shape[2:])
    dilation = _two(args[5], 1)
    padding = args[4]
    if padding == "same":
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        if any(n % 2 for n in total):
            raise StructureError(f"{_place(node)} pads its two sides unequally")
        padding = [n // 2 for n in total]
    elif padding == "valid":
        padding = None
    return Affine(weight, bias, Geometry(kernel, _two(args[3], 1), _two(padding, 0), dilation))


def _two(value: Sequence[int] | None, default: int) -> tuple[int, int]:
    return (default, default) if value is None else (value[0], value[-1])


def _norm(node: Any, stored: dict[str, str]) -> Norm:
    """The norm of batch_norm(x, weight, bias, mean, var, training, momentum, eps, cudnn)."""
    _, weight, bias, mean, var, training, _, eps, *_ = node.args
    if training or mean is None or var is None:
        raise StructureError(f"{_place(node)} has no stored statistics: it depends on the batch")
    return Norm(
        _named(weight, stored), _named(bias, stored), stored[mean.name], stored[var.name], eps
    )


def _function(node: Any, operation: str) -> Function:
    rest, options = node.args[1:], node.kwargs
    if operation not in NEURONWISE or any(isinstance(a, torch.fx.Node) for a in rest):
        raise StructureError(
            f"{_place(node)} is no part of a chain of affine layers; "
            f"known are linear, conv2d, batch_norm, {', '.join(sorted(NEURONWISE))}"
        )
    if operation in _FLATTENING:
        before: Sequence[int] = node.args[0].meta["val"].shape
        after: Sequence[int] = node.meta["val"].shape
        if not (len(after) == 2 and before[0] == after[0]):
            raise StructureError(f"{_place(node)} is no flattening of each sample")
        return lambda x: x.flatten(1)
    target = node.target
    if operation.endswith("_"):  # Activations of a path's points must not be overwritten.
        target = getattr(torch.ops.aten, operation[:-1]).default
    return lambda x: target(x, *rest, **options)
