"""Convolutional networks of the mode-connectivity papers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, ClassVar

from mcbench.errors import UsageError
from mcbench.plugins.hookspecs import hookimpl
from mcbench.plugins.parameters import parameter

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

        layers, outputs = _features(self.name, self.channels, input_shape, least=7)
        return nn.Sequential(*layers, nn.Linear(outputs, classes))


def image_shape(
    architecture: str, input_shape: tuple[int, ...], least: int = 1
) -> tuple[int, int, int]:
    """Channels, height and width of the images that a network takes.

    Raises:
        UsageError: If the inputs are no images, or images of fewer than ``least`` pixels in
            height or width.
    """
    if len(input_shape) != 3:
        raise UsageError(
            f"architecture '{architecture}' takes images (channels, height, width), "
            f"not inputs of shape {tuple(input_shape)}"
        )
    channels, height, width = input_shape
    if min(height, width) < least:
        raise UsageError(
            f"architecture '{architecture}' needs images of at least {least} x {least} pixels, "
            f"not {height} x {width}"
        )
    return channels, height, width


def _features(
    name: str, channels: tuple[int, ...], input_shape: tuple[int, ...], least: int = 1
) -> tuple[list[nn.Module], int]:
    """5x5 convolutions with ReLU, each pooled over 3x3 pixels with stride 2; number of outputs.

    Maps smaller than 3 pixels are not pooled.

    Raises:
        UsageError: If the network cannot be built so.
    """
    from torch import nn

    from mcbench.builtin.modules import he

    if min(channels) < 1:
        raise UsageError(f"architecture '{name}': channels must be positive, not {channels}")
    before, *size = image_shape(name, input_shape, least)
    layers: list[nn.Module] = []
    for after in channels:
        layers += [he(nn.Conv2d(before, after, 5, padding=2)), nn.ReLU()]
        before = after
        if min(size) >= 3:
            layers.append(nn.MaxPool2d(3, 2))
            size = [(n - 3) // 2 + 1 for n in size]
    return [*layers, nn.Flatten()], before * prod(size)


@dataclass(frozen=True)
class VGG:
    """VGG: blocks of 3x3 convolutions with pooling between them, and a head of linear layers.

    After Simonyan & Zisserman (ICLR 2015), with the head 512-512-classes with dropout of Garipov
    et al. (NeurIPS 2018). Kernels are drawn from N(0, 2 / (9 x channels)). Maps of one pixel are
    not pooled, so that the network takes small images too.
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

        from mcbench.builtin.modules import he

        layers: list[nn.Module] = []
        before, height, width = image_shape(self.name, input_shape)
        for i, count in enumerate(self.blocks):
            channels = self.channels * min(2**i, 8)
            for _ in range(count):
                layers.append(he(nn.Conv2d(before, channels, 3, padding=1)))
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


@dataclass(frozen=True)
class ThreeConvThreeFC:
    """Three 5x5 convolutions and three linear layers, the hidden ones of 1000 K neurons.

    ReLU follows each layer but the last, pooling over 3x3 pixels with stride 2 each convolution.
    Kernels are drawn from N(0, 2 / (25 x channels)), their biases are 0 at first. Maps smaller
    than 3 pixels are not pooled, so that the network takes small images too.
    """

    name = "3conv3fc"
    summary = "three 5x5 convolutions and three linear layers of 1000 K neurons"
    reference = "Garipov et al., NeurIPS 2018, appendix A.7; published code (convfc.py)"
    trial: ClassVar[dict[str, object]] = {"factor": 0.01, "channels": (2, 3, 4)}
    factor: float = parameter(1.0, "K, the width of the linear layers by 1000", gt=0)
    channels: tuple[int, int, int] = parameter((32, 64, 128), "channels of the three convolutions")

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network."""
        from torch import nn

        layers, before = _features(self.name, self.channels, input_shape)
        neurons = max(1, round(1000 * self.factor))
        for _ in range(2):
            layers += [nn.Linear(before, neurons), nn.ReLU()]
            before = neurons
        return nn.Sequential(*layers, nn.Linear(before, classes))


@dataclass(frozen=True)
class CNN:
    """CNN-W x D: D convolutions with W channels each, and a hidden layer of 256 neurons.

    5x5 convolution, pooling over 2x2 pixels, batch normalisation, ReLU, D times; a linear layer
    with batch normalisation and ReLU; a linear layer. All have biases, and weights are drawn as
    PyTorch does by default. Draxler et al. write CNN-W for D = 1.
    """

    name = "cnn"
    summary = "convolutions with pooling and batch normalisation, and two linear layers"
    reference = "Draxler et al., ICML 2018, published code (cnn.py and its configurations)"
    trial: ClassVar[dict[str, object]] = {"width": 3, "depth": 2, "hidden": 6}
    width: int = parameter(48, "W, channels of each convolution", gt=0)
    depth: int = parameter(1, "D, the number of convolutions", gt=0)
    hidden: int = parameter(256, "neurons of the hidden linear layer", gt=0)

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network; every convolution halves the images."""
        from torch import nn

        before, *size = image_shape(self.name, input_shape, least=2**self.depth)
        layers: list[nn.Module] = []
        for _ in range(self.depth):
            layers += [nn.Conv2d(before, self.width, 5, padding=2), nn.MaxPool2d(2)]
            layers += [nn.BatchNorm2d(self.width), nn.ReLU()]
            before, size = self.width, [n // 2 for n in size]
        layers += [nn.Flatten(), nn.Linear(before * prod(size), self.hidden)]
        layers += [nn.BatchNorm1d(self.hidden), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(self.hidden, classes))


@hookimpl
def mcbench_architectures() -> Iterator[object]:
    """Convolutional networks."""
    yield Conv2FC1()
    yield ThreeConvThreeFC()
    yield CNN()
    yield VGG("vgg16", "VGG with 13 convolutions and 3 linear layers", (2, 2, 3, 3, 3))
    yield VGG("vgg19", "VGG with 16 convolutions and 3 linear layers", (2, 2, 4, 4, 4))
