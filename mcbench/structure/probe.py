"""`Probe`, a network with random weights whose outputs are compared in float64."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._pytree import tree_leaves, tree_map

from mcbench.paths.params import Params

CLOSE = 1e-8
"""The largest relative difference of outputs that counts as rounding."""


class Probe:
    """A network in float64 with random weights and statistics, and its outputs.

    Arguments:
        module: The network; it is not changed.
        inputs: Its inputs; zeros and constants are replaced by random numbers of their type.

    Attributes:
        params: Its weights and buffers.
    """

    def __init__(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        draws = torch.Generator().manual_seed(1)

        def drawn(x: Any) -> Any:
            if not isinstance(x, Tensor) or not x.is_floating_point():
                return x
            return torch.randn(x.shape, generator=draws, dtype=torch.float64)

        self.inputs = tree_map(drawn, inputs)
        self.module = copy.deepcopy(module).to("cpu", torch.float64).eval()
        self.params: Params = {}
        for name, x in self.module.state_dict().items():
            if not x.is_floating_point():
                self.params[name] = x
                continue
            noise = torch.randn(x.shape, generator=draws, dtype=torch.float64)
            scale = float(x.std()) if x.numel() > 1 and float(x.std()) > 0 else 0.3
            positive = bool((x >= 0).all()) and name.endswith("var")
            self.params[name] = (1 + noise.abs()) * 0.5 if positive else x + scale * noise
        self.outputs = self._outputs(self.params)

    def _outputs(self, params: Params) -> list[Tensor]:
        with torch.inference_mode():
            outputs = functional_call(self.module, params, self.inputs, tie_weights=False)
        return [x for x in tree_leaves(outputs) if isinstance(x, Tensor)]

    def difference(self, params: Params) -> float:
        """The largest difference of outputs, as a share of the largest output."""
        pairs = zip(self.outputs, self._outputs(params), strict=True)
        return max(
            (float((x - y).abs().max() / x.abs().max().clamp_min(1e-300)) for x, y in pairs),
            default=0.0,
        )

    def unchanged(self, params: Params) -> bool:
        """Whether the outputs are the same up to rounding."""
        return self.difference(params) < CLOSE
