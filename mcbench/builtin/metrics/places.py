"""Accuracies at single points of a path: its start, its end, its midpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mcbench.builtin.metrics.curve import METRICS, accuracies, of_accuracy
from mcbench.evaluation.curve_metric import CurveMetric
from mcbench.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from mcbench.evaluation.evaluate import Curve


@of_accuracy("accuracy-a", "accuracy of A", better="", usual=False)
def accuracy_a(curve: Curve, split: str) -> float:
    """Accuracy at t = 0, which is A's."""
    return accuracies(curve, split)[0]


@of_accuracy("accuracy-b", "accuracy of the path's other end, B's", better="", usual=False)
def accuracy_b(curve: Curve, split: str) -> float:
    """Accuracy at t = 1: B's, unless the path stops short of it."""
    return accuracies(curve, split)[-1]


@of_accuracy(
    "midpoint-accuracy",
    "accuracy half way, at t = 0.5",
    "Gotmare et al. 2018, arXiv 1806.06977, figures",
    usual=False,
)
def midpoint_accuracy(curve: Curve, split: str) -> float:
    """Accuracy at t = 0.5, interpolated between its neighbours if the grid does not have it."""
    accuracy = curve.on_grid(accuracies(curve, split))
    last = len(accuracy) - 1
    return (accuracy[last // 2] + accuracy[-(-last // 2)]) / 2


@hookimpl
def mcbench_metrics() -> Iterator[CurveMetric]:
    """Metrics for paths whose ends differ, as those between networks of two recipes.

    Accuracies of the ends have no direction: they do not depend on the method.
    """
    yield from METRICS[__name__]
