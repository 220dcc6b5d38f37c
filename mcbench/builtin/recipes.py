"""Recipes of endpoints: a quick default, and those of the papers.

If a paper leaves a value open, the recipe's reference says so: the value here is then a choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mcbench.plugins.hookspecs import hookimpl
from mcbench.problem.recipe import Recipe

_ANOKHIN = "Anokhin & Yarotsky, ICML 2020, published code (train.py, data.py)"
_GARIPOV = "Garipov et al., NeurIPS 2018, repository"
_DRAXLER = "Draxler et al., ICML 2018, repository (configs)"
_GOTMARE = "Gotmare et al. 2018, arXiv 1806.06977"


@hookimpl
def mcbench_recipes() -> Iterator[Recipe]:
    """A quick default and the recipes of the papers."""
    yield Recipe(
        "quick", "small data in seconds", lr=0.1, weight_decay=1e-3, epochs=60, batch_size=64
    )
    yield from _anokhin()
    yield from _garipov()
    yield from _draxler()
    yield from _gotmare()


def _anokhin() -> Iterator[Recipe]:
    yield Recipe(
        "anokhin2020-mnist",
        "two-layer networks on MNIST, no augmentation",
        _ANOKHIN,
        lr=0.01,
        weight_decay=1e-4,
        epochs=30,
    )
    cifar = Recipe(
        "anokhin2020-cifar10",
        "fully connected networks and conv2fc1 on CIFAR-10, flips and crops",
        _ANOKHIN,
        lr=0.01,
        weight_decay=1e-4,
        epochs=400,
        augment=("flip", "crop"),
        normalize="imagenet",
    )
    yield cifar
    yield replace(
        cifar,
        name="anokhin2020-vgg16",
        summary="VGG16 on CIFAR-10, flips and crops",
        reference=f"{_ANOKHIN}; epochs of its commands for paths (200 in that for training)",
    )


def _garipov() -> Iterator[Recipe]:
    """Recipes in batches of 128, with momentum 0.9 and the schedule ``garipov``."""
    vgg = Recipe(
        "garipov2018-vgg16",
        "VGG16 on CIFAR-10 and CIFAR-100",
        _GARIPOV,
        lr=0.05,
        weight_decay=5e-4,
        epochs=200,
        augment=("flip", "crop"),
        normalize="imagenet",
    )
    yield vgg
    resnet = replace(
        vgg,
        name="garipov2018-resnet164",
        summary="PreResNet-164 on CIFAR-10 and CIFAR-100",
        lr=0.1,
        weight_decay=3e-4,
        epochs=150,
        normalize="garipov",
    )
    yield resnet
    yield replace(
        resnet,
        name="garipov2018-wrn28x10",
        summary="Wide ResNet 28x10 on CIFAR-10 and CIFAR-100",
        weight_decay=5e-4,
        epochs=200,
    )
    defaults = f"{_GARIPOV}: defaults of its train.py; that of the paper is not known"
    yield Recipe(
        "garipov2018-mnist",
        "fully connected networks on MNIST, no augmentation",
        defaults,
        lr=0.01,
        weight_decay=1e-4,
        epochs=200,
    )
    yield replace(
        vgg,
        name="garipov2018-3conv3fc",
        summary="three convolutions and three linear layers on CIFAR-10",
        reference=defaults,
        lr=0.01,
        weight_decay=1e-4,
    )


def _draxler() -> Iterator[Recipe]:
    """Recipes whose steps are rounded up to whole epochs of CIFAR's 50,000 images.

    64,000 steps of 128 images are 163.7 epochs, with milestones after 81.8 and 122.8; 250,000 of
    64 are 319.7, with milestones after 159.8 and 239.8.
    """
    open_ends = (
        "epochs rounded up from steps; the paper says 136 epochs for these networks, and weight "
        "decay 1e-4 where the configs have none for minima"
    )
    resnet = Recipe(
        "draxler2018-resnet",
        "ResNet-8 to ResNet-56 on CIFAR-10 and CIFAR-100, data as they are",
        f"{_DRAXLER}: 64,000 steps; {open_ends}",
        lr=0.1,
        epochs=164,
        schedule="step",
        milestones=(82, 123),
        augment=("flip", "crop"),
    )
    yield resnet
    yield replace(
        resnet,
        name="draxler2018-cnn",
        summary="CNN-W x D on CIFAR-10 and CIFAR-100, data as they are",
    )
    yield replace(
        resnet,
        name="draxler2018-densenet",
        summary="DenseNet-40-12 and 100-12-BC on CIFAR-10 and CIFAR-100, data as they are",
        reference=f"{_DRAXLER}: 250,000 steps; {open_ends.replace('136', '266')}",
        nesterov=True,
        epochs=320,
        batch_size=64,
        milestones=(160, 240),
    )


def _gotmare() -> Iterator[Recipe]:
    """Mode G, its variants A to F, and the two trainings whose iterates are connected."""
    scale = "; normalisation not stated, here that of Garipov's VGG16"
    g = Recipe(
        "gotmare2018-g",
        "VGG16 on CIFAR-10, mode G: SGD, steps down, batches of 100, random crops",
        f"{_GOTMARE}, mode G{scale}",
        lr=0.05,
        weight_decay=5e-4,
        epochs=200,
        batch_size=100,
        schedule="step",
        milestones=(60, 120, 160),
        factor=0.2,
        augment=("crop",),
        normalize="imagenet",
    )

    # Values are Any: fields of a recipe, of their types.
    def mode(letter: str, change: str, unknown: str = "", **values: Any) -> Recipe:
        return replace(
            g,
            name=f"gotmare2018-{letter}",
            summary=f"VGG16 on CIFAR-10, mode {letter.upper()}: G with {change}",
            reference=f"{_GOTMARE}, mode {letter.upper()}{scale}{unknown}",
            **values,
        )

    yield g
    yield mode("a", "batches of 4000", batch_size=4000)
    yield mode("b", "Adam", "; its learning rate is not stated", optimizer="adam", lr=5e-4)
    yield mode("c", "a linearly falling learning rate", schedule="linear")
    yield mode("d", "weight decay 5e-6", weight_decay=5e-6)
    yield mode(
        "e",
        "initial weights of three times the variance",
        "; the paper writes 3 x sqrt(2/n): read as a standard deviation it is init_variance=9",
        init_variance=3.0,
    )
    yield mode("f", "no augmentation", augment=())
    rest = "batch, momentum, weight decay and crops not stated, here those of mode G"
    yield replace(
        g,
        name="gotmare2018-sgdr",
        summary="VGG16 on CIFAR-10, restarts after 10, 30 and 70 epochs; iterates by 'stop'",
        reference=f"{_GOTMARE}, study of SGDR; {rest}",
        epochs=150,
        schedule="restarts",
        milestones=(),
        factor=0.1,
        period=10,
        growth=2,
        floor=1e-6,
    )
    yield replace(
        g,
        name="gotmare2018-sgd",
        summary="VGG16 on CIFAR-10, steps down after 60 and 150 epochs; iterates by 'stop'",
        reference=f"{_GOTMARE}, study of SGDR, the comparison; {rest}, as are epochs",
        milestones=(60, 150),
    )
