"""Formulas of the metrics of a curve."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mcbench.errors import StructureError

if TYPE_CHECKING:
    from mcbench.evaluation.curve import Curve


def worst_accuracy(curve: Curve, split: str) -> float:
    r""":math:`\min_i \mathrm{acc}(\psi(t_i))` over the grid. "Worst" differs between papers."""
    return min(curve.on_grid(accuracies(curve, split)))


def worst_accuracy_refined(curve: Curve, split: str) -> float:
    r""":math:`\min_t \mathrm{acc}(\psi(t))` over the grid and the refined points.

    It is never above worst-accuracy.
    """
    return min(accuracies(curve, split))


def accuracies(curve: Curve, split: str) -> list[float]:
    """Accuracies along the path.

    Raises:
        StructureError: If the data have no classes.
    """
    if not curve.accuracy:
        raise StructureError("the data have no classes, so there are no accuracies")
    return curve.accuracy[split]


def highest_loss(curve: Curve, split: str) -> float:
    r""":math:`\max_t L(\psi(t))`, with the refined points: the loss at the path's saddle.

    Papers that look for the lowest path report it as the saddle's loss, Draxler et al. beside the
    losses of the minima. It is never below the loss of an end.
    """
    return max(curve.loss[split])


def lowest_loss(curve: Curve, split: str) -> float:
    r""":math:`\min_t L(\psi(t))`, with the refined points: curves may run below both ends."""
    return min(curve.loss[split])


def mean_loss(curve: Curve, split: str) -> float:
    r""":math:`\int_0^1 L(\psi(t))\,dt` by the trapezoidal rule; uniform in t."""
    return integral(curve.evenly(curve.t), curve.evenly(curve.loss[split]))


def mean_loss_by_length(curve: Curve, split: str) -> float:
    r""":math:`\int L\,|d\psi| / \int |d\psi|` by the trapezoidal rule.

    The average is uniform in arc length: it does not depend on the parametrisation of the path.
    """
    return along_length(curve, curve.loss[split])


def along_length(curve: Curve, values: list[float]) -> float:
    """The mean over arc length of values at all points; over t if the path has no length."""
    positions = curve.evenly(curve.position)
    moves = positions[-1] > positions[0]
    return integral(positions if moves else curve.evenly(curve.t), curve.evenly(values))


def integral(x: list[float], y: list[float]) -> float:
    """The mean of y over x by the trapezoidal rule."""
    area = sum(
        (x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(zip(x, y, strict=True))
    )
    return area / (x[-1] - x[0])


def highest_accuracy(curve: Curve, split: str) -> float:
    r""":math:`\max_t \mathrm{acc}(\psi(t))`, with the refined points: the lowest error."""
    return max(accuracies(curve, split))


def mean_accuracy_by_length(curve: Curve, split: str) -> float:
    r""":math:`\int \mathrm{acc}\,|d\psi| / \int |d\psi|` by the trapezoidal rule.

    It may be high although the path goes through a point of low accuracy: compare worst-accuracy.
    """
    return along_length(curve, accuracies(curve, split))


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

    It is positive if and only if some point has a higher loss than both ends, else 0: Gotmare et
    al. call the first case a barrier. Between two iterates of one
    training a loss that falls all the way has barrier above 0, but barrier-max 0.
    """
    loss = curve.loss[split]
    return max(loss) - max(loss[0], loss[-1])


def length(curve: Curve, split: None) -> float:
    r""":math:`\int |d\psi|`, Euclidean, over all floating-point parameters and buffers.

    Its unit is that of the parameters. Curved legs are measured by chords between points of the
    grid.
    """
    return curve.position[-1]


def length_ratio(curve: Curve, split: None) -> float:
    r""":math:`\int |d\psi| / |\psi(1) - \psi(0)|`: 1 for a straight line and equal ends.

    For a path that ends at a permuted B the distance is that to the permuted network, not to B.
    """
    return curve.position[-1] / curve.straight if curve.straight else 1.0


def ensemble_ends(curve: Curve, split: str) -> float:
    """Accuracy of the averaged softmax outputs of the path's two ends."""
    accuracies(curve, split)
    return curve.ensembles["ends"][split]


def ensemble_path(curve: Curve, split: str) -> float:
    """Accuracy of the averaged softmax outputs of all points of the grid."""
    accuracies(curve, split)
    return curve.ensembles["path"][split]


def ensemble_along(curve: Curve, split: str) -> float:
    r"""The mean over t of the accuracy of the ensemble of A and :math:`\psi(t)`.

    Softmax outputs of both are averaged; the mean is by the trapezoidal rule. Compare a method
    with ``linear`` and ``random-direction``, and draw it with ``mcbench plot --ensemble``: points
    of low loss that are far from A make other errors than A, points near it the same errors.
    """
    accuracies(curve, split)
    return integral(curve.evenly(curve.t), curve.evenly(curve.with_start[split]))


def end_points(curve: Curve, split: str) -> float:
    """Mean of the accuracies at both ends."""
    accuracy = accuracies(curve, split)
    return (accuracy[0] + accuracy[-1]) / 2
