"""Metrics of the whole curve: accuracies, losses, barriers, lengths, ensembles."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from mcbench.builtin.metrics import formulas
from mcbench.builtin.metrics.decay import LossWithDecay
from mcbench.evaluation.curve_metric import CurveMetric
from mcbench.plugins.hookspecs import hookimpl


@hookimpl
def mcbench_metrics() -> Iterator[Any]:
    """The built-in metrics of the whole curve."""
    anokhin = "Anokhin & Yarotsky, ICML 2020, tables"
    garipov = "Garipov et al., NeurIPS 2018"
    accuracy = partial(CurveMetric, unit="%", better="higher")
    loss = partial(CurveMetric, unit="nats", better="lower")
    length = partial(CurveMetric, unit="", better="lower", splits=False)
    yield accuracy(
        "worst-accuracy",
        "lowest accuracy on the grid",
        formula=formulas.worst_accuracy,
        reference=anokhin,
        of_network=True,
    )
    yield accuracy(
        "worst-accuracy-refined",
        "lowest accuracy on the grid and where it was refined",
        formula=formulas.worst_accuracy_refined,
        of_network=True,
    )
    yield accuracy(
        "end-accuracy",
        "mean accuracy of the path's two ends",
        formula=formulas.end_points,
        reference=anokhin,
        of_network=True,
    )
    yield accuracy(
        "highest-accuracy",
        "highest accuracy on the grid and where it was refined",
        formula=formulas.highest_accuracy,
        reference=f"{garipov}, table 2",
        of_network=True,
    )
    yield accuracy(
        "mean-accuracy-by-length",
        "mean accuracy along the path, by arc length",
        formula=formulas.mean_accuracy_by_length,
        reference=f"{garipov}, table 2",
    )
    yield loss(
        "mean-loss",
        "mean loss along the path, uniform in t",
        formula=formulas.mean_loss,
        reference=f"{garipov}, eq. 2",
    )
    yield loss(
        "mean-loss-by-length",
        "mean loss along the path, by arc length",
        formula=formulas.mean_loss_by_length,
        reference=f"{garipov}, eq. 1",
    )
    yield loss(
        "highest-loss",
        "highest loss on the grid and where it was refined: the saddle",
        formula=formulas.highest_loss,
        reference="Draxler et al., ICML 2018, sec. 3 and table B.1",
        of_network=True,
    )
    yield loss(
        "lowest-loss",
        "lowest loss on the grid and where it was refined",
        formula=formulas.lowest_loss,
        reference=f"{garipov}, table 2",
        of_network=True,
    )
    yield loss(
        "barrier",
        "highest loss above the mean of the ends",
        formula=formulas.barrier_mean,
        reference="Ainsworth et al., ICLR 2023, sec. 2",
    )
    yield loss(
        "barrier-linear",
        "highest loss above the line between the ends' losses",
        formula=formulas.barrier_linear,
        reference="Entezari et al., ICLR 2022",
    )
    yield loss(
        "barrier-max",
        "highest loss above the higher one of the ends: 0 if there is no barrier",
        formula=formulas.barrier_max,
        reference="Gotmare et al. 2018, arXiv 1806.06977, study of SGDR",
    )
    yield length("length", "arc length", formula=formulas.length, reference=f"{garipov}, table 2")
    yield length(
        "length-ratio",
        "arc length by the distance between the ends",
        formula=formulas.length_ratio,
        reference=f"{garipov}, table 2",
    )
    yield accuracy(
        "ensemble-ends", "accuracy of the ensemble of the ends", formula=formulas.ensemble_ends
    )
    yield accuracy(
        "ensemble-path",
        "accuracy of the ensemble of all points of the grid",
        formula=formulas.ensemble_path,
        reference=f"{garipov}, sec. 5",
    )
    yield accuracy(
        "ensemble-along",
        "accuracy of the ensemble of A and a point of the path, mean over the points",
        formula=formulas.ensemble_along,
        reference=f"{garipov}, sec. 5",
    )
    yield LossWithDecay()
