"""`Recipe`, how endpoints are trained, as data."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import Literal

from mcbench.spec import parameter

Schedule = Literal["constant", "garipov", "cosine"]


@dataclass(frozen=True)
class Recipe:
    r"""Minibatch training with cross-entropy loss.

    Weight decay is added to the gradient. Schedules, as factors of the learning rate in epoch
    e = 1, ..., E, at progress :math:`s = e / E`: ``constant``; ``garipov``: 1 up to s = 0.5, then
    linearly down to 0.01 at s = 0.9, then 0.01 (Garipov et al., NeurIPS 2018, repository; also
    Anokhin & Yarotsky, ICML 2020); ``cosine``: :math:`(1 + \cos \pi (s - 1/E)) / 2`.

    Arguments:
        name: The recipe's name; of a paper, its first author and year.
        summary: One line.
        reference: The source.
    """

    name: str
    summary: str = ""
    reference: str = ""
    optimizer: Literal["sgd", "adam"] = parameter("sgd", "the optimiser")
    lr: float = parameter(0.1, "learning rate", gt=0)
    momentum: float = parameter(0.9, "momentum of sgd", ge=0, lt=1)
    nesterov: bool = parameter(False, "Nesterov's momentum")
    weight_decay: float = parameter(0.0, "added to the gradient, per weight", ge=0)
    epochs: int = parameter(50, "passes over the training data", gt=0)
    batch_size: int = parameter(128, "samples per step", gt=0)
    schedule: Schedule = parameter("garipov", "learning rate over time")
    augment: tuple[Literal["flip", "crop"], ...] = parameter(
        (), "flip: horizontally, with probability 1/2; crop: shifted by up to 4 pixels"
    )
    normalize: Literal["none", "dataset", "imagenet", "garipov"] = parameter(
        "none", "channel statistics: none, the training set's, ImageNet's, Garipov's for CIFAR"
    )

    def rate(self, epoch: int) -> float:
        """The learning rate in ``epoch``, counted from 0."""
        if self.schedule == "cosine":
            return self.lr * (1 + cos(pi * epoch / self.epochs)) / 2
        progress = (epoch + 1) / self.epochs
        if self.schedule == "garipov" and progress > 0.5:
            return self.lr * max(0.01, 1 - 0.99 * (progress - 0.5) / 0.4)
        return self.lr
