"""The state of an optimiser by the names of the weights, as trainings keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mcbench.paths.params import Params

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def optimizer_state(optimizer: torch.optim.Optimizer, weights: Mapping[str, Tensor]) -> Params:
    """What the optimiser keeps of each weight, under ``optimizer.WEIGHT.KEY``."""
    return {
        f"optimizer.{name}.{key}": value
        for name, weight in weights.items()
        for key, value in optimizer.state[weight].items()
    }


def restore_optimizer(
    optimizer: torch.optim.Optimizer, weights: Mapping[str, Tensor], state: Params
) -> None:
    """Give it back, from a state that may hold other entries too."""
    for name, weight in weights.items():
        prefix = f"optimizer.{name}."
        optimizer.state[weight] = {
            full.removeprefix(prefix): value.to(weight.device, copy=True)
            for full, value in state.items()
            if full.startswith(prefix)
        }
