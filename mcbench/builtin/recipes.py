"""Recipes as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mcbench.hookspecs import hookimpl
from mcbench.recipe import Recipe

_ANOKHIN = "Anokhin & Yarotsky, ICML 2020, published code (train.py, data.py)"


@hookimpl
def mcbench_recipes() -> Iterator[Recipe]:
    """A quick default and the papers' own."""
    yield Recipe(
        "quick",
        "small data in seconds",
        lr=0.1,
        weight_decay=1e-3,
        epochs=60,
        batch_size=64,
    )
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
    yield replace(
        cifar,
        name="garipov2018-vgg16",
        summary="VGG16 on CIFAR-10 and CIFAR-100",
        reference="Garipov et al., NeurIPS 2018, repository",
        lr=0.05,
        weight_decay=5e-4,
        epochs=200,
    )
