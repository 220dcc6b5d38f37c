"""Modules of densely connected networks, imported when one is built."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Concatenation(nn.Module):
    """The input with the channels that a branch computes from it appended."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        """x and branch(x), concatenated along the channels."""
        return torch.cat([x, self.branch(x)], dim=1)


def layer(before: int, growth: int, bottleneck: bool) -> nn.Module:
    """A 3x3 convolution after a normalisation and ReLU, which adds ``growth`` channels.

    With a bottleneck, a 1x1 convolution to 4 times ``growth`` channels, with its own normalisation
    and ReLU, comes before it.
    """
    inner = 4 * growth if bottleneck else before
    narrow = normalised(before, inner, 1) if bottleneck else []
    return Concatenation(nn.Sequential(*narrow, *normalised(inner, growth, 3)))


def transition(before: int, after: int) -> list[nn.Module]:
    """A 1x1 convolution after a normalisation and ReLU, then means of 2x2 pixels."""
    return [*normalised(before, after, 1), nn.AvgPool2d(2)]


def normalised(before: int, after: int, size: int) -> list[nn.Module]:
    """Normalisation, ReLU, and a convolution without bias that keeps height and width."""
    conv = nn.Conv2d(before, after, size, padding=size // 2, bias=False)
    return [nn.BatchNorm2d(before), nn.ReLU(), conv]
