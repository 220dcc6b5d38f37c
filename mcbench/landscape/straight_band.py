"""The straight band that a path with pivots began as, and the pivots marked, for figures."""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from mcbench.evaluation.evaluate import evaluate
from mcbench.evaluation.losses import measure
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Results
from mcbench.experiments.record import CurveFields, Record
from mcbench.paths.params import Params
from mcbench.paths.path import Leg, Path, line
from mcbench.training.batch_norm import Statistics

STRAIGHT_BAND = "straight band (before)"
"""The label of the straight band, which is drawn for comparison."""

MAX_LEGS = 50
"""Joints of paths with more legs are not marked: they are no pivots."""


class MarkedRecord(Record):
    """A record with the times of the path's pivots, without A and B, for figures to mark."""

    joints: list[float]


def joints_of(path: Path) -> list[float]:
    """The times of a path's pivots and both ends; empty for a path with very many legs."""
    return path.joints if len(path.legs) <= MAX_LEGS else []


def straight_band(at: Callable[[float], Params], paths: list[Path]) -> Path:
    """The straight line ``at`` with as many pivots as the first of the paths that has pivots."""
    legs = next((len(path.legs) for path in paths if 1 < len(path.legs) <= MAX_LEGS), 1)

    def leg(start: float, stop: float) -> Leg:
        return Leg(at(start), at(stop), lambda u: at(start + u * (stop - start)))

    return Path([leg(s, e) for s, e in pairwise(i / legs for i in range(legs + 1))])


def with_straight_band(experiment: Experiment, results: Results) -> Results:
    """The runs of the first pair and the straight band, each as a `MarkedRecord`.

    Pivots that are not on the run's grid are measured now. Between A and B the straight band has
    running statistics of its own.
    """
    done = [run for run in results.runs if run.key in results.records]
    first = [run for run in done if run.pair == done[0].pair]
    paths = {run.key: experiment.connector.connect(run) for run in first}
    a, b = (end.params for end in experiment.connector.ends(first[0]))
    whole, statistics = line(a, b), Statistics(experiment.problem, experiment.problem.recipe)

    def at(t: float) -> Params:
        return whole(t) if t in (0, 1) else statistics.renew(whole(t))

    straight = straight_band(at, list(paths.values()))
    run = replace(first[0], method=STRAIGHT_BAND, identity={})
    curve = evaluate(straight, experiment.problem, run.protocol)
    before = results.records[first[0].key].model_copy(
        update={"method": STRAIGHT_BAND, "measured": CurveFields.of(curve.to_dict())}
    )
    stored = results.records | {run.key: before}
    paths[run.key] = straight
    records: dict[str, Record] = {k: _marked(stored[k], p, experiment) for k, p in paths.items()}
    # The last is drawn on top: the line of a method may lie under it.
    return replace(results, runs=[*first, run], records=records)


def _marked(record: Record, path: Path, experiment: Experiment) -> MarkedRecord:
    """The record with the path's inner joints among the times of its curve."""
    curve, joints = record.curve, []
    for joint in joints_of(path)[1:-1]:
        i = bisect.bisect(curve.t, joint - 1e-9)
        if curve.t[i] > joint + 1e-9:
            values = measure(path(joint), experiment.problem, experiment.plan.protocol)
            curve.position.insert(i, float(np.interp(joint, curve.t, curve.position)))
            curve.t.insert(i, joint)
            curve.grid.insert(i, False)
            for by_split, name in ((curve.loss, "loss"), (curve.accuracy, "accuracy")):
                for split, value in values[name].items():
                    by_split[split].insert(i, value)
        joints.append(curve.t[i])
    return MarkedRecord.of(record.to_json() | {"curve": curve.to_dict(), "joints": joints})
