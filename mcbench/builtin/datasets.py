"""Data sets: scikit-learn's digits, those of torchvision, and folders of a user's images."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcbench.errors import UsageError
from mcbench.plugins.hookspecs import hookimpl
from mcbench.plugins.parameters import parameter
from mcbench.problem.dataset import Data, Split

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

SAMPLES = parameter(
    0, "training samples to take, always the same ones, for trials; 0: all", later=True, ge=0
)
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm", ".ppm"})


class Digits:
    """Handwritten digits, 8 x 8 pixels with values 0 to 16, embedded in scikit-learn.

    Of its 1,797 samples every fourth, after a fixed shuffle, is for testing: 1,347 + 450.
    """

    name = "digits"
    summary = "scikit-learn's 8x8 digits: embedded, no download"
    recipe = "quick"

    def find(self, directory: pathlib.Path) -> list[pathlib.Path]:
        """An empty list: no files are needed."""
        return []

    def read(self, directory: pathlib.Path) -> Data:
        """Training and test digits."""
        import numpy as np
        import torch
        from sklearn.datasets import load_digits

        digits = load_digits()
        order = np.random.RandomState(0).permutation(len(digits.target))
        test = np.arange(len(order)) % 4 == 0

        def split(rows: NDArray[np.int64]) -> Split:
            inputs = torch.tensor(digits.images[rows], dtype=torch.uint8)[:, None]
            return Split(inputs, torch.tensor(digits.target[rows], dtype=torch.int64), 16.0)

        names = tuple(str(name) for name in digits.target_names)
        return Data(split(order[~test]), split(order[test]), names)


@dataclass(frozen=True)
class Torchvision:
    """A data set that torchvision downloads and decodes.

    Arguments:
        name: Name of the component.
        kind: Name of the class in ``torchvision.datasets``.
        folder: Folder of the files, below the data directory, as torchvision has it.
        needed: Names of the files in it.
    """

    name: str
    summary: str
    kind: str
    folder: str
    needed: tuple[str, ...]
    recipe: str
    samples: int = SAMPLES

    @property
    def layout(self) -> str:
        """Places of the files, for error messages."""
        return f"DIR/{self.folder}/{{{','.join(self.needed)}}}"

    def find(self, directory: pathlib.Path) -> list[pathlib.Path] | None:
        """The files; ``None`` if one is missing."""
        files = [directory / self.folder / name for name in self.needed]
        return files if all(file.is_file() for file in files) else None

    def download(self, directory: pathlib.Path) -> None:
        """Download it with torchvision."""
        self._open(directory, train=True, download=True)

    def read(self, directory: pathlib.Path) -> Data:
        """Decode both splits."""
        train, test = self._open(directory, train=True), self._open(directory, train=False)
        whole = Data(_images(train), _images(test), tuple(train.classes))
        return whole.sample(self.samples)

    # A data set of torchvision is Any, here and below: it ships no types.
    def _open(self, directory: pathlib.Path, **options: bool) -> Any:
        from torchvision import datasets

        try:
            return getattr(datasets, self.kind)(directory, **options)
        except RuntimeError as error:
            if options.get("download"):
                raise
            raise UsageError(
                f"data set '{self.name}' in {directory} cannot be read: {error}"
            ) from None


def _images(dataset: Any) -> Split:
    import torch

    inputs = torch.as_tensor(dataset.data)
    inputs = inputs[:, None] if inputs.dim() == 3 else inputs.permute(0, 3, 1, 2)
    return Split(inputs.contiguous(), torch.as_tensor(dataset.targets, dtype=torch.int64))


@dataclass(frozen=True)
class Cifar10(Torchvision):
    """CIFAR-10, in torchvision's layout or as a tree of PNG files in class folders."""

    layout = "DIR/cifar10/{train,test}/CLASS/*.png or DIR/cifar-10-batches-py/*"

    def find(self, directory: pathlib.Path) -> list[pathlib.Path] | None:
        """The tree of PNG files, else torchvision's files."""
        return tree_files(directory / "cifar10") or super().find(directory)

    def read(self, directory: pathlib.Path) -> Data:
        """Decode the files that `find` gives."""
        if tree_files(directory / "cifar10"):
            return read_tree(directory / "cifar10", "RGB").sample(self.samples)
        return super().read(directory)


@dataclass(frozen=True)
class ImageFolder:
    """A user's own images: ``DIR/FOLDER/train/CLASS/*`` and ``DIR/FOLDER/test/CLASS/*``."""

    name = "imagefolder"
    summary = "your own images in class folders under train/ and test/"
    recipe = "quick"
    folder: str = parameter(".", "the folder that has train/ and test/, below the data directory")
    size: int = parameter(0, "resize to so many pixels square; 0: all have one size", ge=0)
    color: bool = parameter(True, "three channels, else grey")

    @property
    def layout(self) -> str:
        """Places of the files, for error messages."""
        return f"DIR/{self.folder}/{{train,test}}/CLASS/*.png"

    def find(self, directory: pathlib.Path) -> list[pathlib.Path] | None:
        """The image files of both splits."""
        return tree_files(directory / self.folder)

    def read(self, directory: pathlib.Path) -> Data:
        """Decode all images."""
        return read_tree(directory / self.folder, "RGB" if self.color else "L", self.size)


def tree_files(root: pathlib.Path) -> list[pathlib.Path] | None:
    """The images below ``train`` and ``test``; ``None`` if one of them has none."""
    splits = [_image_files(root / split) for split in ("train", "test")]
    return [*splits[0], *splits[1]] if all(splits) else None


def _image_files(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(p for p in folder.glob("*/*") if p.suffix.lower() in IMAGES)


def read_tree(root: pathlib.Path, mode: str, size: int = 0) -> Data:
    """Decode a tree of images in class folders.

    Raises:
        UsageError: If classes differ between the splits, or images between their sizes.
    """
    classes = {
        s: sorted({p.parent.name for p in (root / s).glob("*/*")}) for s in ("train", "test")
    }
    if classes["train"] != classes["test"]:
        differing = sorted(set(classes["train"]) ^ set(classes["test"]))
        raise UsageError(f"{root}: class '{differing[0]}' must be in both train and test")
    index = {name: i for i, name in enumerate(classes["train"])}

    def split(name: str) -> Split:
        import torch

        files = _image_files(root / name)
        first = _decode(files[0], mode, size)
        inputs = torch.empty(len(files), *first.shape, dtype=torch.uint8)
        for i, file in enumerate(files):
            image = _decode(file, mode, size)
            if image.shape != first.shape:
                raise UsageError(
                    f"{file} is {image.shape[2]}x{image.shape[1]} pixels, {files[0].name} is "
                    f"{first.shape[2]}x{first.shape[1]}: set size=... to resize all"
                )
            inputs[i] = image
        return Split(inputs, torch.tensor([index[p.parent.name] for p in files]))

    return Data(split("train"), split("test"), tuple(classes["train"]))


def _decode(file: pathlib.Path, mode: str, size: int) -> Tensor:
    import numpy as np
    import torch
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as opened:
            image = opened.convert(mode)
            if size:
                image = image.resize((size, size), Image.Resampling.BILINEAR)
            pixels = np.array(image)
    except (UnidentifiedImageError, OSError) as error:
        raise UsageError(f"{file} cannot be read as an image: {error}") from None
    tensor = torch.from_numpy(pixels)
    return tensor[None] if tensor.dim() == 2 else tensor.permute(2, 0, 1)


@hookimpl
def mcbench_datasets() -> Iterator[object]:
    """The built-in data sets."""
    yield Digits()
    parts = ("images-idx3", "labels-idx1")
    files = tuple(f"{split}-{part}-ubyte" for split in ("train", "t10k") for part in parts)
    for name, kind in (("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")):
        summary = f"{kind}: 60,000 + 10,000 grey images, 28x28"
        yield Torchvision(name, summary, kind, f"{kind}/raw", files, "anokhin2020-mnist")
    colour, recipe = "50,000 + 10,000 colour images, 32x32", "anokhin2020-cifar10"
    files = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta")
    summary, folder = f"CIFAR-10: {colour}", "cifar-10-batches-py"
    yield Cifar10("cifar10", summary, "CIFAR10", folder, files, recipe)
    files, summary, folder = ("train", "test", "meta"), f"CIFAR-100: {colour}", "cifar-100-python"
    yield Torchvision("cifar100", summary, "CIFAR100", folder, files, recipe)
    yield ImageFolder()
