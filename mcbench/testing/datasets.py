"""Checks of data sets: dtypes and shapes, equal data at every reading, errors without files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

import torch

from mcbench.errors import McbenchError, UsageError
from mcbench.plugins.host import host
from mcbench.problem import loading
from mcbench.problem.dataset import Data, Split
from mcbench.store.store import Store
from mcbench.testing.check import Fault, Inapplicable, check
from mcbench.testing.components import one_line_or_fault
from mcbench.testing.global_generators import repeated
from mcbench.testing.subject import Subject


def _place(subject: Subject) -> Path:
    """The directory that has the data set's files; nothing is downloaded."""
    directory = os.environ.get("MCBENCH_DATA")
    places = [Path(directory).expanduser()] if directory else []
    for place in [*places, Path(os.devnull).parent / "no-data"]:
        if subject.component.find(place) is not None:
            return place
    raise Inapplicable("its files are not in the directory that MCBENCH_DATA names")


def _read(subject: Subject) -> Data:
    data: Data = subject.share("data", lambda: subject.component.read(_place(subject)))
    return data


@check("dataset", "tensors")
def tensors_are_as_declared(subject: Subject) -> None:
    """Inputs are (samples, channels, height, width), uint8 or float32 and finite; targets are
    int64; both splits have samples of one shape and one scale."""
    data = _read(subject)
    for name, split in _splits(data):
        x, y = split.inputs, split.targets
        if x.dim() != 4 or x.dtype not in (torch.uint8, torch.float32):
            raise Fault(
                f"the inputs of '{name}' are {tuple(x.shape)}, {x.dtype}",
                "give shape (samples, channels, height, width) as uint8 or float32",
            )
        if y.dim() != 1 or y.dtype != torch.int64 or len(y) != len(x) or not len(y):
            raise Fault(
                f"the targets of '{name}' are {tuple(y.shape)}, {y.dtype}, for {len(x)} inputs",
                "give one class index for each input, as int64",
            )
        if not bool(x.isfinite().all()) or not split.scale > 0:
            raise Fault(
                f"'{name}' has inputs that are not finite, or the scale {split.scale}",
                "give finite inputs and a positive scale",
            )
    train, test = (
        f"{tuple(s.inputs.shape[1:])} {s.inputs.dtype} of scale {s.scale}"
        for _, s in _splits(data)
    )
    if train != test:
        raise Fault(
            f"samples are {train} in 'train' and {test} in 'test'", "decode both splits alike"
        )


@check("dataset", "labels")
def labels_are_classes(subject: Subject) -> None:
    """Targets are indices of `classes`, distinct texts, and every class has a training sample.

    Where the loss is a network's output there are no classes.
    """
    data = _read(subject)
    names = data.classes
    if data.loss == "output":
        if names:
            raise Fault(f"its loss is the output, but its classes are {names!r}", "name none")
        raise Inapplicable("its loss is the output: there are no classes")
    if len(set(names)) < max(2, len(names)) or not all(isinstance(n, str) for n in names):
        raise Fault(f"its classes are {names!r}", "name two or more classes, each differently")
    for split, part in _splits(data):
        low, high = int(part.targets.min()), int(part.targets.max())
        if low < 0 or high >= len(names):
            raise Fault(
                f"targets of '{split}' go from {low} to {high}; there are {len(names)} classes",
                "count classes from 0",
            )
    missing = set(range(len(names))) - set(data.train.targets.unique().tolist())
    if missing:
        raise Fault(
            f"class '{names[min(missing)]}' has no training sample", "leave it out of classes"
        )


@check("dataset", "determinism", "sort files, and draw with torch.Generator().manual_seed(0)")
def reading_again_gives_the_same(subject: Subject) -> None:
    """Reading it again gives the same data, whatever the global generators hold."""
    place = _place(subject)
    first, second = repeated(lambda: subject.component.read(place).fingerprint())
    if first != second:
        raise Fault("two readings differ")


@check("dataset", "store")
def data_survive_the_store(subject: Subject) -> None:
    """Decoded data read back from the store unchanged."""
    place = _place(subject)
    with tempfile.TemporaryDirectory(prefix="mcbench-kit-") as folder:
        store = Store(Path(folder))
        first, one = loading.load(subject.component, place, store)
        second, two = loading.load(subject.component, place, store)
        if one != two or first.fingerprint() != second.fingerprint():
            raise Fault("stored data read back changed", "give classes as texts")
        for (name, x), (_, y) in zip(_splits(first), _splits(second), strict=True):
            if not x.normalized(x.inputs[:8]).equal(y.normalized(y.inputs[:8])):
                raise Fault(
                    f"the normalised inputs of '{name}' change when they are stored",
                    "leave mean and std to recipes, and give both splits one scale",
                )


@check("dataset", "recipe", "name a recipe of 'mcbench list recipes'")
def its_recipe_exists(subject: Subject) -> None:
    """Its default recipe exists."""
    try:
        host().get("recipe", subject.component.recipe)
    except UsageError as error:
        raise Fault(str(error)) from None


@check("dataset", "missing files")
def missing_files_are_named(subject: Subject) -> None:
    """Without its files `find` gives None, and the error says in one line where they belong."""
    with tempfile.TemporaryDirectory(prefix="mcbench-kit-") as folder:
        empty = Path(folder) / "data"
        empty.mkdir()
        files = subject.component.find(empty)
        if files == []:
            raise Inapplicable("it needs no files")
        if files is not None:
            raise Fault(
                f"in an empty directory 'find' gives {files!r}", "return None if a file is missing"
            )
        try:
            with patch.object(type(subject.component), "download", None, create=True):
                loading.load(subject.component, empty, Store(Path(folder) / "store"))
        except McbenchError as error:
            one_line_or_fault(error, "without its files")
        if not subject.component.layout:
            raise Fault(
                "it does not say where its files belong",
                "set 'layout' to a text such as 'DIR/name/{train,test}.npz'",
            )


def _splits(data: Data) -> list[tuple[str, Split]]:
    return [("train", data.train), ("test", data.test)]
