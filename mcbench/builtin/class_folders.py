"""Class folders of images: ``ROOT/{train,test}/CLASS/*``, read or refused by name."""

from __future__ import annotations

import logging
import pathlib
from typing import TYPE_CHECKING

from mcbench.builtin.decoding import Channels, decode
from mcbench.errors import UsageError
from mcbench.problem.dataset import Data, Split

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger("mcbench")

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm", ".ppm"})

UNREADABLE = frozenset(
    [
        ".avif",
        ".dcm",
        ".dib",
        ".exr",
        ".gif",
        ".heic",
        ".heif",
        ".ico",
        ".j2k",
        ".jfif",
        ".jp2",
        ".jpe",
        ".jxl",
        ".npy",
        ".npz",
        ".pbm",
        ".pcx",
        ".pfm",
        ".pnm",
        ".psd",
        ".svg",
        ".tga",
        ".tif",
        ".tiff",
    ]
)
"""Further types of images, which are refused: without them numbers would be of other data."""

SPLITS = ("train", "test")


def tree_files(root: pathlib.Path) -> list[pathlib.Path] | None:
    """The folders of a tree and all that is in class folders.

    With the folders a key of the list changes whenever something is added; ``None`` if ``train``
    or ``test`` has no class folder.
    """
    files = []
    for split in SPLITS:
        folders = [entry for entry in _visible(root / split) if entry.is_dir()]
        if not folders:
            return None
        files += [root / split, *folders, *(file for f in folders for file in _visible(f))]
    return files


def read_tree(root: pathlib.Path, channels: Channels, size: int = 0) -> Data:
    """Decode a tree of images in class folders; hidden files and folders are ignored.

    Raises:
        UsageError: If a class is not in both splits, an image has no class folder or is of a type
            that is not read, or images differ in size or depth.
    """
    found = {split: _images_by_class(root / split) for split in SPLITS}
    for one, other in (SPLITS, SPLITS[::-1]):
        for name in sorted(found[one].keys() - found[other].keys()):
            raise UsageError(
                f"{root}: class '{name}' is in {one} only: it must have images in train and test"
            )
    classes = sorted(found["train"])
    if not classes:
        raise UsageError(f"{root}: the class folders in train and test are empty")
    first = found["train"][classes[0]][0]
    example = decode(first, channels, size)

    def split(name: str) -> Split:
        import torch

        files = [file for label in classes for file in found[name][label]]
        inputs = torch.empty(len(files), *example.shape, dtype=example.dtype)
        for i, file in enumerate(files):
            image = decode(file, channels, size)
            _compare((file, image), (first, example))
            inputs[i] = image
        counts = torch.tensor([len(found[name][label]) for label in classes])
        return Split(inputs, torch.arange(len(classes)).repeat_interleave(counts))

    return Data(split("train"), split("test"), tuple(classes))


def _compare(one: tuple[pathlib.Path, Tensor], other: tuple[pathlib.Path, Tensor]) -> None:
    """Test that two images, each with its file, have the same size and depth.

    Raises:
        UsageError: If they differ.
    """
    (file, image), (first, example) = one, other
    if image.shape != example.shape:
        raise UsageError(
            f"{file} is {image.shape[2]}x{image.shape[1]} pixels, {first.name} is "
            f"{example.shape[2]}x{example.shape[1]}: set size=... to resize all"
        )
    if image.dtype != example.dtype:
        depth, other_depth = (16 if x.is_floating_point() else 8 for x in (image, example))
        raise UsageError(
            f"{file} has {depth} bits per channel, {first.name} has {other_depth}: save all alike"
        )


def _visible(folder: pathlib.Path) -> list[pathlib.Path]:
    """The entries of a folder that are not hidden, sorted; none if there is no such folder."""
    try:
        return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}") from None


def _images_by_class(folder: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """The images of a split by class; what else is there is logged.

    Raises:
        UsageError: If an image would be left out.
    """
    found, ignored = {}, []
    for entry in _visible(folder):
        files = _visible(entry)
        images = [file for file in files if file.suffix.lower() in IMAGES]
        others = [file for file in files if file.suffix.lower() not in IMAGES]
        if entry.suffix.lower() in IMAGES | UNREADABLE and not entry.is_dir():
            raise UsageError(f"{entry} is in no class folder: put it into {folder}/CLASS/")
        for file in others:
            _refuse_image(file)
        if others and not images:
            raise UsageError(
                f"{entry} has no image, but {others[0].name}: put images into it, or remove it "
                f"(types that are read: {', '.join(sorted(IMAGES))})"
            )
        if images:
            found[entry.name] = images
        ignored += others if images else [entry]
    if ignored:
        log.warning("ignored, as no image: %s", ", ".join(map(str, ignored[:5]))
                    + (f" and {len(ignored) - 5} more" if len(ignored) > 5 else ""))  # fmt: skip
    return found


def _refuse_image(entry: pathlib.Path) -> None:
    """Raise if an entry of a class folder is, or has in it, an image that would be left out."""
    if entry.suffix.lower() in UNREADABLE:
        raise UsageError(
            f"{entry} is of a type that is not read: save it as .png "
            f"(types that are read: {', '.join(sorted(IMAGES))})"
        )
    if entry.is_dir():
        inner = (p for p in entry.rglob("*") if p.suffix.lower() in IMAGES | UNREADABLE)
        if (image := next(inner, None)) is not None:
            raise UsageError(
                f"{image} is in a folder inside a class folder: put images directly into "
                f"{entry.parent}"
            )
