"""Data sets: tensors of the right kind, the same at every reading, clear errors without files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import torch

from mcbench.errors import McbenchError, UsageError
from mcbench.plugins.host import host
from mcbench.problem import loading
from mcbench.problem.dataset import Data, Split
from mcbench.store.store import Store
from mcbench.testing.check import Fault, Inapplicable, check
from mcbench.testing.components import one_line_or_fault
from mcbench.testing.dice import thrown
from mcbench.testing.subject import Subject


def _place(subject: Subject) -> Path:
    """The directory that has the data set's files; nothing is downloaded."""
    named = os.environ.get("MCBENCH_DATA")
    places = [Path(named).expanduser()] if named else []
    for place in [*places, Path(os.devnull).parent / "no-data"]:
        if subject.component.find(place) is not None:
            return place
    raise Inapplicable("its files are not in the directory that MCBENCH_DATA names")


def _read(subject: Subject) -> Data:
    if "data" not in subject.shared:
        subject.shared["data"] = subject.component.read(_place(subject))
    found: Data = subject.shared["data"]
    return found


@check("dataset", "tensors")
def tensors_are_as_declared(subject: Subject) -> None:
    """Inputs are (samples, channels, height, width), uint8 or float32 and finite; targets are
    int64; both splits have samples of one shape and one scale."""
    read = _read(subject)
    for name, split in _splits(read):
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
            raise Fault(f"the inputs or the scale of '{name}' are not usable", "look at the files")
    one, two = read.train, read.test
    if one.inputs.shape[1:] != two.inputs.shape[1:] or one.inputs.dtype != two.inputs.dtype:
        raise Fault(
            f"samples are {tuple(one.inputs.shape[1:])} {one.inputs.dtype} in 'train' and "
            f"{tuple(two.inputs.shape[1:])} {two.inputs.dtype} in 'test'",
            "decode both splits alike",
        )
    if one.scale != two.scale:
        raise Fault(f"scales are {one.scale} and {two.scale}", "give both splits one scale")


@check("dataset", "labels")
def labels_are_classes(subject: Subject) -> None:
    """Targets are indices of `classes`, distinct texts, and every class has a training sample.

    Where the loss is a network's output there are no classes.
    """
    read = _read(subject)
    names = read.classes
    if read.loss == "output":
        if names:
            raise Fault(f"its loss is the output, but its classes are {names!r}", "name none")
        raise Inapplicable("its loss is the output: there are no classes")
    if len(set(names)) < max(2, len(names)) or not all(isinstance(n, str) for n in names):
        raise Fault(f"its classes are {names!r}", "name two or more classes, each differently")
    for split, part in _splits(read):
        low, high = int(part.targets.min()), int(part.targets.max())
        if low < 0 or high >= len(names):
            raise Fault(
                f"targets of '{split}' go from {low} to {high}; there are {len(names)} classes",
                "count classes from 0",
            )
    missing = set(range(len(names))) - set(read.train.targets.unique().tolist())
    if missing:
        raise Fault(
            f"class '{names[min(missing)]}' has no training sample", "leave it out of classes"
        )


@check("dataset", "determinism")
def reading_again_gives_the_same(subject: Subject) -> None:
    """Reading it again gives the same data, whatever the global generators hold."""
    place, prints = _place(subject), []
    for seed in (1, 2):
        with thrown(seed) as used:
            prints.append(subject.component.read(place).fingerprint())
            if names := used():
                raise Fault(
                    f"reading uses the global generator of {names}",
                    "draw with torch.Generator().manual_seed(0), in a fixed order",
                )
    if prints[0] != prints[1]:
        raise Fault(
            "two readings differ",
            "sort files, and draw with torch.Generator().manual_seed(0)",
        )


@check("dataset", "store")
def data_survive_the_store(subject: Subject) -> None:
    """What was decoded and stored reads back as the same data."""
    place = _place(subject)
    with tempfile.TemporaryDirectory(prefix="mcbench-kit-") as folder:
        store = Store(Path(folder))
        first, one = loading.load(subject.component, place, store)
        second, two = loading.load(subject.component, place, store)
        if one != two or first.fingerprint() != second.fingerprint():
            raise Fault("stored data read back as others", "give classes as texts")
        for (name, x), (_, y) in zip(_splits(first), _splits(second), strict=True):
            if not x.normalized(x.inputs[:8]).equal(y.normalized(y.inputs[:8])):
                raise Fault(
                    f"the normalised inputs of '{name}' are others after they were stored",
                    "leave mean and std to recipes, and give both splits one scale",
                )


@check("dataset", "recipe")
def its_recipe_exists(subject: Subject) -> None:
    """The recipe that is used with it where none is named exists."""
    try:
        host().get("recipe", subject.component.recipe)
    except UsageError as error:
        raise Fault(str(error), "name a recipe of 'mcbench list recipes'") from None


class _Offline:
    """The data set without its download."""

    download = None

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)


@check("dataset", "missing files")
def missing_files_are_named(subject: Subject) -> None:
    """Without its files `find` gives None, and the error says in one line where they belong."""
    with tempfile.TemporaryDirectory(prefix="mcbench-kit-") as folder:
        empty = Path(folder) / "data"
        empty.mkdir()
        found = subject.component.find(empty)
        if found == []:
            raise Inapplicable("it needs no files")
        if found is not None:
            raise Fault(
                f"in an empty directory 'find' gives {found!r}", "return None if a file is missing"
            )
        try:
            loading.load(_Offline(subject.component), empty, Store(Path(folder) / "store"))
        except McbenchError as error:
            one_line_or_fault(error, "without its files")
        if not subject.component.layout:
            raise Fault(
                "it does not say where its files belong",
                "set 'layout' to a text such as 'DIR/name/{train,test}.npz'",
            )


def _splits(read: Data) -> list[tuple[str, Split]]:
    return [("train", read.train), ("test", read.test)]
