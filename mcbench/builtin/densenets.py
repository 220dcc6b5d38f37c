"""Densely connected networks for small images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mcbench.builtin.convnets import image_shape
from mcbench.plugins.hookspecs import hookimpl
from mcbench.plugins.parameters import parameter

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class DenseNet:
    """The densely connected network for CIFAR: three blocks in which channels only grow.

    Every layer adds k channels to those that it takes: a 3x3 convolution behind a batch
    normalisation and ReLU. Between blocks a 1x1 convolution keeps the channels, and pixels are
    averaged in squares of 2x2. In the variant BC a 1x1 convolution to 4k channels stands in each
    layer (a bottleneck), and half of the channels are kept between blocks (compression). The
    first convolution has 2k channels in both, as in the published code of Draxler et al. (Huang et
    al. give it 16 without BC). Weights are drawn as PyTorch does by default. DenseNet-40-12 has
    1.06 million parameters on CIFAR-10, DenseNet-100-12-BC 0.77 million.
    """

    name: str
    summary: str
    depth: int
    bc: bool
    reference: ClassVar[str] = (
        "Huang et al., CVPR 2017; Draxler et al., ICML 2018, published code (densenet.py)"
    )
    trial: ClassVar[dict[str, object]] = {"growth": 2}
    growth: int = parameter(12, "k, channels that a layer adds", gt=0)

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network; images need at least 4 x 4 pixels."""
        from torch import nn

        from mcbench.builtin.modules import activated, conv, dense_layer, head

        before, *_ = image_shape(self.name, input_shape, least=4)
        channels = 2 * self.growth
        parts: list[nn.Module] = [conv(before, channels, 3)]
        for block in range(3):
            if block:
                kept = channels // 2 if self.bc else channels
                parts += [*activated(conv(channels, kept, 1)), nn.AvgPool2d(2)]
                channels = kept
            for _ in range((self.depth - 4) // (6 if self.bc else 3)):
                parts.append(dense_layer(channels, self.growth, self.bc))
                channels += self.growth
        return nn.Sequential(*parts, *head(channels, classes))


@hookimpl
def mcbench_architectures() -> Iterator[object]:
    """Densely connected networks."""
    yield DenseNet("densenet40-12", "densely connected network of 40 layers", 40, False)
    summary = "densely connected network of 100 layers, with bottlenecks and compression"
    yield DenseNet("densenet100-12-bc", summary, 100, True)
