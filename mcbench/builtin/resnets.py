"""Residual networks for small images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from mcbench.builtin.convnets import image_shape
from mcbench.plugins.hookspecs import hookimpl
from mcbench.plugins.parameters import parameter

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ResNet:
    """The residual network for CIFAR of He et al.: 6n + 2 layers in three stages of n blocks.

    A block is two 3x3 convolutions with batch normalisation. Where maps shrink and channels
    double, the shortcut is a 1x1 convolution with batch normalisation (``projection``), as in the
    published code of Draxler et al.; or it takes every other pixel and adds channels of zeros
    (``padding``), as He et al. do for CIFAR (option A). ResNet-20 with projections has 272 474
    parameters on CIFAR-10; with the 1568 running means and variances that makes the 274 042
    dimensions that Draxler et al. count. With padding it has 269 722 parameters, the 0.27 million
    of He et al.

    Weights are drawn as PyTorch does by default.
    """

    name: str
    summary: str
    depth: int
    reference: str = "He et al., CVPR 2016, sec. 4.2; Draxler et al., ICML 2018, published code"
    trial: ClassVar[dict[str, object]] = {"width": 4}
    width: int = parameter(16, "channels of the first stage; the others have 2 and 4 times", gt=0)
    shortcut: Literal["projection", "padding"] = parameter(
        "projection", "where the shape changes: a 1x1 convolution, or zeros"
    )

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network, for images of any size."""
        from torch import nn

        from mcbench.builtin.modules import basic, conv, head, stages

        channels, *_ = image_shape(self.name, input_shape)
        blocks = stages(basic(self.shortcut), self.width, self.width, (self.depth - 2) // 6)
        stem = [conv(channels, self.width, 3), nn.BatchNorm2d(self.width), nn.ReLU()]
        return nn.Sequential(*stem, *blocks, *head(4 * self.width, classes, normalised=True))


@dataclass(frozen=True)
class PreResNet:
    """A residual network with pre-activation and bottlenecks: 9n + 2 layers in three stages.

    A block is three convolutions, 1x1, 3x3 and 1x1, each behind a batch normalisation and ReLU.
    Kernels are drawn from N(0, 2 / (entries x channels)). It has 1.7 million parameters.
    """

    name: str
    summary: str
    depth: int
    reference: ClassVar[str] = (
        "He et al., ECCV 2016; Garipov et al., NeurIPS 2018, published code (PreResNet164)"
    )
    trial: ClassVar[dict[str, object]] = {"width": 2}
    width: int = parameter(
        16, "channels within the first stage's blocks, four times as many between them", gt=0
    )

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network, for images of any size."""
        from torch import nn

        from mcbench.builtin.modules import bottleneck, conv, he, head, stages

        channels, *_ = image_shape(self.name, input_shape)
        blocks = stages(bottleneck, self.width, 4 * self.width, (self.depth - 2) // 9)
        end = head(16 * self.width, classes)
        return nn.Sequential(he(conv(channels, self.width, 3)), *blocks, *end)


@dataclass(frozen=True)
class WideResNet:
    """The wide residual network: 6n + 4 layers, k times as many channels as a ResNet.

    A block is two 3x3 convolutions with biases, each behind a batch normalisation and ReLU; the
    second one has the stride (as published; Zagoruyko & Komodakis have it in the first). There is
    no dropout. The last batch normalisation of the published code keeps 0.1 of its running
    statistics at each step; here it keeps 0.9, as all others do. Weights are drawn as PyTorch
    does by default. WRN-28-10 has 36.5 million parameters.
    """

    name: str
    summary: str
    depth: int
    reference: ClassVar[str] = (
        "Zagoruyko & Komodakis, BMVC 2016; Garipov et al., NeurIPS 2018, published code "
        "(WideResNet28x10)"
    )
    trial: ClassVar[dict[str, object]] = {"factor": 1}
    factor: int = parameter(10, "k: the stages have 16 k, 32 k and 64 k channels", gt=0)

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network, for images of any size."""
        from torch import nn

        from mcbench.builtin.modules import conv, head, stages, wide

        channels, *_ = image_shape(self.name, input_shape)
        blocks = stages(wide, 16, 16 * self.factor, (self.depth - 4) // 6)
        end = head(64 * self.factor, classes)
        return nn.Sequential(conv(channels, 16, 3, bias=True), *blocks, *end)


@hookimpl
def mcbench_architectures() -> Iterator[object]:
    """Residual networks."""
    for depth in (8, 20, 32, 44, 56):
        yield ResNet(f"resnet{depth}", f"residual network of {depth} layers", depth)
    yield ResNet(
        "resnet158",
        "residual network of 158 layers",
        158,
        "Garipov et al., NeurIPS 2018, table 2, has a ResNet-158 and does not describe it: taken "
        "for that of He et al., CVPR 2016, sec. 4.2, with 26 blocks per stage",
        shortcut="padding",
    )
    yield PreResNet(
        "preresnet164", "residual network of 164 layers, pre-activation and bottlenecks", 164
    )
    yield WideResNet("wrn28x10", "wide residual network of 28 layers, 10 times as wide", 28)
