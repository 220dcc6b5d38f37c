"""Validation of data sets: faults that would make numbers wrong, found before training."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from mcbench.errors import UsageError
from mcbench.problem.dataset import Data, Split

if TYPE_CHECKING:
    import torch

    from mcbench.problem.recipe import Recipe

LOSSES = ("cross-entropy", "output")


class DataFault(NamedTuple):
    """A fault: the observation with its values, and the change that mends it."""

    found: str
    fix: str


def validate(data: object, name: str = "", dtypes: Collection[str] = ("uint8", "float32")) -> None:
    """Test that data have no fault.

    It takes one pass over targets, and over inputs if they are floats.

    Arguments:
        data: The data.
        name: The data set's name, for messages.
        dtypes: The dtypes that inputs may have.

    Raises:
        UsageError: If they have one; the message names the first.
    """
    title = f"data set '{name}'" if name else "the data"
    if not isinstance(data, Data):
        raise UsageError(
            f"{title}: 'read' gives an object of class {type(data).__name__}: give mcbench.Data"
        )
    fault = next(chain(tensor_faults(data, dtypes), label_faults(data)), None)
    if fault is not None:
        raise UsageError(f"{title}: {fault.found}: {fault.fix}")


def validate_for(architecture: Any, recipe: Recipe, data: Data) -> None:
    """Test that data have no fault, and go with a recipe and an architecture.

    Inputs may also be float64, in which the conformance kit computes.

    Raises:
        UsageError: If they have one, inputs that are no images are augmented or normalised, or
            data with classes meet a landscape, or the reverse.
    """
    validate(data, dtypes=("uint8", "float32", "float64"))
    recipe.check_images(data.train.inputs.shape)
    data.check_loss(architecture)


def tensor_faults(
    data: Data, dtypes: Collection[str] = ("uint8", "float32")
) -> Iterator[DataFault]:
    """Faults of dtypes, shapes and values; those of a split only if the ones before have none."""
    for name, split in _splits(data):
        fault = next(_split_faults(name, split, dtypes), None)
        if fault is not None:
            yield fault
            return
    train, test = (
        f"{tuple(s.inputs.shape[1:])} {_dtype(s.inputs)} of scale {s.unit:g}"
        for _, s in _splits(data)
    )
    if train != test:
        yield DataFault(
            f"samples are {train} in 'train' and {test} in 'test'", "decode both splits alike"
        )


def _split_faults(name: str, split: Split, dtypes: Collection[str]) -> Iterator[DataFault]:
    import torch

    x, y = split.inputs, split.targets
    for part, tensor in (("inputs", x), ("targets", y)):
        if not isinstance(tensor, torch.Tensor):
            yield DataFault(
                f"the {part} of '{name}' are of class {type(tensor).__name__}",
                "give tensors: torch.as_tensor(...)",
            )
        elif tensor.requires_grad or tensor.layout != torch.strided:
            yield DataFault(
                f"the {part} of '{name}' require gradients or are sparse",
                "give dense tensors: x.detach().to_dense()",
            )
    if x.dim() < 2 or _dtype(x) not in dtypes:
        yield DataFault(
            f"the inputs of '{name}' are {tuple(x.shape)}, {x.dtype}",
            "give shape (samples, channels, height, width) as uint8 or float32",
        )
    if y.is_floating_point():
        yield DataFault(
            f"the targets of '{name}' are {y.dtype}, as of a regression",
            "give class indices as int64; any other loss is possible as the output of a network, "
            "with data of loss='output' whose inputs hold the target",
        )
    if y.dim() != 1 or y.dtype != torch.int64 or len(y) != len(x):
        yield DataFault(
            f"the targets of '{name}' are {tuple(y.shape)}, {y.dtype}, for {len(x)} inputs",
            "give one class index for each input, as int64",
        )
    if not x.numel():
        yield DataFault(f"the inputs of '{name}' are {tuple(x.shape)}", "give at least one sample")
    if not isinstance(split.unit, int | float):
        yield DataFault(
            f"the scale of '{name}' is of class {type(split.unit).__name__}", "give a float"
        )
    if not 0 < split.unit < float("inf"):
        yield DataFault(f"the scale of '{name}' is {split.unit}", "give a positive number")
    if x.is_floating_point() and not bool(x.isfinite().all()):
        row = int(x.isfinite().flatten(1).all(1).logical_not().nonzero()[0])
        yield DataFault(
            f"the inputs of '{name}' are not finite, first in sample {row}",
            "leave such samples out, or fill in what is missing",
        )


def label_faults(data: Data) -> Iterator[DataFault]:
    """Faults of classes and of targets as their indices; of data without faulty tensors."""
    names = data.classes
    if data.loss not in LOSSES:
        yield DataFault(f"their loss is {data.loss!r}", f"give {' or '.join(map(repr, LOSSES))}")
        return
    if data.loss == "output":
        if names:
            yield DataFault(f"their loss is the output, but classes are {names!r}", "name none")
        return
    texts = {n for n in names if isinstance(n, str)}
    if len(texts) < max(2, len(names)):
        yield DataFault(
            f"their classes are {names!r}", "name two or more classes, each differently, as texts"
        )
    for split, part in _splits(data):
        low, high = int(part.targets.min()), int(part.targets.max())
        if low < 0 or high >= len(names):
            yield DataFault(
                f"targets of '{split}' go from {low} to {high}; there are {len(names)} classes",
                "count classes from 0, and leave samples without a class out",
            )


def absent_classes(data: Data) -> dict[str, list[str]]:
    """The classes without a sample, by split; of data without faults."""
    counts = {name: split.targets.bincount().tolist() for name, split in _splits(data)}
    return {
        split: [c for i, c in enumerate(data.classes) if i >= len(of) or not of[i]]
        for split, of in counts.items()
    }


def _dtype(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _splits(data: Data) -> list[tuple[str, Split]]:
    return [("train", data.train), ("test", data.test)]
