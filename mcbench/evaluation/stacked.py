"""Stacked tensors of several networks, computed in one pass.

For small networks, whose cost is overhead, that is far faster than one after another. Pivots of a
band, points of a plane and vectors of a Lanczos iteration are computed so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcbench.paths.params import Params

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mcbench.problem.problem import Problem

BUDGET = 2**30
"""Bytes that a stack may take on a CPU; on a GPU it may take half of what is free."""


def stack(networks: Sequence[Params]) -> Params:
    """Stack the entries of networks along a new first dimension."""
    import torch

    return {name: torch.stack([n[name] for n in networks]) for name in networks[0]}


def unstack(stacked: Params) -> list[Params]:
    """Split a stack into its networks, which share memory with it."""
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
        problem: Gives the network, in evaluation mode.
        stacked: See `stack`.
        inputs: A batch for all, or (``shared`` false) one for each network along dimension 0.
        module: The network to use instead, as one in training mode.
    """
    from torch.func import functional_call, vmap

    def one(params: Params, x: Tensor) -> Tensor:
        logits: Tensor = functional_call(used, params, (x,))
        return logits

    used = module or problem.module
    return vmap(one, in_dims=(0, None if shared else 0))(stacked, inputs)


def together(problem: Problem, batch: int, gradients: bool = False) -> int:
    """Number of networks to compute in one pass on batches of ``batch`` samples, at least 1.

    As many as fit into memory. On a CPU networks with convolutions go one by one: a convolution
    with kernels of several networks is slower there than one after another.

    Arguments:
        problem: Gives network and device.
        batch: Samples per network.
        gradients: Whether activations are kept for a backward pass.
    """
    import torch

    cpu = problem.device.type != "cuda"
    convolution = torch.nn.modules.conv._ConvNd
    if cpu and any(isinstance(m, convolution) for m in problem.module.modules()):
        return 1
    weights = sum(x.numel() for x in problem.module.state_dict().values())
    # What a module gives is what the next one takes: a sum counts both, forwards and backwards.
    kept = sum(problem.activations) if gradients else 2 * max(problem.activations)
    bytes_each = 4 * ((4 if gradients else 2) * weights + batch * kept)
    budget = BUDGET if cpu else torch.cuda.mem_get_info(problem.device)[0] // 2
    return max(1, int(budget // bytes_each))
