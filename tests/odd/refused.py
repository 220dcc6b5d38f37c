"""Odd data sets that cannot give a right number, with the words that must be in the message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from odd.images import CLASSES, coloured, deep, grey, write
from odd.tensors import data
from PIL import Image

from mcbench import Data, Split

REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {}
"""Writers of folders, and a pattern of the message."""

REFUSED_DATA: dict[str, Callable[[], Any]] = {}
"""Functions that make the data of a plugin's data set, by its name."""

PATTERNS: dict[str, tuple[str, str]] = {}
"""Name of the data set of a plugin, and a pattern of the message, by title."""


def _folder(title: str, pattern: str) -> Callable[[Callable[[Path], object]], None]:
    """Add a folder that a function changes after the digits were written into it."""

    def add(change: Callable[[Path], object]) -> None:
        def make(root: Path) -> None:
            write(root, coloured)
            change(root)

        REFUSED[title] = make, pattern

    return add


def _one(image: Callable[[Any], Image.Image], name: str, **how: Any) -> Callable[[Path], object]:
    """A function that adds one image to the class 3."""
    pixels = np.arange(64).reshape(8, 8) // 4
    return lambda root: image(pixels).save(root / "train" / "3" / name, **how)


def _half(pixels: Any) -> Image.Image:
    return Image.fromarray(np.stack([pixels * 15] * 4, 2).astype(np.uint8))


def _floats(pixels: Any) -> Image.Image:
    return Image.fromarray(pixels.astype(np.float32))


_folder("transparent pixels", r"x\.png is transparent: put it on a background")(
    _one(_half, "x.png")
)
_folder("a transparent colour of a palette", r"x\.png is transparent")(
    _one(lambda p: coloured(p).quantize(8), "x.png", transparency=0)
)
_folder("a transparent grey of 16 bits", r"x\.png is transparent")(
    _one(deep, "x.png", transparency=0)
)
_folder("float values", r"x\.png has pixels of Pillow's mode 'F', whose range is not known")(
    _one(_floats, "x.png", format="TIFF")
)
_folder("32-bit integers", r"x\.png has pixels of Pillow's mode 'I'")(
    _one(lambda p: Image.fromarray(p.astype(np.int32)), "x.png", format="TIFF")
)
_folder("8 and 16 bits", r"x\.png has 16 bits per channel, 000\.png has 8")(_one(deep, "x.png"))
_folder("two sizes", r"x\.png is 5x4 pixels, .* set size=")(
    _one(lambda p: coloured(p).resize((5, 4)), "x.png")
)
_folder("frames", r"x\.webp has 2 frames: save each")(
    _one(coloured, "x.webp", save_all=True, append_images=[Image.new("RGB", (8, 8), "red")])
)


@_folder("a damaged file", r"004\.png cannot be read as an image")
def _damaged(root: Path) -> None:
    file = root / "train" / "4" / "004.png"
    file.write_bytes(file.read_bytes()[:60])


@_folder("a text that is called .png", r"x\.png cannot be read as an image")
def _text(root: Path) -> None:
    (root / "train" / "3" / "x.png").write_text("no image")


@_folder("a link that leads nowhere", r"x\.png cannot be read: No such file")
def _link(root: Path) -> None:
    (root / "train" / "3" / "x.png").symlink_to(root / "nowhere.png")


def _retype(split: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for file in (root / split / "3").iterdir():
            Image.open(file).save(file.with_suffix(".tif"))
            file.unlink()

    return change


_folder("a class of .tif", r"\.tif is of a type that is not read: save it as \.png")(
    _retype("train")
)
_folder("a .tif between others", r"x\.tif is of a type that is not read")(_one(grey, "x.tif"))


@_folder("a class of texts", r"3 has no image, but .*\.txt: put images into it, or remove it")
def _texts(root: Path) -> None:
    for file in (root / "train" / "3").iterdir():
        file.rename(file.with_suffix(".txt"))


@_folder("a class in train only", r"class 'seven' is in train only")
def _train_only(root: Path) -> None:
    (root / "train" / "7").rename(root / "train" / "seven")


@_folder("a class in test only", r"class '7' is in test only")
def _test_only(root: Path) -> None:
    for file in (root / "train" / "7").iterdir():
        file.unlink()


@_folder("an image in no class folder", r"x\.png is in no class folder")
def _stray(root: Path) -> None:
    grey(np.zeros((8, 8))).save(root / "train" / "x.png")


@_folder("folders inside class folders", r"a.x\.png is in a folder inside a class folder")
def _nested(root: Path) -> None:
    (root / "train" / "3" / "a").mkdir()
    grey(np.zeros((8, 8))).save(root / "train" / "3" / "a" / "x.png")


@_folder("one class", r"their classes are \('0',\): name two or more classes")
def _one_class(root: Path) -> None:
    for split in ("train", "test"):
        for label in CLASSES[1:]:
            (root / split / label).rename(root / split / f".{label}")


@_folder("no image at all", r"the class folders in train and test are empty")
def _empty(root: Path) -> None:
    for file in root.glob("*/*/*"):
        file.unlink()


# Data sets of plugins ------------------------------------------------------------------------


def _given(title: str, pattern: str, make: Callable[[], Any]) -> None:
    """Add data of a plugin."""
    name = title.replace(" ", "-")
    REFUSED_DATA[name] = make
    PATTERNS[title] = name, pattern


def _targets(change: Callable[[torch.Tensor], Any]) -> Callable[[], Data]:
    """Data with changed training targets."""

    def make() -> Data:
        whole = data(lambda x: x / 16)
        return replace(whole, train=replace(whole.train, targets=change(whole.train.targets)))

    return make


def _train(change: Callable[[torch.Tensor], Any], **how: Any) -> Callable[[], Data]:
    """Data with changed training inputs."""

    def make() -> Data:
        whole = data(lambda x: x / 16)
        return replace(whole, train=replace(whole.train, inputs=change(whole.train.inputs), **how))

    return make


def _put(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    def change(x: torch.Tensor) -> torch.Tensor:
        x = x.clone()
        x.view(len(x), -1)[7, 0] = value
        return x

    return change


_given(
    "targets of a regression",
    r"targets of 'train' are torch.float32, as of a regression.*loss='output'",
    _targets(lambda y: y / 10),
)
_given("one-hot targets", r"\(300, 10\), torch.int64.*give one class index", _targets(
    lambda y: torch.nn.functional.one_hot(y)
))  # fmt: skip
_given("targets in a column", r"\(300, 1\), torch.int64", _targets(lambda y: y[:, None]))
_given("targets as int32", r"torch.int32, for 300 inputs", _targets(lambda y: y.int()))
_given("a label of -100", r"go from -100 to 9; there are 10 classes", _targets(_put(-100)))
_given("labels from 1", r"go from 1 to 10; .*count classes from 0", _targets(lambda y: y + 1))
_given("more inputs than targets", r"\(299,\), torch.int64, for 300", _targets(lambda y: y[1:]))
_given("targets of numpy", r"targets of 'train' are of class ndarray", _targets(
    lambda y: y.numpy()
))  # fmt: skip
_given("inputs of numpy", r"inputs of 'train' are of class ndarray", _train(lambda x: x.numpy()))
_given(
    "float64", r"\(300, 1, 8, 8\), torch.float64.*uint8 or float32", _train(lambda x: x.double())
)
_given("int64", r"\(300, 1, 8, 8\), torch.int64.*uint8 or float32", _train(lambda x: x.long()))
_given("a number for an image", r"\(300,\), torch.float32", _train(lambda x: x.flatten(1).sum(1)))
_given("a NaN", r"not finite, first in sample 7", _train(_put(float("nan"))))
_given("an infinite value", r"not finite, first in sample 7", _train(_put(float("inf"))))
_given("gradients", r"require gradients or are sparse", _train(lambda x: x.requires_grad_()))
_given("sparse inputs", r"require gradients or are sparse", _train(lambda x: x.to_sparse()))
_given(
    "two sizes in the splits",
    r"\(1, 4, 8\).*in 'train' and \(1, 8, 8\)",
    _train(lambda x: x[:, :, :4]),
)
_given("two dtypes", r"uint8 of scale 255 in 'train' and .*float32", _train(lambda x: x.byte()))
_given(
    "two scales", r"of scale 16 in 'train' and .* of scale 1 in", _train(lambda x: x, scale=16.0)
)
_given("scale 0", r"scale of 'train' is 0", lambda: data(scale=0.0))
_given("a scale of numpy", r"scale of 'train' is of class float32: give a float", lambda: data(
    scale=np.float32(16)  # type: ignore[arg-type]
))  # fmt: skip
_given("a mean of its own", r"splits have a mean", lambda: data(mean=(0.5,), std=(1.0,)))
_given("no test samples", r"inputs of 'test' are \(0, 1, 8, 8\)", lambda: replace(
    data(), test=Split(torch.zeros(0, 1, 8, 8), torch.zeros(0, dtype=torch.int64))
))  # fmt: skip
_given("a class twice", r"name two or more classes", lambda: replace(
    data(), classes=("0", "0", *CLASSES[2:])
))  # fmt: skip
_given("classes as numbers", r"as texts", lambda: replace(data(), classes=tuple(range(10))))  # type: ignore[arg-type]
_given("an unknown loss", r"loss is 'mse': give 'cross-entropy' or 'output'", lambda: replace(
    data(), loss="mse"  # type: ignore[arg-type]
))  # fmt: skip
_given("a dictionary", r"'read' gives an object of class dict", dict)
_given("an error of the plugin", r"cannot be read: KeyError: 'labels'", lambda: {}["labels"])
