"""An optimiser's state as tensors by the names of the weights, as trainings store it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mcbench.paths.params import Params

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def optimizer_state(optimizer: torch.optim.Optimizer, weights: Mapping[str, Tensor]) -> Params:
    """The optimiser's tensors of each weight, as ``optimizer.WEIGHT.KEY``."""
    return {
        f"optimizer.{name}.{key}": value
        for name, weight in weights.items()
        for key, value in optimizer.state[weight].items()
    }


def restore_optimizer(
    optimizer: torch.optim.Optimizer, weights: Mapping[str, Tensor], state: Params
) -> None:
    """Set the optimiser's tensors from a state, which may have other entries too."""
    for name, weight in weights.items():
        prefix = f"optimizer.{name}."
        optimizer.state[weight] = {
            full.removeprefix(prefix): value.to(weight.device, copy=True)
            for full, value in state.items()
            if full.startswith(prefix)
        }
