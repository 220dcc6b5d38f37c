"""Convolutional networks of the mode-connectivity papers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, ClassVar

from mcbench.errors import UsageError
from mcbench.hookspecs import hookimpl
from mcbench.spec import parameter

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Conv2FC1:
    """Two 5x5 convolutions with ReLU and overlapping pooling, and one linear layer.

    Kernels are drawn from N(0, 2 / (25 x channels)), their biases are 0 at first.
    """

    name = "conv2fc1"
    summary = "two 5x5 convolutions and a linear layer"
    reference = "Anokhin & Yarotsky, ICML 2020 (published code)"
    channels: tuple[int, int] = parameter((32, 64), "channels of the two convolutions")

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network; images need at least 7 x 7 pixels."""
        from torch import nn

        if min(self.channels) < 1:
            raise UsageError(f"architecture '{self.name}': channels must be positive")
        size = [_pooled(_pooled(n)) for n in input_shape[1:]]
        if min(size) < 1:
            raise UsageError(f"architecture '{self.name}' needs images of at least 7 x 7 pixels")
        layers: list[nn.Module] = []
        before = input_shape[0]
        for channels in self.channels:
            layers += [_he(nn.Conv2d(before, channels, 5, padding=2)), nn.ReLU()]
            layers.append(nn.MaxPool2d(3, 2))
            before = channels
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * size[0] * size[1], classes))


def _pooled(size: int) -> int:
    return (size - 3) // 2 + 1


def _he(layer: nn.Conv2d) -> nn.Conv2d:
    """Kernels with variance 2 / (kernel entries x output channels), biases 0."""
    from torch import nn

    entries = layer.kernel_size[0] * layer.kernel_size[1] * layer.out_channels
    nn.init.normal_(layer.weight, 0.0, sqrt(2 / entries))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


@dataclass(frozen=True)
class VGG:
    """VGG: blocks of 3x3 convolutions with pooling between them, and a head of linear layers.

    After Simonyan & Zisserman (ICLR 2015), with the head 512-512-classes with dropout of Garipov
    et al. (NeurIPS 2018). Kernels are drawn from N(0, 2 / (9 x channels)). Pooling stops where
    maps are one pixel large, so that small images do too.
    """

    name: str
    summary: str
    blocks: tuple[int, ...]
    reference: ClassVar[str] = "Simonyan & Zisserman, ICLR 2015; Garipov et al., NeurIPS 2018"
    trial: ClassVar[dict[str, object]] = {"channels": 2, "head": 4}
    channels: int = parameter(
        64, "channels of the first block; they double up to eight times", gt=0
    )
    head: int = parameter(512, "neurons of each hidden layer in the head", gt=0)
    norm: bool = parameter(False, "batch normalisation after each convolution")
    dropout: float = parameter(
        0.5, "share of activations that are dropped in the head", ge=0, lt=1
    )

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network."""
        from torch import nn

        layers: list[nn.Module] = []
        before, height, width = input_shape
        for i, count in enumerate(self.blocks):
            channels = self.channels * min(2**i, 8)
            for _ in range(count):
                layers.append(_he(nn.Conv2d(before, channels, 3, padding=1)))
                layers += [nn.BatchNorm2d(channels)] if self.norm else []
                layers.append(nn.ReLU())
                before = channels
            if min(height, width) > 1:
                layers.append(nn.MaxPool2d(2))
                height, width = height // 2, width // 2
        layers.append(nn.Flatten())
        before *= height * width
        for _ in range(2):
            layers += [nn.Dropout(self.dropout), nn.Linear(before, self.head), nn.ReLU()]
            before = self.head
        return nn.Sequential(*layers, nn.Linear(before, classes))


@hookimpl
def mcbench_architectures() -> Iterator[Any]:
    """Convolutional networks."""
    yield Conv2FC1()
    yield VGG("vgg16", "VGG with 13 convolutions and 3 linear layers", (2, 2, 3, 3, 3))
    yield VGG("vgg19", "VGG with 16 convolutions and 3 linear layers", (2, 2, 4, 4, 4))
