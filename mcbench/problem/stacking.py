"""Whether networks can be computed at once, with their tensors stacked."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import vmap

from mcbench.paths.call import call

CLOSE = 1e-3
"""The largest difference of outputs and gradients from those alone, as a share of the largest."""


def stack_alike(networks: Sequence[nn.Module], inputs: Tensor, gradients: bool = False) -> bool:
    """Whether networks at once give what each gives alone, tried on a few samples.

    They do not if they draw at random, change a buffer, branch on their data, or have an operation
    that cannot be batched, such as an LSTM.

    Arguments:
        networks: Two networks of one architecture, in training or evaluation mode.
        inputs: Samples for each, shape (networks, batch, ...).
        gradients: Whether gradients are compared too.
    """
    states = [dict(m.named_parameters()) | dict(m.named_buffers()) for m in networks]
    template, weights = networks[0], [list(m.parameters()) for m in networks]

    def derivatives(outputs: Tensor) -> list[Tensor]:
        if not gradients:
            return [outputs]
        every = [w for each in weights for w in each if w.requires_grad]
        found = torch.autograd.grad(outputs.square().sum(), every, materialize_grads=True)
        return [outputs, *found]

    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad():
        try:
            stacked = {n: torch.stack([s[n] for s in states]) for n in states[0]}
            copies = inputs.clone()
            together = vmap(lambda p, x: call(template, p, x))(stacked, copies)
            alone = [call(template, s, x) for s, x in zip(states, inputs.clone(), strict=True)]
            pairs = zip(derivatives(together), derivatives(torch.stack(alone)), strict=True)
            return all(_close(x, y) for x, y in pairs)
        except torch.OutOfMemoryError:
            raise
        except Exception:
            return False


def _close(one: Tensor, other: Tensor) -> bool:
    scale = float(other.detach().abs().max())
    return float((one - other).detach().abs().max()) <= CLOSE * scale or scale == 0
