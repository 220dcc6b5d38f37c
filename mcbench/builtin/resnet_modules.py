"""Modules of residual networks: sums of branches and shortcuts; imported when one is built."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from mcbench.builtin.images import he

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
        *(nn.BatchNorm2d(before), nn.ReLU(), he(conv(before, inner, 1))),
        *(nn.BatchNorm2d(inner), nn.ReLU(), he(conv(inner, inner, 3, stride))),
        *(nn.BatchNorm2d(inner), nn.ReLU(), he(conv(inner, after, 1))),
    )
    same = before == after and stride == 1
    return Sum(branch, nn.Identity() if same else he(conv(before, after, 1, stride)))


def wide(before: int, after: int, stride: int) -> nn.Module:
    """A block of two 3x3 convolutions with biases, each after a normalisation and ReLU.

    The second one has the stride. Where the shape changes, the shortcut is a 1x1 convolution of
    the block's input.
    """
    branch = nn.Sequential(
        *(nn.BatchNorm2d(before), nn.ReLU(), conv(before, after, 3, bias=True)),
        *(nn.BatchNorm2d(after), nn.ReLU(), conv(after, after, 3, stride, bias=True)),
    )
    same = before == after and stride == 1
    return Sum(branch, nn.Identity() if same else conv(before, after, 1, stride, bias=True))


def stages(block: Block, before: int, channels: tuple[int, ...], blocks: int) -> list[nn.Module]:
    """Blocks in stages, one for each entry of ``channels``; later stages begin with stride 2."""
    built = []
    for i, after in enumerate(channels):
        for j in range(blocks):
            built.append(block(before, after, 2 if i and not j else 1))
            before = after
    return built


def conv(before: int, after: int, size: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    """A convolution that keeps height and width, or divides them by the stride."""
    return nn.Conv2d(before, after, size, stride, padding=size // 2, bias=bias)


def head(channels: int, classes: int) -> list[nn.Module]:
    """The mean over all pixels, then a linear layer."""
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]
