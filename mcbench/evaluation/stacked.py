"""Outputs of several networks in one pass, with their tensors stacked.

For small networks, whose cost is overhead, this is far faster than one after another. Used for
the pivots of a band, the points of a plane and the vectors of a Lanczos iteration.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import vmap

from mcbench.paths.call import call
from mcbench.paths.params import Params
from mcbench.problem.problem import Problem

BUDGET = 2**30
"""Most bytes of a stack on a CPU; on a GPU it may take half of the free memory."""


def stack(networks: Sequence[Params]) -> Params:
    """Networks stacked along a new first dimension of every entry."""
    return {name: torch.stack([n[name] for n in networks]) for name in networks[0]}


def unstack(stacked: Params) -> list[Params]:
    """The networks of a stack, which share its memory."""
    count = len(next(iter(stacked.values())))
    return [{name: x[i] for name, x in stacked.items()} for i in range(count)]


def outputs(
    problem: Problem,
    stacked: Params,
    inputs: Tensor,
    shared: bool = True,
    module: nn.Module | None = None,
) -> Tensor:
    """Outputs of every network, shape (networks, batch, classes); differentiable.

    Arguments:
        problem: The network, in evaluation mode.
        stacked: See `stack`.
        inputs: A batch for all, or (``shared`` false) one for each network along dimension 0.
        module: Another network to use, such as one in training mode.
    """
    used = module or problem.module
    in_dims = (0, None if shared else 0)
    return vmap(lambda params, x: call(used, params, x), in_dims=in_dims)(stacked, inputs)


def together(problem: Problem, batch: int, gradients: bool = False) -> int:
    """Number of networks that fit into memory at once on batches of ``batch`` samples, at least 1.

    It is 1 where networks cannot be stacked, and on a CPU for networks with convolutions: a
    convolution with the kernels of several networks is slower there than one after another.

    Arguments:
        problem: Network and device.
        batch: Samples per network.
        gradients: Whether activations are kept for a backward pass.
    """
    cpu = problem.device.type != "cuda"
    convolution = torch.nn.modules.conv._ConvNd
    if cpu and any(isinstance(m, convolution) for m in problem.module.modules()):
        return 1
    if not problem.builder.stacks_in_evaluation:
        return 1
    weights = sum(x.numel() for x in problem.module.state_dict().values())
    # A module's outputs are the next one's inputs: the sum counts both, forwards and backwards.
    kept = sum(problem.activations) if gradients else 2 * max(problem.activations)
    bytes_each = 4 * ((4 if gradients else 2) * weights + batch * kept)
    budget = BUDGET if cpu else torch.cuda.mem_get_info(problem.device)[0] // 2
    return max(1, int(budget // bytes_each))
