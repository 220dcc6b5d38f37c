"""Weight adjustment: keep the next layer's output by least squares; and WA-ensembles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import mcbench
from mcbench import Params, Problem, Stage

if TYPE_CHECKING:
    from mcbench_wa.adjusting import Adjusting
    from mcbench_wa.ensemble import WA, WAEnsemble, WAStorage

REFERENCE = "Anokhin & Yarotsky, ICML 2020 (connections using weight adjustment)"


@dataclass(frozen=True)
class WeightAdjustment:
    r"""Adjusts a layer's weights so that its outputs stay what they were.

    At a point with features F(u) (inputs of the layer; of a convolution, the patches it sees) and
    weights W(u), the adjusted weights are
    :math:`W(u) + R\,F^\top (F F^\top + \lambda I)^{-1}` with the residual
    :math:`R = Y(u) - W(u) F(u)`: of all least-squares solutions of
    :math:`\min_W |W F(u) - Y(u)|^2` the one nearest to W(u), for :math:`\lambda \to 0`. The
    published code takes the pseudo-inverse instead, which is the solution nearest to 0, and is
    not continuous where the features' rank changes: ``nearest=zero``. The target outputs Y(u) go
    from those at the start of the leg to A's, which are the same on the first leg:
    :math:`(1-u)\,Y(0) + u\,Y^A`.
    The layer's bias and normalisation stay A's. Moments are streamed over the un-augmented
    training data: see `mcbench.Gram`.
    """

    name = "wa"
    summary = "weight adjustment: a layer keeps A's outputs by least squares"
    reference = REFERENCE
    along: ClassVar[bool] = True
    cutoff: float = mcbench.parameter(
        1e-12, "lambda relative to the trace of the features' moments", gt=0, lt=1
    )
    precision: Literal["float32", "float64"] = mcbench.parameter(
        "float32", "of the products of features; sums and solutions are float64"
    )
    positions: int = mcbench.parameter(
        0, "positions per image that a convolution's moments are taken at; 0: all", ge=0
    )
    nearest: Literal["point", "zero"] = mcbench.parameter(
        "point",
        "which of all weights that fit as well: those nearest to the point's, or to 0",
        later=True,
    )

    @property
    def expected_path_failures(self) -> dict[str, str]:
        """Expected failure of checks of paths: small cutoffs give huge weights on small data."""
        if self.nearest == "zero":
            return {"continuity": "where a neuron never fires, its weights jump to 0"}
        if self.cutoff >= 1e-6:
            return {}
        reason = (
            "where a neuron begins to fire on few samples, the least-squares optimum has weights "
            "in the thousands, though outputs stay; a larger cutoff bounds them"
        )
        return {"continuity": reason}

    def prepare(self, stage: Stage, problem: Problem) -> Adjusting:
        """Adjustment of points of the leg."""
        from mcbench_wa.adjusting import Adjusting

        return Adjusting(stage, problem, self)

    def several(
        self, adjust: Adjusting, move: Callable[[float], Params], times: Sequence[float]
    ) -> list[Params]:
        """Adjusted points of a leg at some times; ``move`` gives the points before."""
        return adjust.several(move, times)


@dataclass(frozen=True)
class Butterfly(WeightAdjustment):
    """Weight adjustment only where a leg ends: between, whole neurons move freely.

    Its lambda is larger by default: a weight that is large for the sake of few samples is harmless
    with the features it was adjusted to, but not with those on the way there.
    """

    name = "butterfly"
    summary = "weight adjustment only where a leg ends; between, whole neurons move freely"
    along: ClassVar[bool] = False
    cutoff: float = mcbench.parameter(
        1e-3, "lambda relative to the trace of the features' moments", gt=0, lt=1
    )


@mcbench.hookimpl
def mcbench_adjustments() -> Iterator[WeightAdjustment]:
    """Weight adjustment as a part of composed methods."""
    yield WeightAdjustment()
    yield Butterfly()


@mcbench.hookimpl
def mcbench_methods() -> Iterator[mcbench.Composition]:
    """Weight adjustment after the linear, the arc and the OT connection of the hidden layer."""
    along = "passes over the training data for every point that is asked for"
    at_ends = "passes over the training data for every layer, and none for a point between"
    for base, matching, interpolation in (
        ("linear", "identity", "linear"),
        ("arc", "identity", "arc"),
        ("ot", "ot", "linear"),
    ):
        for suffix, adjustment, how, cost in (
            ("wa", "wa", "the next layer adjusted at every point", along),
            ("bfly", "butterfly", "the next layer adjusted where a leg ends", at_ends),
        ):
            yield mcbench.Composition(
                f"{base}-{suffix}",
                f"{base} connection layer by layer, {how}",
                REFERENCE,
                f"A lower path than {base} without training, at the cost of {cost}.",
                matching=matching,
                interpolation=interpolation,
                adjustment=adjustment,
            )


@mcbench.hookimpl
def mcbench_metrics() -> Iterator[WAEnsemble | WAStorage]:
    """Accuracy and storage of WA-ensembles."""
    from mcbench_wa.ensemble import WAEnsemble, WAStorage

    yield WAEnsemble()
    yield WAStorage()


@mcbench.hookimpl
def mcbench_ensembles() -> Iterator[WA]:
    """WA-ensembles of any number of networks."""
    from mcbench_wa.ensemble import WA

    yield WA()
