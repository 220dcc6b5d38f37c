"""Trained curves: polygonal chains and Bezier curves between two networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import mcbench

if TYPE_CHECKING:
    from mcbench import Endpoint, Path, Problem, Recipe

REFERENCE = "Garipov et al., NeurIPS 2018, sec. 3, eq. 2; published code for the training"

RATE = 0.3
"""Learning rate as a share of the endpoints', in all commands of Garipov et al."""

ANOKHIN = "Anokhin & Yarotsky, ICML 2020, tables 1 to 3, after Garipov et al., NeurIPS 2018"


@dataclass(frozen=True)
class TrainedCurve:
    r"""A curve whose control points between A and B, the bends, are trained for a low mean loss.

    :math:`\phi(t) = \sum_i c_i(t)\, w_i` with :math:`w_0 = A` and :math:`w_{n+1} = B` fixed, and
    n bends that start on the straight line. Each step takes one minibatch and one t ~ U(0, 1),
    and follows the gradient in the bends of
    :math:`\mathrm{CE}(\phi(t)) + \tfrac{\lambda}{2} |\phi(t)|^2`, which estimates
    :math:`\mathbb{E}_t\, L(\phi(t))`. The optimiser is SGD with momentum; the network is in
    training mode. Floating-point buffers move along the straight line; running statistics of
    batch norms are estimated anew at every point between the ends, in one pass over the training
    data. Any network will do.

    The ``objective`` can be another one: ``length``, the mean over arc length,
    :math:`\int L |\phi'| / \int |\phi'|` (eq. 1), with the gradient of the speed; or ``max``,
    :math:`\tfrac{1}{\beta} \log \int e^{\beta L}` with ``sharpness`` :math:`\beta`, which is
    nearly the highest loss: times are drawn where a table of running losses is high. The
    biases of both estimates are in the package's README.

    A parameter that is ``None`` is that of the endpoints' recipe; the learning rate then is
    ``rate`` times the recipe's: 0.3 in the published commands of Garipov et al., 1 in those of
    Anokhin & Yarotsky, whose tables name ``garipov-3`` and ``garipov-5``. For how many epochs
    those rows were trained is not known.

    Raises:
        RunError: If the training diverges, or the learning rate would be that of Adam.
    """

    name: str
    summary: str = ""
    reference: str = REFERENCE
    shape: Literal["polychain", "bezier"] = "polychain"
    bends: int = 1
    baseline: bool = False
    epochs: int | None = mcbench.parameter(
        None, "passes over the training data; none: the recipe's", gt=0
    )
    lr: float | None = mcbench.parameter(
        None, "learning rate; none: the share 'rate' of the recipe's, which must be of sgd", gt=0
    )
    rate: float = mcbench.parameter(
        RATE, "the learning rate as a share of the recipe's, where lr is none", gt=0
    )
    momentum: float = mcbench.parameter(0.9, "momentum of sgd", ge=0, lt=1)
    batch_size: int | None = mcbench.parameter(None, "samples per step; none: the recipe's", gt=0)
    weight_decay: float | None = mcbench.parameter(
        None, "lambda, over all parameters of the point; none: the recipe's", ge=0
    )
    schedule: Literal["constant", "garipov", "cosine"] = mcbench.parameter(
        "garipov", "learning rate over time, as of recipes"
    )
    objective: Literal["uniform", "length", "max"] = mcbench.parameter(
        "uniform", "what is minimised: the mean loss over t or by length, or its maximum",
        later=True,
    )  # fmt: skip
    sharpness: float = mcbench.parameter(
        30.0, "beta of the objective max, per nat: the higher, the nearer to the maximum",
        later=True, gt=0,
    )  # fmt: skip

    needs: ClassVar[frozenset[Literal["data"]]] = frozenset({"data"})
    explicit: ClassVar[bool] = False
    learnable: ClassVar[bool] = True
    statistics: ClassVar[str] = "reset"
    trial: ClassVar[dict[str, object]] = {"epochs": 2}
    expected_failures: ClassVar[dict[str, str]] = {
        "float64": "bends are trained in the precision that networks are built in, float32"
    }
    use: ClassVar[str] = (
        "For any network, and where a low path matters more than its cost: every pair is "
        "trained anew, for about as long as a network."
    )

    @property
    def route(self) -> str:
        """The shape of the path in a few words."""
        bends = f"{self.bends} trained bend{'s' * (self.bends > 1)}"
        if self.shape == "polychain":
            return f"{self.bends + 1} lines over {bends}"
        return f"Bezier curve with {bends}"

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """The curve, trained now or loaded from the problem's workshop."""
        from mcbench_curves.route import route
        from mcbench_curves.training import train

        return route(self.shape, train(self, a, b, problem), problem, self.recipe(problem))

    def recipe(self, problem: Problem) -> Recipe:
        """Recipe by which bends are trained: the problem's, with what differs."""
        recipe = problem.recipe
        return replace(
            recipe,
            optimizer="sgd",
            nesterov=False,
            epochs=self.epochs or recipe.epochs,
            lr=self.lr or self.rate * recipe.rate_of_sgd(self.name, "trains curves"),
            momentum=self.momentum,
            batch_size=self.batch_size or recipe.batch_size,
            weight_decay=recipe.weight_decay if self.weight_decay is None else self.weight_decay,
            schedule=self.schedule,
            stop=0,
            init_variance=1.0,
        )


@dataclass(frozen=True)
class Bent(TrainedCurve):
    """A trained curve whose number of bends is the user's choice."""

    bends: int = mcbench.parameter(1, "n, control points between the ends", ge=1)


Bent.__doc__ = TrainedCurve.__doc__  # It is what `mcbench show` prints.


@mcbench.hookimpl
def mcbench_methods() -> Iterator[TrainedCurve]:
    """Curves by their shape, and under the names of published tables."""
    yield Bent("polychain", "polygonal chain with trained bends", shape="polychain", baseline=True)
    yield Bent("bezier", "Bezier curve with trained bends", shape="bezier")
    for bends in (1, 3):
        yield TrainedCurve(
            f"garipov-{bends + 2}",
            f"polygonal chain with {bends + 2} control points, both ends included",
            ANOKHIN,
            bends=bends,
            rate=1.0,
        )
