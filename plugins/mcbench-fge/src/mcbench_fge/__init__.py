"""Ensembles from one training: FGE, snapshot ensembles (SSE) and averaged weights (SWA)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import mcbench
from mcbench import Endpoint, Params, Problem, Recipe

if TYPE_CHECKING:
    from mcbench_fge.course import Course

PRETRAIN = "epochs of the recipe before its start"


def _pretrained(name: str, recipe: Recipe, pretrain: int) -> Recipe | None:
    """The recipe, stopped after ``pretrain`` epochs; ``None`` if there are none.

    Raises:
        UsageError: If the recipe has fewer epochs.
    """
    if pretrain > recipe.last or pretrain < 0:
        raise mcbench.UsageError(
            f"ensemble '{name}' starts from networks trained for {pretrain} epochs: recipe "
            f"'{recipe.name}' has {recipe.last}, so take 'pretrain' from 0 to {recipe.last}"
        )
    if pretrain == recipe.last:
        return recipe
    return replace(recipe, stop=pretrain) if pretrain else None


class Collected:
    """Ensemble whose members are collected along one training, its course."""

    def course(self, problem: Problem) -> Course:
        """The learning rate, and when members are collected."""
        raise NotImplementedError

    def collect(self, start: Endpoint, problem: Problem) -> list[Params]:
        """The members, trained now or loaded from the problem's workshop."""
        from mcbench_fge.course import collect

        return collect(self.course(problem), start, problem)


@dataclass(frozen=True)
class FGE(Collected):
    r"""Fast geometric ensembling: members along a cyclical learning rate, from one training.

    From a network that was trained for ``pretrain`` epochs of the recipe, training continues with
    a learning rate that goes from :math:`\alpha_1` linearly down to :math:`\alpha_2` and up again
    in every cycle of c steps: in step i = 1, 2, ..., with
    :math:`t(i) = (\mathrm{mod}(i - 1, c) + 1) / c`, it is
    :math:`(1 - 2t)\,\alpha_1 + 2t\,\alpha_2` for :math:`t \le 1/2` and
    :math:`(2 - 2t)\,\alpha_2 + (2t - 1)\,\alpha_1` after. A member is collected in the middle of
    each cycle, at t = 1/2, where the rate is lowest. The training ends with the last member: n
    cycles of p epochs take :math:`(n - 1/2)\,p`. Optimiser, weight decay, minibatches and
    augmentation are the recipe's; momentum starts anew, for endpoints do not keep it (the
    published code keeps it).

    Defaults are those of the paper's ResNet-164: 6 cycles of 4 epochs between 1/2 and 1/200 of the
    recipe's rate. For VGG-16 and WRN-28-10 the paper joins two such trainings from one network,
    after 120 and 156 of 200 epochs; here it is one, with as many cycles and the same epochs in
    all: ``fge[cycles=22,period=2,lr_high=0.01,lr_low=0.0005]`` and ``fge[cycles=12]``.
    """

    name = "fge"
    summary = "fast geometric ensembling: members along a cyclical learning rate"
    reference = "Garipov et al., NeurIPS 2018, sec. 4"
    trial: ClassVar[dict[str, object]] = {"cycles": 2, "period": 2}
    cycles: int = mcbench.parameter(6, "n, members of one training", gt=0)
    period: int = mcbench.parameter(4, "p, epochs of a cycle", gt=0)
    lr_high: float | None = mcbench.parameter(
        None, "alpha_1, the highest learning rate; none: half of the recipe's", gt=0
    )
    lr_low: float | None = mcbench.parameter(
        None, "alpha_2, the lowest learning rate; none: 1/200 of the recipe's", ge=0
    )
    pretrain: int | None = mcbench.parameter(
        None, f"{PRETRAIN}; none: what the cycles leave of its epochs", ge=0
    )

    def _before(self, recipe: Recipe) -> int:
        """Epochs of the pretraining."""
        if self.pretrain is not None:
            return self.pretrain
        left = int(recipe.last - (self.cycles - 0.5) * self.period)
        if left < 0:
            raise mcbench.UsageError(
                f"ensemble 'fge' takes {(self.cycles - 0.5) * self.period:g} epochs for "
                f"{self.cycles} cycles of {self.period}: recipe '{recipe.name}' has "
                f"{recipe.last}; take fewer or shorter ones"
            )
        return left

    def start(self, recipe: Recipe) -> Recipe | None:
        """The recipe, stopped where the cyclical learning rate begins."""
        return _pretrained(self.name, recipe, self._before(recipe))

    def epochs(self, recipe: Recipe) -> tuple[float, ...]:
        """The middle of each cycle."""
        before = self._before(recipe)
        return tuple(before + (j + 0.5) * self.period for j in range(self.cycles))

    def course(self, problem: Problem) -> Course:
        """The learning rate, and when members are collected."""
        from mcbench_fge.course import Course, steps_of

        recipe, steps = problem.recipe, steps_of(problem)
        cyclic = replace(
            recipe,
            schedule="cyclic",
            lr=self.lr_high or recipe.lr / 2,
            floor=recipe.lr / 200 if self.lr_low is None else self.lr_low,
            period=self.period,
        )
        cycle = self.period * steps
        middle = max(1, cycle // 2)
        return Course(
            self.name,
            lambda i: cyclic.rate((i - 1) // steps, (i - 1) % steps, steps),
            tuple(j * cycle + middle for j in range(self.cycles)),
        )


@dataclass(frozen=True)
class SSE(Collected):
    r"""Snapshot ensemble: members at the ends of cosine cycles, from one training.

    A network is trained from its initial weights for all epochs of the recipe, T steps, in M
    cycles: in step i the learning rate is
    :math:`\frac{\alpha_0}{2} \left( \cos \frac{\pi\, \mathrm{mod}(i - 1, \lceil T/M \rceil)}
    {\lceil T/M \rceil} + 1 \right)`, and a member is collected at the end of each cycle. All of
    them are used. Optimiser, weight decay, minibatches and augmentation are the recipe's.
    """

    name = "sse"
    summary = "snapshot ensemble: members at the ends of cosine cycles, within one training"
    reference = "Huang et al., ICLR 2017, eq. 2"
    trial: ClassVar[dict[str, object]] = {"cycles": 2}
    cycles: int = mcbench.parameter(5, "M, members of one training", gt=0)
    lr: float | None = mcbench.parameter(
        None, "alpha_0, the learning rate at the start of a cycle; none: the recipe's", gt=0
    )

    def start(self, recipe: Recipe) -> None:
        """None: it starts from initial weights."""
        if self.cycles > recipe.last:
            raise mcbench.UsageError(
                f"ensemble 'sse' has {self.cycles} cycles: recipe '{recipe.name}' has "
                f"{recipe.last} epochs"
            )

    def epochs(self, recipe: Recipe) -> tuple[float, ...]:
        """Ends of the cycles, equal shares of the recipe's epochs up to a step."""
        return tuple(recipe.last * (j + 1) / self.cycles for j in range(self.cycles))

    def course(self, problem: Problem) -> Course:
        """The learning rate, and when members are collected."""
        from math import ceil, cos, pi

        from mcbench_fge.course import Course, steps_of

        rate = self.lr or problem.recipe.lr
        whole = problem.recipe.last * steps_of(problem)
        cycle = ceil(whole / self.cycles)
        return Course(
            self.name,
            lambda i: rate / 2 * (cos(pi * ((i - 1) % cycle) / cycle) + 1),
            tuple(min((j + 1) * cycle, whole) for j in range(self.cycles)),
        )


@dataclass(frozen=True)
class SWA(Collected):
    r"""Stochastic weight averaging: one network, the mean of the weights along a training.

    From a network that was trained for ``pretrain`` epochs of the recipe, training continues to
    the end of the recipe's epochs; the weights where it starts and those after every ``period``
    epochs are averaged. The learning rate is constant, or, with ``lr_low``, goes in each period
    from ``lr`` down to it, in step i with :math:`t(i) = (\mathrm{mod}(i - 1, c) + 1) / c`
    :math:`(1 - t)\,\alpha_1 + t\,\alpha_2`. Running statistics of batch norms are estimated at
    the mean, in one more pass over the training data, which is not counted as an epoch.
    Optimiser, weight decay, minibatches and augmentation are the recipe's; momentum starts anew.

    The published runs start after about 3/4 of the epochs, with 1/2 or 1/5 of the learning rate,
    and last 1, 1.25 or 1.5 times the epochs.
    """

    name = "swa"
    summary = "one network: the mean of the weights along a training's last part"
    reference = "Izmailov et al., UAI 2018, algorithm 1"
    trial: ClassVar[dict[str, object]] = {"pretrain": 3}
    period: int = mcbench.parameter(1, "epochs between points that are averaged", gt=0)
    lr: float | None = mcbench.parameter(
        None, "alpha_1, the learning rate; none: half of the recipe's", gt=0
    )
    lr_low: float | None = mcbench.parameter(
        None, "alpha_2, the learning rate at the end of each period; none: as at its start", ge=0
    )
    pretrain: int | None = mcbench.parameter(None, f"{PRETRAIN}; none: 3/4 of them", ge=0)

    def _before(self, recipe: Recipe) -> int:
        """Epochs of the pretraining."""
        return recipe.last * 3 // 4 if self.pretrain is None else self.pretrain

    def _count(self, recipe: Recipe) -> int:
        """Number of periods that are left for averaging."""
        left = recipe.last - self._before(recipe)
        if left < self.period:
            raise mcbench.UsageError(
                f"ensemble 'swa' averages points every {self.period} epochs: recipe "
                f"'{recipe.name}' leaves {max(left, 0)} of its {recipe.last} after "
                f"{self._before(recipe)} of pretraining"
            )
        return left // self.period

    def start(self, recipe: Recipe) -> Recipe | None:
        """The recipe, stopped where the cyclical learning rate begins."""
        self._count(recipe)
        return _pretrained(self.name, recipe, self._before(recipe))

    def epochs(self, recipe: Recipe) -> tuple[float, ...]:
        """End of the last period."""
        return (float(self._before(recipe) + self._count(recipe) * self.period),)

    def collect(self, start: Endpoint, problem: Problem) -> list[Params]:
        """The mean, trained now or loaded from the problem's workshop."""
        statistics = mcbench.Statistics(problem, problem.recipe)
        return [statistics.renew(mean) for mean in super().collect(start, problem)]

    def course(self, problem: Problem) -> Course:
        """The learning rate, and when points are averaged."""
        from mcbench_fge.course import Course, steps_of

        cycle = self.period * steps_of(problem)
        high = self.lr or problem.recipe.lr / 2
        low = high if self.lr_low is None else self.lr_low

        def rate(i: int) -> float:
            t = ((i - 1) % cycle + 1) / cycle
            return (1 - t) * high + t * low

        count = self._count(problem.recipe)
        return Course(self.name, rate, tuple((j + 1) * cycle for j in range(count)), mean=True)


@mcbench.hookimpl
def mcbench_ensembles() -> Iterator[Collected]:
    """FGE, snapshot ensembles and SWA."""
    yield FGE()
    yield SSE()
    yield SWA()
