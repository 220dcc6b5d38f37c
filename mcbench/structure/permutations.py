"""Test of a derived chain: permutations of its hidden neurons leave the network's outputs."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from mcbench.errors import StructureError
from mcbench.paths.call import call
from mcbench.paths.params import Params
from mcbench.structure.chain import Chain
from mcbench.structure.neurons import Hidden

CLOSE = {torch.float64: 1e-8, torch.float32: 1e-3}
"""The largest difference of outputs, as a share of the largest output, by their precision."""

OTHER_OUTPUTS = "the chain of the network's layers does not give its outputs"
"""The reason where a network's graph is not what it computes."""


def check_permutations(chain: Chain, module: nn.Module, example: Tensor) -> None:
    """Test a chain on random weights and statistics, in float64 if the network computes in it.

    Arguments:
        chain: The chain.
        module: The network it was derived from, in evaluation mode.
        example: A batch of inputs, of which the shape is taken.

    Raises:
        StructureError: If the chain's outputs are not the network's, or a random permutation of
            the neurons of a hidden layer changes the outputs; the message names the layer.
    """
    draws = torch.Generator().manual_seed(0)
    inputs = torch.randn(example.shape, generator=draws, dtype=torch.float64).to(example.device)
    state = _random_state(chain, module, draws)
    hidden = range(len(chain.layers) - 1)
    with torch.inference_mode(False), torch.no_grad():
        try:
            expected = call(module, state, inputs)
        except (RuntimeError, TypeError):  # It computes in another precision, or the device does.
            state = {n: x.float() if x.dtype == torch.float64 else x for n, x in state.items()}
            inputs = inputs.float()
            expected = call(module, state, inputs)
        if not _close(chain.features(state, inputs, len(chain.layers)), expected):
            raise StructureError(OTHER_OUTPUTS)
        for layers in (hidden, *([k] for k in hidden)):
            permuted = _permuted(chain, state, layers)
            if permuted is not None and _close(call(module, permuted, inputs), expected):
                if layers is hidden:
                    return
            elif layers is not hidden:
                raise StructureError(
                    f"the neurons of '{chain.layers[layers[0]].weight}' cannot be permuted: what "
                    "follows does not treat all of them alike, or mixes them with another axis"
                )
    raise StructureError("the neurons of the hidden layers cannot be permuted together")


def _random_state(chain: Chain, module: nn.Module, draws: torch.Generator) -> Params:
    """All tensors of the network in float64, those of the chain drawn at random."""
    state = {
        name: x.detach().double() if x.is_floating_point() else x.detach()
        for name, x in (*module.named_parameters(), *module.named_buffers())
    }
    for layer in chain.layers:
        for name in layer.entries:
            x = torch.randn(state[name].shape, generator=draws, dtype=torch.float64)
            if layer.norm is not None and name == layer.norm.var:
                x = x.square() + 0.5
            elif x.dim() > 1:  # As large as keeps activations from dying or exploding.
                x *= (2 / x[0].numel()) ** 0.5
            state[name] = x.to(state[name].device)
    return state


def _permuted(chain: Chain, state: Params, layers: Iterable[int]) -> Params | None:
    """The state with the neurons of some hidden layers permuted; ``None`` if it has no such."""
    draws = torch.Generator().manual_seed(1)
    try:
        for k in layers:
            hidden = Hidden.of(chain, state, k)
            order = torch.randperm(hidden.count, generator=draws)
            state = hidden.permute(state, order.to(state[hidden.below.weight].device))
    except (RuntimeError, IndexError):  # Shapes that do not divide into neurons.
        return None
    return state


def _close(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    return float((one - other).abs().max()) <= CLOSE[other.dtype] * float(other.abs().max())
