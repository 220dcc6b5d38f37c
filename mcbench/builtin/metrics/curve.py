"""Metrics of the whole curve: accuracies, losses, barriers, lengths, ensembles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from mcbench.errors import StructureError
from mcbench.evaluation.curve_metric import CurveMetric
from mcbench.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from mcbench.evaluation.evaluate import Curve
    from mcbench.evaluation.metric import Evaluation
    from mcbench.problem.problem import SplitName

ANOKHIN = "Anokhin & Yarotsky, ICML 2020, tables"
GARIPOV = "Garipov et al., NeurIPS 2018"


METRICS: defaultdict[str, list[CurveMetric]] = defaultdict(list)
"""The metrics that `metric` makes, by the module of their formula."""

Formula = TypeVar("Formula", bound=Callable[..., float])


def metric(
    name: str, summary: str, reference: str = "", **options: Any
) -> Callable[[Formula], Formula]:
    """Make a formula a `CurveMetric`, whose other fields (of any type) are ``options``."""

    def add(formula: Formula) -> Formula:
        result = CurveMetric(name, summary, formula=formula, reference=reference, **options)
        METRICS[formula.__module__].append(result)
        return formula

    return add


of_accuracy = partial(metric, unit="%", better="higher")
of_loss = partial(metric, unit="nats", better="lower")
of_length = partial(metric, unit="", better="lower", splits=False)


def accuracies(curve: Curve, split: str) -> list[float]:
    """Accuracies along the path.

    Raises:
        StructureError: If the data have no classes.
    """
    if not curve.accuracy:
        raise StructureError("the data have no classes, so there are no accuracies")
    return curve.accuracy[split]


def along_length(curve: Curve, values: list[float]) -> float:
    """The mean over arc length of values on the grid; over t if the path has no length."""
    positions = curve.on_grid(curve.position)
    moves = positions[-1] > positions[0]
    return integral(positions if moves else curve.on_grid(curve.t), values)


def integral(x: list[float], y: list[float]) -> float:
    """The mean of y over x by the trapezoidal rule."""
    area = sum(
        (x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(zip(x, y, strict=True))
    )
    return area / (x[-1] - x[0])


@of_accuracy("worst-accuracy", "lowest accuracy on the grid", ANOKHIN, of_network=True)
def worst_accuracy(curve: Curve, split: str) -> float:
    r""":math:`\min_i \mathrm{acc}(\psi(t_i))` over the grid. "Worst" differs between papers."""
    return min(curve.on_grid(accuracies(curve, split)))


@of_accuracy(
    "worst-accuracy-refined",
    "lowest accuracy on the grid and where it was refined",
    of_network=True,
)
def worst_accuracy_refined(curve: Curve, split: str) -> float:
    r""":math:`\min_t \mathrm{acc}(\psi(t))` over the grid and the refined points.

    It is never above worst-accuracy.
    """
    return min(accuracies(curve, split))


@of_accuracy("end-accuracy", "mean accuracy of the path's two ends", ANOKHIN, of_network=True)
def end_accuracy(curve: Curve, split: str) -> float:
    """Mean of the accuracies at both ends."""
    accuracy = accuracies(curve, split)
    return (accuracy[0] + accuracy[-1]) / 2


@of_accuracy(
    "highest-accuracy",
    "highest accuracy on the grid and where it was refined",
    f"{GARIPOV}, table 2",
    of_network=True,
)
def highest_accuracy(curve: Curve, split: str) -> float:
    r""":math:`\max_t \mathrm{acc}(\psi(t))`, with the refined points: the lowest error."""
    return max(accuracies(curve, split))


@of_accuracy(
    "mean-accuracy-by-length", "mean accuracy along the path, by arc length", f"{GARIPOV}, table 2"
)
def mean_accuracy_by_length(curve: Curve, split: str) -> float:
    r""":math:`\int \mathrm{acc}\,|d\psi| / \int |d\psi|` by the trapezoidal rule on the grid.

    It may be high although the path goes through a point of low accuracy: compare worst-accuracy.
    """
    return along_length(curve, curve.on_grid(accuracies(curve, split)))


@of_loss("mean-loss", "mean loss along the path, uniform in t", f"{GARIPOV}, eq. 2")
def mean_loss(curve: Curve, split: str) -> float:
    r""":math:`\int_0^1 L(\psi(t))\,dt` by the trapezoidal rule on the grid; uniform in t."""
    return integral(curve.on_grid(curve.t), curve.on_grid(curve.loss[split]))


@of_loss("mean-loss-by-length", "mean loss along the path, by arc length", f"{GARIPOV}, eq. 1")
def mean_loss_by_length(curve: Curve, split: str) -> float:
    r""":math:`\int L\,|d\psi| / \int |d\psi|` by the trapezoidal rule on the grid.

    The average is uniform in arc length: it does not depend on the parametrisation of the path.
    """
    return along_length(curve, curve.on_grid(curve.loss[split]))


@of_loss(
    "highest-loss",
    "highest loss on the grid and where it was refined: the saddle",
    "Draxler et al., ICML 2018, sec. 3 and table B.1",
    of_network=True,
)
def highest_loss(curve: Curve, split: str) -> float:
    r""":math:`\max_t L(\psi(t))`, with the refined points: the loss at the path's saddle.

    Papers that look for the lowest path report it as the saddle's loss, Draxler et al. beside the
    losses of the minima. It is never below the loss of an end.
    """
    return max(curve.loss[split])


@of_loss(
    "lowest-loss",
    "lowest loss on the grid and where it was refined",
    f"{GARIPOV}, table 2",
    of_network=True,
)
def lowest_loss(curve: Curve, split: str) -> float:
    r""":math:`\min_t L(\psi(t))`, with the refined points: curves may run below both ends."""
    return min(curve.loss[split])


@of_loss(
    "barrier", "highest loss above the mean of the ends", "Ainsworth et al., ICLR 2023, sec. 2"
)
def barrier_mean(curve: Curve, split: str) -> float:
    r""":math:`\max_t L(t) - \frac12 (L(0) + L(1))`, with the refined points."""
    loss = curve.loss[split]
    return max(loss) - (loss[0] + loss[-1]) / 2


@of_loss(
    "barrier-linear",
    "highest loss above the line between the ends' losses",
    "Entezari et al., ICLR 2022",
)
def barrier_linear(curve: Curve, split: str) -> float:
    r""":math:`\max_t [L(t) - (1-t) L(0) - t L(1)]`, with the refined points.

    It equals barrier if both ends have the same loss.
    """
    loss = curve.loss[split]
    return max(x - (1 - t) * loss[0] - t * loss[-1] for t, x in zip(curve.t, loss, strict=True))


@of_loss(
    "barrier-max",
    "highest loss above the higher one of the ends: 0 if there is no barrier",
    "Gotmare et al. 2018, arXiv 1806.06977, study of SGDR",
)
def barrier_max(curve: Curve, split: str) -> float:
    r""":math:`\max_t L(t) - \max(L(0), L(1))`, with the refined points.

    It is positive if and only if some point has a higher loss than both ends, else 0: Gotmare et
    al. call the first case a barrier. Between two iterates of one training a loss that falls all
    the way has barrier above 0, but barrier-max 0.
    """
    loss = curve.loss[split]
    return max(loss) - max(loss[0], loss[-1])


@of_length("length", "arc length", f"{GARIPOV}, table 2")
def length(curve: Curve, split: None) -> float:
    r""":math:`\int |d\psi|`, Euclidean, over all floating-point parameters and buffers.

    Its unit is that of the parameters. Curved legs are measured by chords between points of the
    grid.
    """
    return curve.position[-1]


@of_length("length-ratio", "arc length by the distance between the ends", f"{GARIPOV}, table 2")
def length_ratio(curve: Curve, split: None) -> float:
    r""":math:`\int |d\psi| / |\psi(1) - \psi(0)|`: 1 for a straight line and equal ends.

    For a path that ends at a permuted B the distance is that to the permuted network, not to B.
    """
    return curve.position[-1] / curve.straight if curve.straight else 1.0


@of_accuracy("ensemble-ends", "accuracy of the ensemble of the ends")
def ensemble_ends(curve: Curve, split: str) -> float:
    """Accuracy of the averaged softmax outputs of the path's two ends."""
    accuracies(curve, split)
    return curve.ensembles["ends"][split]


@of_accuracy(
    "ensemble-path", "accuracy of the ensemble of all points of the grid", f"{GARIPOV}, sec. 5"
)
def ensemble_path(curve: Curve, split: str) -> float:
    """Accuracy of the averaged softmax outputs of all points of the grid."""
    accuracies(curve, split)
    return curve.ensembles["path"][split]


@of_accuracy(
    "ensemble-along",
    "accuracy of the ensemble of A and a point of the path, mean over the points",
    f"{GARIPOV}, sec. 5",
)
def ensemble_along(curve: Curve, split: str) -> float:
    r"""The mean over t of the accuracy of the ensemble of A and :math:`\psi(t)`, on the grid.

    Softmax outputs of both are averaged; the mean is by the trapezoidal rule. Compare a method
    with ``linear`` and ``random-direction``, and draw it with ``mcbench plot --ensemble``: points
    of low loss that are far from A make other errors than A, points near it the same errors.
    """
    accuracies(curve, split)
    return integral(curve.on_grid(curve.t), curve.on_grid(curve.with_start[split]))


class LossWithDecay:
    r""":math:`L(\psi(t)) + \frac{\lambda}{2} |\psi(t)|^2` along the path, as in Garipov's table 2.

    :math:`\lambda` is the weight decay of the endpoints' recipe, and the norm is over all
    parameters, biases and those of normalisations too. Four values, all on the grid and without
    refined points: ``lowest``, ``mean`` over t, ``by-length`` (their "int"), ``highest``. The
    means are by the trapezoidal rule; the published code's mean is that of the points.

    If the curve has no norms, the path is built again.
    """

    name = "loss-with-decay"
    summary = "loss with weight decay: lowest, mean, mean by length, highest on the grid"
    reference = "Garipov et al., NeurIPS 2018, table 2 and published code"
    unit = "nats"
    better = "lower"
    splits = True
    usual = False
    of_network = True

    def measure(self, evaluation: Evaluation, split: SplitName | None) -> dict[str, float]:
        """The four values by name."""
        from mcbench.evaluation.losses import square

        curve, problem = evaluation.curve, evaluation.problem
        times = curve.on_grid(curve.t)
        squares = curve.on_grid(curve.square) if curve.square else [
            square(evaluation.path(t), problem) for t in times
        ]  # fmt: skip
        decay = problem.recipe.weight_decay / 2
        losses = curve.on_grid(curve.loss[split or ""])
        total = [loss + decay * n for loss, n in zip(losses, squares, strict=True)]
        return {
            "lowest": min(total),
            "mean": integral(times, total),
            "by-length": along_length(curve, total),
            "highest": max(total),
        }


@hookimpl
def mcbench_metrics() -> Iterator[object]:
    """The built-in metrics of the whole curve."""
    yield from METRICS[__name__]
    yield LossWithDecay()
