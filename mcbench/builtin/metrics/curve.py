"""Metrics of the whole curve: accuracies, losses, barriers, lengths, ensembles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcbench.builtin.metrics import formulas
from mcbench.builtin.metrics.decay import LossWithDecay
from mcbench.evaluation.curve_metric import CurveMetric
from mcbench.plugins.hookspecs import hookimpl


@hookimpl
def mcbench_metrics() -> Iterator[Any]:
    """The built-in metrics."""
    anokhin = "Anokhin & Yarotsky, ICML 2020, tables"
    garipov = "Garipov et al., NeurIPS 2018"
    yield CurveMetric(
        "worst-accuracy",
        "lowest accuracy on the grid",
        "%",
        "higher",
        formulas.worst_accuracy,
        reference=anokhin,
        of_network=True,
    )
    yield CurveMetric(
        "worst-accuracy-refined",
        "lowest accuracy on the grid and where it was refined",
        "%",
        "higher",
        formulas.worst_accuracy_refined,
        of_network=True,
    )
    yield CurveMetric(
        "end-accuracy",
        "mean accuracy of the path's two ends",
        "%",
        "higher",
        formulas.end_points,
        reference=anokhin,
        of_network=True,
    )
    yield CurveMetric(
        "highest-accuracy",
        "highest accuracy on the grid and where it was refined",
        "%",
        "higher",
        formulas.highest_accuracy,
        reference=f"{garipov}, table 2",
        of_network=True,
    )
    yield CurveMetric(
        "mean-accuracy-by-length",
        "mean accuracy along the path, by arc length",
        "%",
        "higher",
        formulas.mean_accuracy_by_length,
        reference=f"{garipov}, table 2",
    )
    yield CurveMetric(
        "mean-loss",
        "mean loss along the path, uniform in t",
        "nats",
        "lower",
        formulas.mean_loss,
        reference=f"{garipov}, eq. 2",
    )
    yield CurveMetric(
        "mean-loss-by-length",
        "mean loss along the path, by arc length",
        "nats",
        "lower",
        formulas.mean_loss_by_length,
        reference=f"{garipov}, eq. 1",
    )
    yield CurveMetric(
        "highest-loss",
        "highest loss on the grid and where it was refined: the saddle",
        "nats",
        "lower",
        formulas.highest_loss,
        reference="Draxler et al., ICML 2018, sec. 3 and table B.1",
        of_network=True,
    )
    yield CurveMetric(
        "lowest-loss",
        "lowest loss on the grid and where it was refined",
        "nats",
        "lower",
        formulas.lowest_loss,
        reference=f"{garipov}, table 2",
        of_network=True,
    )
    yield CurveMetric(
        "barrier",
        "highest loss above the mean of the ends",
        "nats",
        "lower",
        formulas.barrier_mean,
        reference="Ainsworth et al., ICLR 2023, sec. 2",
    )
    yield CurveMetric(
        "barrier-linear",
        "highest loss above the line between the ends' losses",
        "nats",
        "lower",
        formulas.barrier_linear,
        reference="Entezari et al., ICLR 2022",
    )
    yield CurveMetric(
        "barrier-max",
        "highest loss above the higher one of the ends: 0 if there is no barrier",
        "nats",
        "lower",
        formulas.barrier_max,
        reference="Gotmare et al. 2018, arXiv 1806.06977, study of SGDR",
    )
    yield CurveMetric(
        "length", "arc length", "", "lower", formulas.length, False, f"{garipov}, table 2"
    )
    yield CurveMetric(
        "length-ratio",
        "arc length by the distance between the ends",
        "",
        "lower",
        formulas.length_ratio,
        False,
        f"{garipov}, table 2",
    )
    yield CurveMetric(
        "ensemble-ends",
        "accuracy of the ensemble of the ends",
        "%",
        "higher",
        formulas.ensemble_ends,
    )
    yield CurveMetric(
        "ensemble-path",
        "accuracy of the ensemble of all points of the grid",
        "%",
        "higher",
        formulas.ensemble_path,
        reference=f"{garipov}, sec. 5",
    )
    yield CurveMetric(
        "ensemble-along",
        "accuracy of the ensemble of A and a point of the path, mean over the points",
        "%",
        "higher",
        formulas.ensemble_along,
        reference=f"{garipov}, sec. 5",
    )
    yield LossWithDecay()
