"""Seeded augmentation of whole batches of images as tensors."""

from __future__ import annotations

import torch
from torch import Tensor

PAD = 4


def augment(inputs: Tensor, how: tuple[str, ...], generator: torch.Generator) -> Tensor:
    """Augmented copies of images, shape (batch, channels, height, width).

    ``flip``: mirrored left to right with probability 1/2; ``crop``: padded by 4 zero pixels
    (before normalisation, as torchvision's RandomCrop does) and cropped to the old size.
    """
    for step in how:
        inputs = {"flip": _flip, "crop": _crop}[step](inputs, generator)
    return inputs


def _flip(inputs: Tensor, generator: torch.Generator) -> Tensor:
    flipped = torch.rand(len(inputs), generator=generator) < 0.5
    return torch.where(flipped.to(inputs.device).view(-1, 1, 1, 1), inputs.flip(3), inputs)


def _crop(inputs: Tensor, generator: torch.Generator) -> Tensor:
    count, _, height, width = inputs.shape
    padded = torch.nn.functional.pad(inputs, (PAD, PAD, PAD, PAD))
    top, left = torch.randint(2 * PAD + 1, (2, count), generator=generator).to(inputs.device)
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # One per shift: views, no copies.
    return windows[torch.arange(count, device=inputs.device), :, top, left]
