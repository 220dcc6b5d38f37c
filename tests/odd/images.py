"""Odd images in class folders: scikit-learn's digits, written as people have their data.

Each case has the same images decoded with PIL and numpy alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor

from mcbench.plugins.host import host
from mcbench.problem import loading
from mcbench.store.store import Store

SIZES = {"train": 300, "test": 150}
CLASSES = "0123456789"

Tensors = tuple[Tensor, Tensor, Tensor, Tensor]
"""Training inputs and targets, test inputs and targets; inputs as the network gets them."""


@dataclass(frozen=True)
class Case:
    """An odd data set.

    Arguments:
        dataset: The data set as ``name[p=v]``.
        plain: The same data decoded without the suite.
        more: More parameters of the recipe.
        note: The answer to what is odd.
    """

    dataset: str
    plain: Tensors
    note: str
    more: str = ""


@cache
def digits() -> tuple[Any, Any]:
    """Pixels from 0 to 16, shape (450, 8, 8), and labels."""
    bunch = load_digits()
    return bunch.images[: sum(SIZES.values())].astype(int), bunch.target[: sum(SIZES.values())]


def samples() -> Iterator[tuple[str, str, int, Any]]:
    """Split, class and number of every digit, with its pixels."""
    for i, (pixels, label) in enumerate(zip(*digits(), strict=True)):
        yield "train" if i < SIZES["train"] else "test", CLASSES[label], i, pixels


def write(
    root: Path, image: Callable[[Any], Image.Image], suffix: str = ".png", **how: Any
) -> None:
    """Write the digits as images in class folders."""
    for split, label, i, pixels in samples():
        folder = root / split / label
        folder.mkdir(parents=True, exist_ok=True)
        image(pixels).save(folder / f"{i:03}{suffix}", **how)


def decoded(root: Path, pixels: Callable[[Image.Image], Any], suffix: str = ".png") -> Tensors:
    """Decode class folders with PIL and numpy; ``pixels`` gives values in [0, 1]."""
    tensors = []
    for split in ("train", "test"):
        files = sorted((root / split).glob(f"[!.]*/[!.]*{suffix}"))
        labels = sorted({file.parent.name for file in files})
        arrays = [np.atleast_3d(pixels(Image.open(file))).astype(np.float32) for file in files]
        tensors.append(torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2))
        tensors.append(torch.tensor([labels.index(file.parent.name) for file in files]))
    return tensors[0], tensors[1], tensors[2], tensors[3]


def grey(pixels: Any) -> Image.Image:
    """8 bits."""
    return Image.fromarray((pixels * 15).astype(np.uint8))


def coloured(pixels: Any) -> Image.Image:
    """Three different channels of 8 bits."""
    return Image.fromarray(
        np.stack([pixels * 15, 255 - pixels * 9, pixels * 3], 2).astype(np.uint8)
    )


def deep(pixels: Any) -> Image.Image:
    """16 bits; the smallest value is 1000, above all values of 8 bits."""
    return Image.fromarray((pixels * 4000 + 1000).astype(np.uint16))


def rgb(image: Image.Image) -> Any:
    """The colours as PIL gives them."""
    return np.array(image.convert("RGB")) / 255


def over_65535(image: Image.Image) -> Any:
    """Three equal channels of 16 bits."""
    return np.repeat(np.array(image).astype(float)[..., None] / 65535, 3, axis=2)


CASES: dict[str, Callable[[Path], Case]] = {}


def case(name: str) -> Callable[[Callable[[Path], Case]], Callable[[Path], Case]]:
    """Add a case of this name."""

    def add(make: Callable[[Path], Case]) -> Callable[[Path], Case]:
        CASES[name] = make
        return make

    return add


def _simple(
    name: str,
    image: Callable[[Any], Image.Image],
    pixels: Callable[[Image.Image], Any],
    note: str,
    *,
    suffix: str = ".png",
    options: str = "",
    **how: Any,
) -> None:
    """Add a case of images that are written in one way and decoded in another."""

    def make(folder: Path) -> Case:
        write(folder / "odd", image, suffix, **how)
        return Case(
            f"imagefolder[folder=odd{options}]", decoded(folder / "odd", pixels, suffix), note
        )

    CASES[name] = make


_ROTATED = Image.Exif()
_ROTATED[0x0112] = 6  # Turn 90 degrees clockwise to see it upright.

_simple("grey, 16 bits, PNG", deep, over_65535, "value / 65,535 as float32")
_simple("grey, 16 bits, PGM", deep, over_65535, "value / 65,535 as float32", suffix=".pgm")
_simple(
    "grey, 16 bits, resized",
    deep,
    lambda i: np.array(
        Image.fromarray((np.array(i) / 65535).astype(np.float32)).resize(
            (5, 5), Image.Resampling.BILINEAR
        )
    ),
    "resized as float32",
    options=",size=5,color=false",
)
_simple(
    "grey, 1 bit",
    lambda p: grey(p).point(lambda v: 255 * (v > 100)).convert("1"),
    lambda i: np.array(i).astype(float),
    "0 or 1",
    options=",color=false",
)
_simple("palette", lambda p: coloured(p).quantize(16), rgb, "the palette's colours")
_simple(
    "palette, as grey",
    lambda p: grey(p).convert("RGB").quantize(16),
    lambda i: np.array(i.convert("RGB").convert("L")) / 255,
    "the grey of the palette's colours",
    options=",color=false",
)
_simple("CMYK, JPEG", lambda p: coloured(p).convert("CMYK"), rgb, "RGB by Pillow", suffix=".jpg")
_simple("alpha, all opaque", lambda p: coloured(p).convert("RGBA"), rgb, "its colours")
_simple(
    "EXIF: turned by 90 degrees",
    lambda p: grey(p).resize((16, 24)).rotate(90, expand=True),
    lambda i: np.rot90(np.array(i), -1) / 255,
    "turned upright",
    suffix=".jpg",
    options=",color=false",
    exif=_ROTATED,
)
_simple(
    "capital suffix",
    grey,
    lambda i: np.array(i) / 255,
    "read",
    suffix=".PNG",
    options=",color=false",
)


@case("hidden folders and files")
def _hidden(folder: Path) -> Case:
    root = folder / "odd"
    write(root, coloured)
    for split in SIZES:
        shutil.copytree(root / split / "3", root / split / ".ipynb_checkpoints")
        (root / split / "5" / "._1.png").write_bytes(b"resource fork")
        (root / split / "5" / "Thumbs.db").write_bytes(b"thumbnails")
    return Case("imagefolder[folder=odd]", decoded(root, rgb), "ignored; visible ones by name")


def _times(root: Path) -> None:
    for file in root.rglob("*"):
        os.utime(file, ns=(0, 0))


def _decode(place: Path, folder: Path) -> None:
    """Decode a folder with the store that the case's training uses."""
    dataset = host().get("dataset", "imagefolder[folder=odd]")
    loading.load(dataset, place, Store(folder.parent / "store"))


def _inverted(pixels: Any) -> Image.Image:
    return grey(16 - pixels)


@case("two folders, equal names, sizes and times")
def _twins(folder: Path) -> Case:
    options: dict[str, Any] = {"suffix": ".bmp"}
    for place, image in ((folder / "first", grey), (folder, _inverted)):
        write(place / "odd", image, **options)
        _times(place)
    _decode(folder / "first", folder)
    return Case("imagefolder[folder=odd]", decoded(folder / "odd", rgb, ".bmp"), "told apart")


@case("a folder replaced, equal names, sizes and times")
def _replaced(folder: Path) -> Case:
    write(folder / "odd", grey, ".bmp")
    _times(folder)
    _decode(folder, folder)
    (folder / "odd").rename(folder / "old")
    write(folder / "odd", _inverted, ".bmp")
    _times(folder)
    return Case("imagefolder[folder=odd]", decoded(folder / "odd", rgb, ".bmp"), "decoded again")
