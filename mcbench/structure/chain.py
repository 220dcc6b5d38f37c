"""`Chain`, a network as affine layers one after another, with functions between them.

It is derived from the network's ``torch.export`` graph: architectures declare nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from mcbench.errors import StructureError
from mcbench.paths.params import Params
from mcbench.structure.affine import Affine, Function, Geometry, Norm
from mcbench.structure.span import Span

NEURONWISE = frozenset(
    {
        "relu", "relu_", "leaky_relu", "leaky_relu_", "elu", "elu_", "gelu", "silu", "silu_",
        "hardtanh", "hardtanh_", "tanh", "sigmoid", "softplus",
        "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d",
        "dropout", "dropout_", "feature_dropout", "contiguous", "flatten", "view", "reshape",
    }
)  # fmt: skip
"""Operations allowed between affine layers: they treat every neuron alike and by itself."""

_IDLE = frozenset({"dropout", "dropout_", "feature_dropout", "contiguous"})
_FLATTENING = frozenset({"flatten", "view", "reshape"})


@dataclass(frozen=True)
class Chain:
    """A network as affine layers with functions of the activations between them.

    Arguments:
        layers: n of them, in order.
        between: n + 1 groups of functions; group k stands before layer k, the last one at the end.
    """

    layers: tuple[Affine, ...]
    between: tuple[tuple[Function, ...], ...]

    def through(self, group: int, x: Tensor) -> Tensor:
        """The output of the functions of a group: ``through(0, inputs)`` enters layer 0."""
        for function in self.between[group]:
            x = function(x)
        return x

    def run(self, params: Params, x: Tensor, start: int, stop: int) -> Tensor:
        """The input of layer ``stop`` from that of layer ``start``; n is the network's output."""
        for k in range(start, stop):
            x = self.through(k + 1, self.layers[k].apply(params, x))
        return x

    def common(
        self,
        points: Sequence[Params],
        alike: Callable[[Tensor, Tensor], bool] = lambda x, y: x is y or x.equal(y),
    ) -> int:
        """The number of layers, from the bottom, that are the same at all points.

        Arguments:
            points: At least one.
            alike: Whether two entries are the same; by default, if their values are.
        """
        first, *others = points
        for k, layer in enumerate(self.layers):
            if not all(alike(p[name], first[name]) for name in layer.entries for p in others):
                return k
        return len(self.layers)

    def across(
        self, points: Sequence[Params], layer: int, anchors: Sequence[Params] = ()
    ) -> Callable[[Tensor], Iterator[Tensor]]:
        """A function from the input of a layer to that of the next one, at point after point.

        Products that points share are computed once (`Span`).

        Arguments:
            points: The points.
            layer: The layer's index.
            anchors: The basis of the shared products, so that the output at a point does not
                depend on the others. Without anchors it is some of the points, if that is less
                work.
        """
        affine = self.layers[layer]
        span = Span.of(affine, anchors or points)
        few = bool(anchors) or 3 * len(span.basis) <= 2 * len(points)
        weights = [span.coefficients(p) if few else None for p in points]

        def run(x: Tensor) -> Iterator[Tensor]:
            products = span.products(x, points, weights)
            for point, y in zip(points, products, strict=True):
                yield self.through(layer + 1, affine.normed(point, y))

        return run

    def features(self, params: Params, inputs: Tensor, layer: int) -> Tensor:
        """The input of a layer, shape (batch, in), or (batch, c, h, w) for a convolution."""
        return self.run(params, self.through(0, inputs), 0, layer)


def derive_chain(module: nn.Module, example: Tensor) -> Chain:
    """The chain of a network.

    Arguments:
        module: The network; it is not changed.
        example: At least two inputs (a batch of one would be exported as a special case).

    Raises:
        StructureError: If it is no chain; the message names the operation in the way.
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
    layers: list[Affine] = []
    between: list[list[Function]] = [[]]
    current: str | None = None
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
                layers.append(_affine(node, stored))
                between.append([])
                bare = True
            elif operation == "batch_norm" and bare:
                norm = _norm(node, stored)
                layers[-1] = replace(layers[-1], norm=norm, before_norm=tuple(between[-1]))
                between[-1], bare = [], False
            elif operation not in _IDLE:
                between[-1].append(_function(node, operation))
                bare = bare and operation not in _FLATTENING
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
