"""Metrics of an evaluated path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from mcbench.errors import StructureError
from mcbench.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from mcbench.evaluation.evaluate import Curve
    from mcbench.evaluation.metric import Evaluation
    from mcbench.problem.problem import SplitName


@dataclass(frozen=True)
class CurveMetric:
    """A metric that is a function of the curve alone.

    Arguments:
        name: The metric's name.
        summary: One line.
        unit: Of the value.
        better: Which direction is better.
        formula: From the curve and a split to the value.
        splits: Whether it differs between train and test.
        reference: The source of the definition.
    """

    name: str
    summary: str
    unit: str
    better: Literal["higher", "lower", ""]
    formula: Callable[[Curve, Any], float]
    splits: bool = True
    reference: str = ""

    @property
    def description(self) -> str:
        """The formula's own."""
        return self.formula.__doc__ or ""

    def measure(self, evaluation: Evaluation, split: SplitName | None) -> float:
        """The value of the formula."""
        return self.formula(evaluation.curve, split)


def worst_accuracy(curve: Curve, split: str) -> float:
    r""":math:`\min_i \mathrm{acc}(\psi(t_i))` over the grid. "Worst" differs between papers."""
    return min(curve.on_grid(_accuracy(curve, split)))


def worst_accuracy_refined(curve: Curve, split: str) -> float:
    r""":math:`\min_t \mathrm{acc}(\psi(t))` over the grid and the refined points.

    It is never above worst-accuracy.
    """
    return min(_accuracy(curve, split))


def _accuracy(curve: Curve, split: str) -> list[float]:
    if not curve.accuracy:
        raise StructureError("the data have no classes, so there are no accuracies")
    return curve.accuracy[split]


def highest_loss(curve: Curve, split: str) -> float:
    r""":math:`\max_t L(\psi(t))`, with the refined points: the loss at the path's saddle.

    Papers that look for the lowest path report it as the saddle's loss, Draxler et al. beside the
    losses of the minima. What it says of a path is bounded from below by its ends.
    """
    return max(curve.loss[split])


def lowest_loss(curve: Curve, split: str) -> float:
    r""":math:`\min_t L(\psi(t))`, with the refined points: curves may run below both ends."""
    return min(curve.loss[split])


def mean_loss(curve: Curve, split: str) -> float:
    r""":math:`\int_0^1 L(\psi(t))\,dt` by the trapezoidal rule on the grid; uniform in t."""
    return _integral(curve.on_grid(curve.t), curve.on_grid(curve.loss[split]))


def mean_loss_by_length(curve: Curve, split: str) -> float:
    r""":math:`\int L\,|d\psi| / \int |d\psi|` by the trapezoidal rule on the grid.

    The average is uniform in arc length: it does not depend on how fast the path is run through.
    """
    return _by_length(curve, curve.on_grid(curve.loss[split]))


def _by_length(curve: Curve, values: list[float]) -> float:
    """The mean over arc length of values on the grid; over t if the path has no length."""
    positions = curve.on_grid(curve.position)
    moves = positions[-1] > positions[0]
    return _integral(positions if moves else curve.on_grid(curve.t), values)


def _integral(x: list[float], y: list[float]) -> float:
    area = sum(
        (x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(zip(x, y, strict=True))
    )
    return area / (x[-1] - x[0])


def highest_accuracy(curve: Curve, split: str) -> float:
    r""":math:`\max_t \mathrm{acc}(\psi(t))`, with the refined points: the lowest error."""
    return max(_accuracy(curve, split))


def mean_accuracy_by_length(curve: Curve, split: str) -> float:
    r""":math:`\int \mathrm{acc}\,|d\psi| / \int |d\psi|` by the trapezoidal rule on the grid.

    A path may have a high one and yet go through a point where nothing is left: compare
    worst-accuracy.
    """
    return _by_length(curve, curve.on_grid(_accuracy(curve, split)))


def barrier_mean(curve: Curve, split: str) -> float:
    r""":math:`\max_t L(t) - \frac12 (L(0) + L(1))`, with the refined points."""
    loss = curve.loss[split]
    return max(loss) - (loss[0] + loss[-1]) / 2


def barrier_linear(curve: Curve, split: str) -> float:
    r""":math:`\max_t [L(t) - (1-t) L(0) - t L(1)]`, with the refined points.

    It equals barrier if both ends have the same loss.
    """
    loss = curve.loss[split]
    return max(x - (1 - t) * loss[0] - t * loss[-1] for t, x in zip(curve.t, loss, strict=True))


def barrier_max(curve: Curve, split: str) -> float:
    r""":math:`\max_t L(t) - \max(L(0), L(1))`, with the refined points.

    It is positive if and only if some point between the ends has a higher loss than both, which
    is when Gotmare et al. say that there is a barrier; else 0. Between two iterates of one
    training a loss that falls all the way has barrier above 0, but barrier-max 0.
    """
    loss = curve.loss[split]
    return max(loss) - max(loss[0], loss[-1])


def length(curve: Curve, split: None) -> float:
    r""":math:`\int |d\psi|`, Euclidean, over all floating-point parameters and buffers.

    It has the unit of the parameters. On curved legs it is that of the chords between the points
    of the grid.
    """
    return curve.position[-1]


def length_ratio(curve: Curve, split: None) -> float:
    r""":math:`\int |d\psi| / |\psi(1) - \psi(0)|`: 1 for a straight line, and if the ends are one.

    A path that ends at a permuted B is compared with its own end, so its ratio is not that of a
    path to B.
    """
    return curve.position[-1] / curve.straight if curve.straight else 1.0


def ensemble_ends(curve: Curve, split: str) -> float:
    """Accuracy of the averaged softmax outputs of the path's two ends."""
    _accuracy(curve, split)
    return curve.ensembles["ends"][split]


def ensemble_path(curve: Curve, split: str) -> float:
    """Accuracy of the averaged softmax outputs of all points of the grid."""
    _accuracy(curve, split)
    return curve.ensembles["path"][split]


def ensemble_along(curve: Curve, split: str) -> float:
    r"""The mean over t of the accuracy of the ensemble of A and :math:`\psi(t)`, on the grid.

    Softmax outputs of both are averaged; the mean is by the trapezoidal rule. Compare a method
    with ``linear`` and ``random-direction``, and draw it with ``mcbench plot --ensemble``: points
    that are far from A along a path of low loss make other errors than A, points near it the same
    ones.
    """
    _accuracy(curve, split)
    return _integral(curve.on_grid(curve.t), curve.on_grid(curve.with_start[split]))


def end_points(curve: Curve, split: str) -> float:
    """The mean of the accuracies at both ends."""
    accuracy = _accuracy(curve, split)
    return (accuracy[0] + accuracy[-1]) / 2


class LossWithDecay:
    r""":math:`L(\psi(t)) + \frac{\lambda}{2} |\psi(t)|^2` along the path, as in Garipov's table 2.

    :math:`\lambda` is the weight decay of the endpoints' recipe, and the norm is over all
    parameters, biases and those of normalisations too. Four values, all on the grid and without
    refined points: ``lowest``, ``mean`` over t, ``by-length`` (their "int"), ``highest``. The
    means are by the trapezoidal rule; the published code's mean is that of the points.

    Of runs that were stored before norms were measured the path is built again.
    """

    name = "loss-with-decay"
    summary = "loss with weight decay: lowest, mean, mean by length, highest on the grid"
    reference = "Garipov et al., NeurIPS 2018, table 2 and published code"
    unit = "nats"
    better = "lower"
    splits = True
    usual = False

    def measure(self, evaluation: Evaluation, split: SplitName | None) -> dict[str, float]:
        """The four values."""
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
            "mean": _integral(times, total),
            "by-length": _by_length(curve, total),
            "highest": max(total),
        }


@hookimpl
def mcbench_metrics() -> Iterator[Any]:
    """The built-in metrics."""
    anokhin = "Anokhin & Yarotsky, ICML 2020, tables"
    garipov = "Garipov et al., NeurIPS 2018"
    row = CurveMetric
    yield row(
        "worst-accuracy",
        "lowest accuracy on the grid",
        "%",
        "higher",
        worst_accuracy,
        reference=anokhin,
    )
    yield row(
        "worst-accuracy-refined",
        "lowest accuracy on the grid and where it was refined",
        "%",
        "higher",
        worst_accuracy_refined,
    )
    yield row(
        "end-accuracy",
        "mean accuracy of the path's two ends",
        "%",
        "higher",
        end_points,
        reference=anokhin,
    )
    yield row(
        "highest-accuracy",
        "highest accuracy on the grid and where it was refined",
        "%",
        "higher",
        highest_accuracy,
        reference=f"{garipov}, table 2",
    )
    yield row(
        "mean-accuracy-by-length",
        "mean accuracy along the path, by arc length",
        "%",
        "higher",
        mean_accuracy_by_length,
        reference=f"{garipov}, table 2",
    )
    yield row(
        "mean-loss",
        "mean loss along the path, uniform in t",
        "nats",
        "lower",
        mean_loss,
        reference=f"{garipov}, eq. 2",
    )
    yield row(
        "mean-loss-by-length",
        "mean loss along the path, by arc length",
        "nats",
        "lower",
        mean_loss_by_length,
        reference=f"{garipov}, eq. 1",
    )
    yield row(
        "highest-loss",
        "highest loss on the grid and where it was refined: the saddle",
        "nats",
        "lower",
        highest_loss,
        reference="Draxler et al., ICML 2018, sec. 3 and table B.1",
    )
    yield row(
        "lowest-loss",
        "lowest loss on the grid and where it was refined",
        "nats",
        "lower",
        lowest_loss,
        reference=f"{garipov}, table 2",
    )
    yield row(
        "barrier",
        "highest loss above the mean of the ends",
        "nats",
        "lower",
        barrier_mean,
        reference="Ainsworth et al., ICLR 2023, sec. 2",
    )
    yield row(
        "barrier-linear",
        "highest loss above the line between the ends' losses",
        "nats",
        "lower",
        barrier_linear,
        reference="Entezari et al., ICLR 2022",
    )
    yield row(
        "barrier-max",
        "highest loss above the higher one of the ends: 0 if there is no barrier",
        "nats",
        "lower",
        barrier_max,
        reference="Gotmare et al. 2018, arXiv 1806.06977, study of SGDR",
    )
    yield row("length", "arc length", "", "lower", length, False, f"{garipov}, table 2")
    yield row(
        "length-ratio",
        "arc length by the distance between the ends",
        "",
        "lower",
        length_ratio,
        False,
        f"{garipov}, table 2",
    )
    yield row(
        "ensemble-ends",
        "accuracy of the ensemble of the ends",
        "%",
        "higher",
        ensemble_ends,
    )
    yield row(
        "ensemble-path",
        "accuracy of the ensemble of all points of the grid",
        "%",
        "higher",
        ensemble_path,
        reference=f"{garipov}, sec. 5",
    )
    yield row(
        "ensemble-along",
        "accuracy of the ensemble of A and a point of the path, mean over the points",
        "%",
        "higher",
        ensemble_along,
        reference=f"{garipov}, sec. 5",
    )
    yield LossWithDecay()
