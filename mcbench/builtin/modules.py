"""Modules of residual and densely connected networks, imported when one is built."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import torch
from torch import Tensor, nn

Block = Callable[[int, int, int], nn.Module]
"""A function from channels before, channels after and stride to a block."""


class Sum(nn.Module):
    """The sum of a branch and a shortcut."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch, self.shortcut = branch, shortcut

    def forward(self, x: Tensor) -> Tensor:
        """branch(x) + shortcut(x)."""
        total: Tensor = self.branch(x) + self.shortcut(x)
        return total


class Concatenation(nn.Module):
    """The input with the channels that a branch computes from it appended."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        """x and branch(x), concatenated along the channels."""
        return torch.cat([x, self.branch(x)], dim=1)


class Padding(nn.Module):
    """A shortcut without parameters: every stride-th pixel, and channels of zeros.

    He et al. (CVPR 2016), option A.
    """

    def __init__(self, more: int, stride: int) -> None:
        super().__init__()
        self.more, self.stride = more, stride

    def forward(self, x: Tensor) -> Tensor:
        """Shape (batch, channels + more, height / stride, width / stride), rounded up."""
        thinned = x[:, :, :: self.stride, :: self.stride]
        return nn.functional.pad(thinned, (0, 0, 0, 0, 0, self.more))


def basic(shortcut: str) -> Block:
    """Blocks of two 3x3 convolutions, each normalised, with ReLU after the first and the sum.

    Arguments:
        shortcut: Where the shape changes: ``projection``, a normalised 1x1 convolution; or
            ``padding``. Elsewhere it is the identity.
    """

    def block(before: int, after: int, stride: int) -> nn.Module:
        branch = nn.Sequential(
            conv(before, after, 3, stride),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            conv(after, after, 3),
            nn.BatchNorm2d(after),
        )
        if before == after and stride == 1:
            around: nn.Module = nn.Identity()
        elif shortcut == "padding":
            around = Padding(after - before, stride)
        else:
            around = nn.Sequential(conv(before, after, 1, stride), nn.BatchNorm2d(after))
        return nn.Sequential(Sum(branch, around), nn.ReLU())

    return block


def bottleneck(before: int, after: int, stride: int) -> nn.Module:
    """A block of 1x1, 3x3 and 1x1 convolutions, each after a normalisation and ReLU.

    The inner channels are a quarter of those after the block. Where the shape changes, the
    shortcut is a 1x1 convolution of the block's input.
    """
    inner = after // 4
    branch = nn.Sequential(
        *activated(he(conv(before, inner, 1))),
        *activated(he(conv(inner, inner, 3, stride))),
        *activated(he(conv(inner, after, 1))),
    )
    same = before == after and stride == 1
    return Sum(branch, nn.Identity() if same else he(conv(before, after, 1, stride)))


def wide(before: int, after: int, stride: int) -> nn.Module:
    """A block of two 3x3 convolutions with biases, each after a normalisation and ReLU.

    The second one has the stride. Where the shape changes, the shortcut is a 1x1 convolution of
    the block's input.
    """
    branch = nn.Sequential(
        *activated(conv(before, after, 3, bias=True)),
        *activated(conv(after, after, 3, stride, bias=True)),
    )
    same = before == after and stride == 1
    return Sum(branch, nn.Identity() if same else conv(before, after, 1, stride, bias=True))


def stages(block: Block, before: int, first: int, blocks: int) -> list[nn.Module]:
    """Blocks in three stages of ``first``, 2 and 4 times as many channels.

    The second and the third stage begin with stride 2.
    """
    built = []
    for i, after in enumerate((first, 2 * first, 4 * first)):
        for j in range(blocks):
            built.append(block(before, after, 2 if i and not j else 1))
            before = after
    return built


def dense_layer(before: int, growth: int, bottleneck: bool) -> nn.Module:
    """A 3x3 convolution after a normalisation and ReLU, which adds ``growth`` channels.

    With a bottleneck, a 1x1 convolution to 4 times ``growth`` channels, with its own normalisation
    and ReLU, comes before it.
    """
    inner = 4 * growth if bottleneck else before
    narrow = activated(conv(before, inner, 1)) if bottleneck else []
    return Concatenation(nn.Sequential(*narrow, *activated(conv(inner, growth, 3))))


def activated(layer: nn.Conv2d) -> list[nn.Module]:
    """Normalisation and ReLU of a convolution's inputs, and the convolution."""
    return [nn.BatchNorm2d(layer.in_channels), nn.ReLU(), layer]


def conv(before: int, after: int, size: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    """A convolution that keeps height and width, or divides them by the stride."""
    return nn.Conv2d(before, after, size, stride, padding=size // 2, bias=bias)


def he(layer: nn.Conv2d) -> nn.Conv2d:
    """Draw kernels from N(0, 2 / (kernel entries x output channels)), and set biases to 0."""
    entries = layer.kernel_size[0] * layer.kernel_size[1] * layer.out_channels
    nn.init.normal_(layer.weight, 0.0, sqrt(2 / entries))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def head(channels: int, classes: int, normalised: bool = False) -> list[nn.Module]:
    """Normalisation and ReLU, unless they are done; the mean over all pixels; a linear layer."""
    before = [] if normalised else [nn.BatchNorm2d(channels), nn.ReLU()]
    return [*before, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]
