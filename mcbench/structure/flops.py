"""Floating-point operations of a forward pass, and how much of it two networks share."""

from __future__ import annotations

import operator

import torch
from torch import Tensor, nn

from mcbench.paths.params import Params
from mcbench.structure.chain import Chain


def operations(module: nn.Module, example: Tensor, chain: Chain | None = None) -> list[int]:
    """Floating-point operations for one input, by layer of the chain; the total if there is none.

    A multiplication and the addition that follows it are two; only products of matrices and
    convolutions count, as in ``torch.utils.flop_counter``.

    Arguments:
        module: The network.
        example: A batch of inputs.
        chain: The network's chain, if it has one.
    """
    if chain is None:
        return [_counted(lambda: module(example)) // len(example)]
    params, counts = module.state_dict(), []
    x = chain.through(0, example)
    for k in range(len(chain.layers)):
        counts.append(_counted(lambda x=x, k=k: chain.run(params, x, k, k + 1)) // len(example))
        x = chain.run(params, x, k, k + 1)
    return counts


def _counted(compute: object) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        compute()  # type: ignore[operator]
    return int(counter.get_total_flops())


def shared_layers(a: Params, b: Params, chain: Chain) -> int:
    """How many layers at the bottom of two networks are the same tensors."""
    return chain.common([a, b], operator.is_)
