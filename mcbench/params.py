"""`Params`, the parameters and buffers of a network by their ``state_dict`` names.

The little algebra below is all that paths need. Only floating-point entries are combined;
others (such as a batch norm's counter) are taken from the first argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import torch

Params: TypeAlias = "dict[str, torch.Tensor]"


def combine(a: Params, b: Params, weight_a: float, weight_b: float) -> Params:
    """``weight_a * a + weight_b * b``, entry by entry."""
    return {
        name: weight_a * x + weight_b * b[name] if x.is_floating_point() else x
        for name, x in a.items()
    }


def distance(a: Params, b: Params) -> float:
    """Euclidean distance over all floating-point entries, accumulated in float64."""
    total = 0.0
    for name, x in a.items():
        if x.is_floating_point() and x is not b[name]:
            total += float((x - b[name]).double().square().sum())
    return total**0.5


def equal(a: Params, b: Params) -> bool:
    """Whether both have the same names and the same values, bit for bit."""
    return a.keys() == b.keys() and all(x.equal(b[name]) for name, x in a.items())


def size(a: Params) -> tuple[int, int]:
    """The number of entries and of bytes."""
    return sum(x.numel() for x in a.values()), sum(
        x.numel() * x.element_size() for x in a.values()
    )


def move(a: Params, device: torch.device | str) -> Params:
    """On another device."""
    return {name: x.to(device) for name, x in a.items()}


def finite(a: Params) -> bool:
    """Whether no entry is NaN or infinite."""
    return all(bool(x.isfinite().all()) for x in a.values() if x.is_floating_point())
