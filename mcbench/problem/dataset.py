"""Data sets as tensors: decoded once, normalised and augmented per batch."""

from __future__ import annotations

import hashlib
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mcbench.errors import UsageError
from mcbench.seeds import generator

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CHANNELS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "garipov": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
}
"""Means and standard deviations of channels in [0, 1], by names that `Recipe.normalize` takes."""

_READY_BYTES = 2**31
"""The largest size of normalised float32 inputs that are kept in memory."""


@dataclass(frozen=True)
class Split:
    """Inputs and targets.

    Arguments:
        inputs: Shape (samples, channels, height, width); uint8 as decoded, or float32. Inputs that
            are no images may have other shapes (samples, ...), without normalisation.
        targets: Class indices, shape (samples,), int64.
        scale: The value that stands for 1 in ``inputs``; ``None``: 255 if they are uint8, 1 if
            they are floats.
        mean, std: Normalisation of the scaled values, per channel; empty for none.
    """

    inputs: Tensor
    targets: Tensor
    scale: float | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def unit(self) -> float:
        """The value that stands for 1 in ``inputs``."""
        if self.scale is None:
            return 1.0 if self.inputs.is_floating_point() else 255.0
        return self.scale

    def normalized(self, inputs: Tensor) -> Tensor:
        """Some of ``inputs``, scaled and normalised, as float32; floats keep their dtype."""
        import torch

        scaled = inputs if inputs.is_floating_point() else inputs.to(torch.float32)
        scaled = scaled if self.unit == 1 else scaled / self.unit
        if not self.mean:
            return scaled
        shape = (1, -1, 1, 1)
        mean = torch.tensor(self.mean, device=inputs.device).view(shape)
        return (scaled - mean) / torch.tensor(self.std, device=inputs.device).view(shape)

    def ready(self) -> Split:
        """The same split with normalised inputs in memory, unless they are too large."""
        if self.inputs.numel() * 4 > _READY_BYTES:
            return self
        return replace(self, inputs=self.normalized(self.inputs), scale=1.0, mean=(), std=())

    def to(self, device: torch.device) -> Split:
        """The same split on another device."""
        return replace(self, inputs=self.inputs.to(device), targets=self.targets.to(device))

    def take(self, rows: Tensor) -> Split:
        """The samples of some indices."""
        return replace(self, inputs=self.inputs[rows], targets=self.targets[rows])

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised inputs and targets, in order, ``size`` at a time."""
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            yield self.normalized(self.inputs[rows]), self.targets[rows]


@dataclass(frozen=True)
class Data:
    """A data set in memory.

    Arguments:
        train, test: The splits, as decoded.
        classes: The classes' names, in the order of their indices; empty if the loss is the
            output, and then there are no accuracies.
        loss: ``cross-entropy``, or ``output``: a network's only output is the loss itself, as in
            landscapes that are formulas of the parameters.
    """

    train: Split
    test: Split
    classes: tuple[str, ...]
    loss: Literal["cross-entropy", "output"] = "cross-entropy"

    def check_loss(self, architecture: Any) -> None:
        """Test that the loss is that of an architecture, a plugin's object.

        Raises:
            UsageError: If one is a landscape's and the other is not.
        """
        if architecture.loss != self.loss:
            kind = "a landscape, for data without classes: use -d landscape"
            if architecture.loss != "output":
                kind = ("for data with classes, and these have none: use one whose output is the "
                        "loss, as ring; see 'mcbench list architectures'")  # fmt: skip
            raise UsageError(f"architecture '{architecture.name}' is {kind}")

    def normalize(self, how: str) -> Data:
        """The same data, with the normalisation that `Recipe.normalize` names."""
        if how == "none":
            return self
        channels = self.train.inputs.shape[1]
        mean, std = _channels(self.train) if how == "dataset" else CHANNELS[how]
        if channels != len(mean):
            raise UsageError(
                f"normalize={how} is for {len(mean)} channels, the data have {channels}: "
                "use none or dataset"
            )
        train, test = (replace(x, mean=mean, std=std) for x in (self.train, self.test))
        return replace(self, train=train, test=test)

    def sample(self, count: int) -> Data:
        """The same data with ``count`` training samples, always the same ones; 0 keeps all.

        Raises:
            UsageError: If there are fewer.
        """
        import torch

        if count == 0:
            return self
        if count > len(self.train):
            raise UsageError(f"samples = {count}: there are {len(self.train)} training samples")
        rows = torch.randperm(len(self.train), generator=generator(0, "samples"))[:count]
        return replace(self, train=self.train.take(rows))

    def fingerprint(self) -> str:
        """A hash of values, shapes, order, classes and loss."""
        scale = self.train.scale
        digest = hashlib.sha256(repr((self.classes, 255.0 if scale is None else scale)).encode())
        if self.train.inputs.is_floating_point() and scale not in (None, 1):
            digest.update(b"scaled")  # A scale of floats was once ignored, with the same hash.
        if self.loss != "cross-entropy":
            digest.update(self.loss.encode())
        for split in (self.train, self.test):
            for tensor in (split.inputs, split.targets):
                digest.update(repr((tuple(tensor.shape), str(tensor.dtype))).encode())
                digest.update(tensor.cpu().contiguous().numpy().data)
        return digest.hexdigest()


def _channels(split: Split) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Means and standard deviations of the channels, summed in float64 by batches."""
    import torch

    total = torch.zeros(2, split.inputs.shape[1], dtype=torch.float64)
    for inputs, _ in split.batches(4096):
        x = inputs.double()
        total += torch.stack([x.sum((0, 2, 3)), x.square().sum((0, 2, 3))])
    mean, square = total / (split.inputs.numel() / split.inputs.shape[1])
    std = (square - mean.square()).clamp_min(1e-12).sqrt()
    return tuple(mean.tolist()), tuple(std.tolist())


class Dataset(Protocol):
    """A data set as plugins provide it.

    Optional: ``recipe``, the name of its default recipe (``quick``); ``layout``, the places of its
    files, for messages; ``download(directory)``, which fetches them.
    """

    name: str
    summary: str

    def find(self, directory: pathlib.Path) -> list[pathlib.Path] | None:
        """Its files below ``directory``, an empty list if it needs none; ``None`` if not there."""

    def read(self, directory: pathlib.Path) -> Data:
        """Decode it; called only after `find` returned a list."""
