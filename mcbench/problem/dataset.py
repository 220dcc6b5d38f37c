"""Data sets as tensors: decoded once, normalised and augmented per batch."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

STATISTICS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "garipov": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
}
"""Channel means and standard deviations for `Recipe.normalize`, of values in [0, 1]."""

_READY_BYTES = 2**31
"""Normalised inputs are kept as float32 if they take no more than this."""


@dataclass(frozen=True)
class Split:
    """Inputs and targets.

    Arguments:
        inputs: Shape (samples, channels, height, width); uint8 as decoded, or float32.
        targets: Class indices, shape (samples,), int64.
        scale: The value that stands for 1 in ``inputs`` (255 for images).
        mean, std: Subtracted from, and dividing, the scaled values, per channel.
    """

    inputs: Tensor
    targets: Tensor
    scale: float = 255.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.targets)

    def normalized(self, inputs: Tensor) -> Tensor:
        """Some of ``inputs`` as float32, scaled and normalised; floats stay as they are."""
        import torch

        if inputs.is_floating_point():
            return inputs
        scaled = inputs.to(torch.float32) / self.scale
        if not self.mean:
            return scaled
        shape = (1, -1, 1, 1)
        mean = torch.tensor(self.mean, device=inputs.device).view(shape)
        return (scaled - mean) / torch.tensor(self.std, device=inputs.device).view(shape)

    def ready(self) -> Split:
        """The same with normalised inputs in memory, if there is room for them."""
        if self.inputs.numel() * 4 > _READY_BYTES:
            return self
        return replace(self, inputs=self.normalized(self.inputs))

    def to(self, device: torch.device) -> Split:
        """On another device."""
        return replace(self, inputs=self.inputs.to(device), targets=self.targets.to(device))

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised inputs and targets, in order, ``size`` at a time."""
        for start in range(0, len(self), size):
            chosen = slice(start, start + size)
            yield self.normalized(self.inputs[chosen]), self.targets[chosen]


@dataclass(frozen=True)
class Data:
    """A data set in memory.

    Arguments:
        train, test: The splits, as decoded.
        classes: The classes' names, in the order of their indices; none where the loss is the
            output, and then there are no accuracies.
        loss: ``cross-entropy``, or ``output``: a network's only output is the loss itself, as of
            landscapes that are formulas of the parameters.
    """

    train: Split
    test: Split
    classes: tuple[str, ...]
    loss: Literal["cross-entropy", "output"] = "cross-entropy"

    def normalize(self, how: str) -> Data:
        """With the channel statistics that `Recipe.normalize` names."""
        if how == "none":
            return self
        channels = self.train.inputs.shape[1]
        if how == "dataset":
            mean, std = _statistics(self.train)
        else:
            mean, std = STATISTICS[how]
            if channels != len(mean):
                from mcbench.errors import UsageError

                raise UsageError(
                    f"normalize={how} is for {len(mean)} channels, the data have {channels}: "
                    "use none or dataset"
                )
        return replace(
            self,
            train=replace(self.train, mean=mean, std=std),
            test=replace(self.test, mean=mean, std=std),
        )

    def sample(self, count: int) -> Data:
        """With ``count`` training samples, the same choice always; 0 stands for all.

        Raises:
            UsageError: If there are not so many.
        """
        import torch

        from mcbench.errors import UsageError
        from mcbench.seeds import generator

        if count == 0:
            return self
        if count > len(self.train):
            raise UsageError(f"samples = {count}: there are {len(self.train)} training samples")
        order = torch.randperm(len(self.train), generator=generator(0, "samples"))
        rows = order[:count]
        inputs, targets = self.train.inputs[rows], self.train.targets[rows]
        return replace(self, train=replace(self.train, inputs=inputs, targets=targets))

    def fingerprint(self) -> str:
        """A hash of all that the data are: values, shapes, order, classes, loss."""
        import hashlib

        digest = hashlib.sha256(repr((self.classes, self.train.scale)).encode())
        if self.loss != "cross-entropy":
            digest.update(self.loss.encode())
        for split in (self.train, self.test):
            for tensor in (split.inputs, split.targets):
                digest.update(repr((tuple(tensor.shape), str(tensor.dtype))).encode())
                digest.update(tensor.contiguous().numpy().data)
        return digest.hexdigest()


def _statistics(split: Split) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Channel means and standard deviations, summed in float64 a part at a time."""
    import torch

    total = torch.zeros(2, split.inputs.shape[1], dtype=torch.float64)
    for inputs, _ in split.batches(4096):
        x = inputs.double()
        total += torch.stack([x.sum((0, 2, 3)), x.square().sum((0, 2, 3))])
    mean, square = total / (split.inputs.numel() / split.inputs.shape[1])
    std = (square - mean.square()).clamp_min(1e-12).sqrt()
    return tuple(mean.tolist()), tuple(std.tolist())


class Dataset(Protocol):
    """What a data set has to have.

    Optional: ``recipe``, the recipe that is used with it when none is named (``quick``);
    ``layout``, where its files belong, for messages; ``download(directory)``, which fetches them.
    """

    name: str
    summary: str

    def find(self, directory: pathlib.Path) -> list[pathlib.Path] | None:
        """The files it would read below ``directory``; ``None`` if it is not there.

        A data set that needs no files returns an empty list.
        """
        ...

    def read(self, directory: pathlib.Path) -> Data:
        """Decode it. Called only after `find` returned a list."""
        ...
