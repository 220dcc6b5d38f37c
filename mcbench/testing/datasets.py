"""Checks of data sets: dtypes and shapes, equal data at every reading, errors without files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from mcbench.errors import McbenchError, UsageError
from mcbench.plugins.host import host
from mcbench.problem import loading
from mcbench.problem.dataset import Data, Split
from mcbench.problem.validation import DataFault, absent_classes, label_faults, tensor_faults
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
    int64; both splits have samples of one shape and one scale. A run tests this too."""
    _raise_first(tensor_faults(_read(subject)))


@check("dataset", "labels")
def labels_are_classes(subject: Subject) -> None:
    """Targets are indices of `classes`, distinct texts, and every class has a training sample.

    Where the loss is a network's output there are no classes. A run tests this too, and only
    warns of a class without a sample.
    """
    data = _read(subject)
    _raise_first(label_faults(data))
    if data.loss == "output":
        raise Inapplicable("its loss is the output: there are no classes")
    for name in absent_classes(data)["train"]:
        raise Fault(f"class '{name}' has no training sample", "leave it out of classes")


def _raise_first(faults: Iterator[DataFault]) -> None:
    """Raise the first of some faults."""
    for fault in faults:
        raise Fault(fault.found, fault.fix)


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
