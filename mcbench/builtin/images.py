"""Input shapes and initial kernels of convolutional architectures."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from mcbench.errors import UsageError

if TYPE_CHECKING:
    from torch import nn


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


def he(layer: nn.Conv2d) -> nn.Conv2d:
    """Draw kernels from N(0, 2 / (kernel entries x output channels)), and set biases to 0."""
    from torch import nn

    entries = layer.kernel_size[0] * layer.kernel_size[1] * layer.out_channels
    nn.init.normal_(layer.weight, 0.0, sqrt(2 / entries))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
