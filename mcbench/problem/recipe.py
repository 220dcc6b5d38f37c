"""`Recipe`, the optimiser, schedule and augmentation that endpoints are trained with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING, Any, Literal

from mcbench.errors import RunError, UsageError
from mcbench.plugins.parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

Schedule = Literal["constant", "garipov", "cosine", "step", "linear", "restarts", "cyclic"]

WITHIN_EPOCHS = ("restarts", "cyclic")
"""The schedules that change the learning rate at every step, not every epoch."""


@dataclass(frozen=True)
class Recipe:
    r"""Minibatch training with cross-entropy loss.

    Weight decay is added to the gradient. Schedules, as factors of the learning rate in epoch
    e = 1, ..., E, at progress :math:`s = e / E`: ``constant``; ``garipov``: 1 up to s = 0.5, then
    linearly down to 0.01 at s = 0.9, then 0.01 (Garipov et al., NeurIPS 2018, repository; also
    Anokhin & Yarotsky, ICML 2020); ``cosine``: :math:`(1 + \cos \pi (s - 1/E)) / 2`; ``linear``:
    :math:`1 - (s - 1/E)`; ``step``: ``factor`` to the power of the number of past milestones.

    Two schedules cycle between the learning rate :math:`\alpha_1` and ``floor``,
    :math:`\alpha_2`, step by step, i = 1, 2, .... ``restarts``:
    :math:`\alpha_2 + (\alpha_1 - \alpha_2)(1 + \cos \pi r)/2`, where r, from 0, is the past share
    of the cycle; the first takes ``period`` epochs, each later one ``growth`` times as many
    (Loshchilov & Hutter, ICLR 2017, eq. 5). ``cyclic``: with c steps in ``period`` epochs and
    :math:`r = (\mathrm{mod}(i - 1, c) + 1) / c`, linearly from :math:`\alpha_1` down to
    :math:`\alpha_2` at r = 1/2 and up again (Garipov et al., NeurIPS 2018, sec. 4).

    Arguments:
        name: The recipe's name; for a paper's, its first author and year.
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
    milestones: tuple[int, ...] = parameter((), "epochs after which 'step' goes down", later=True)
    factor: float = parameter(0.1, "factor on the learning rate at a milestone", later=True, gt=0)
    floor: float = parameter(
        0.0, "the lowest learning rate of 'restarts' and 'cyclic'", later=True, ge=0
    )
    period: int = parameter(
        10, "epochs of the (first) cycle of 'restarts' and 'cyclic'", later=True, gt=0
    )
    growth: int = parameter(
        1, "length of each cycle of 'restarts' over the one before", later=True, gt=0
    )
    stop: int = parameter(
        0, "epochs after which training stops early, for iterates; 0: never", later=True, ge=0
    )
    init_variance: float = parameter(
        1.0, "factor on the variance of initial weights, biases left out", later=True, gt=0
    )

    def __post_init__(self) -> None:
        if self.stop > self.epochs:
            raise UsageError(
                f"recipe '{self.name}': stop = {self.stop} is beyond its {self.epochs} epochs: "
                f"give at most {self.epochs}, or 0 for no early stop"
            )

    def check_images(self, shape: Sequence[int]) -> None:
        """Test that inputs are images, if they are augmented or normalised.

        Arguments:
            shape: The shape of the inputs.

        Raises:
            UsageError: If they are not.
        """
        if len(shape) != 4 and (self.augment or self.normalize != "none"):
            raise UsageError(
                f"recipe '{self.name}' augments or normalises images (samples, channels, height, "
                f"width), the inputs are {tuple(shape)}: use '{self.name}[augment=(),"
                "normalize=none]'"
            )

    def check_scale(self, other: Recipe, texts: tuple[str, str], joined: str) -> None:
        """Test that networks of both recipes take the same inputs.

        Arguments:
            texts: Both recipes as the user wrote them.
            joined: What would join their networks: ``"in one ensemble"``.

        Raises:
            UsageError: If they normalise the data differently.
        """
        if other.normalize != self.normalize:
            raise UsageError(
                f"recipes '{texts[0]}' and '{texts[1]}' normalise the data differently "
                f"({self.normalize}, {other.normalize}): their networks cannot be {joined}"
            )

    @property
    def last(self) -> int:
        """The number of the last epoch."""
        return self.stop or self.epochs

    def optimizer_of(self, weights: Iterable[Tensor]) -> Optimizer:
        """The recipe's optimiser of ``weights``."""
        import torch

        rest: dict[str, Any] = {"lr": self.lr, "weight_decay": self.weight_decay, "fused": True}
        if self.optimizer == "adam":
            return torch.optim.Adam(weights, **rest)
        return torch.optim.SGD(weights, momentum=self.momentum, nesterov=self.nesterov, **rest)

    def rate_of_sgd(self, method: str, doing: str) -> float:
        """The recipe's learning rate, for a method that trains with SGD.

        Arguments:
            method: The method's name.
            doing: What SGD does there: ``trains curves``.

        Raises:
            RunError: If the recipe's optimiser is not SGD.
        """
        if self.optimizer != "sgd":
            raise RunError(
                f"recipe '{self.name}' trains with {self.optimizer}: its learning rate means "
                f"nothing to sgd, which {doing}; give one: -m '{method}[lr=...]'"
            )
        return self.lr

    def rate(self, epoch: int, step: int = 0, steps: int = 1) -> float:
        """The learning rate in ``step`` of ``steps`` in ``epoch``, both counted from 0."""
        if self.schedule in WITHIN_EPOCHS:
            return self._cycle_rate(epoch + step / steps, 1 / steps)
        if self.schedule == "cosine":
            return self.lr * (1 + cos(pi * epoch / self.epochs)) / 2
        if self.schedule == "linear":
            return self.lr * (1 - epoch / self.epochs)
        if self.schedule == "step":
            return self.lr * self.factor ** sum(epoch >= m for m in self.milestones)
        progress = (epoch + 1) / self.epochs
        if self.schedule == "garipov" and progress > 0.5:
            return self.lr * max(0.01, 1 - 0.99 * (progress - 0.5) / 0.4)
        return self.lr

    def _cycle_rate(self, time: float, step: float) -> float:
        """The rate of a cyclic schedule after ``time`` epochs; a step takes ``step`` epochs."""
        length: float = self.period
        if self.schedule == "cyclic":
            share = (time % length + step) / length
            return self.floor + (self.lr - self.floor) * abs(1 - 2 * share)
        while time >= length:
            time, length = time - length, length * self.growth
        return self.floor + (self.lr - self.floor) * (1 + cos(pi * time / length)) / 2
