"""Floating-point operations of a forward pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

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
    layers: list[Callable[[Tensor], Tensor]] = [module]
    x, counts = example, []
    if chain is not None:
        x, params = chain.through(0, example), module.state_dict()
        layers = [
            partial(chain.run, params, start=k, stop=k + 1) for k in range(len(chain.layers))
        ]
    for layer in layers:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            x = layer(x)
        counts.append(int(counter.get_total_flops()) // len(example))
    return counts
