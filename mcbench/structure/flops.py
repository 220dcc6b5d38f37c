"""Floating-point operations of a forward pass, and layers that two networks share."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from mcbench.paths.params import Params
from mcbench.structure.chain import Chain


def operations(module: nn.Module, example: Tensor, chain: Chain | None = None) -> list[int]:
    """Floating-point operations for one input, by layer of the chain; their sum without a chain.

    A multiplication and the addition that follows it are two; only products of matrices and
    convolutions count, as in ``torch.utils.flop_counter``.

    Arguments:
        module: The network.
        example: A batch of inputs.
        chain: The network's chain, if it has one.
    """
    if chain is None:
        return [_counted(partial(module, example))[1] // len(example)]
    params, counts = module.state_dict(), []
    x = chain.through(0, example)
    for k in range(len(chain.layers)):
        x, count = _counted(partial(chain.run, params, x, k, k + 1))
        counts.append(count // len(example))
    return counts


def _counted(compute: Callable[[], Tensor]) -> tuple[Tensor, int]:
    """The output of a computation, and its operations."""
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        output = compute()
    return output, int(counter.get_total_flops())


def shared_layers(a: Params, b: Params, chain: Chain) -> int:
    """The number of layers, from the bottom, whose tensors two networks share."""
    return chain.common([a, b], operator.is_)
