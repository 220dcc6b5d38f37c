"""Chains before and after: paths with their pivots, beside the straight chain they began as."""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from mcbench.evaluation.evaluate import evaluate
from mcbench.evaluation.losses import Progress, measure
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Results
from mcbench.experiments.record import CurveFields, Record
from mcbench.paths.params import Params
from mcbench.paths.path import Leg, Path, line
from mcbench.training.batch_norm import Statistics

STRAIGHT_CHAIN = "straight chain (before)"
"""The name of what is there for comparison."""

JOINTS = 50
"""Joints of paths with more legs than this are not marked: they are no pivots."""


class Marked(Record):
    """A record with the times of the path's pivots, A and B left out, for figures to mark."""

    joints: list[float]


def joints_of(path: Path) -> list[float]:
    """The times of a chain's pivots, both ends included; none of a path with very many legs."""
    return path.joints if len(path.legs) <= JOINTS else []


def straight_chain(at: Callable[[float], Params], paths: list[Path]) -> Path:
    """The straight line with as many pivots as the first of the paths that is a chain.

    Arguments:
        at: The line's points.
        paths: The paths.
    """
    legs = next((len(path.legs) for path in paths if 1 < len(path.legs) <= JOINTS), 1)

    def leg(start: float, stop: float) -> Leg:
        return Leg(at(start), at(stop), lambda u: at(start + u * (stop - start)))

    return Path([leg(s, e) for s, e in pairwise(i / legs for i in range(legs + 1))])


def with_chains(experiment: Experiment, results: Results) -> Results:
    """The runs of the first pair, with their pivots, and the straight chain.

    Pivots that the grid of the run left out are measured, and the records are `Marked`.
    Between A and B the straight chain has running statistics of its own.
    """
    done = [run for run in results.runs if run.key in results.records]
    first = [run for run in done if run.pair == done[0].pair]
    paths = {run.key: experiment.connector.connect(run) for run in first}
    a, b = (end.params for end in experiment.connector.ends(first[0]))
    whole, statistics = line(a, b), Statistics(experiment.problem, experiment.problem.recipe)

    def at(t: float) -> Params:
        return whole(t) if t in (0, 1) else statistics.renew(whole(t))

    straight = straight_chain(at, list(paths.values()))
    run = replace(first[0], method=STRAIGHT_CHAIN, identity={})
    curve = evaluate(straight, experiment.problem, run.protocol, lambda *_: None, Progress())
    known = results.records[first[0].key]
    before = known.model_copy(
        update={"method": STRAIGHT_CHAIN, "measured": CurveFields.of(curve.to_dict())}
    )
    records: dict[str, Record] = {run.key: _marked(before, straight, experiment)}
    for one in first:
        records[one.key] = _marked(results.records[one.key], paths[one.key], experiment)
    # The last is drawn on top: it may be the line of one of the methods too.
    return replace(results, runs=[*first, run], records=records)


def _marked(record: Record, path: Path, experiment: Experiment) -> Marked:
    """The record with its inner joints among the times of its curve."""
    curve, joints = record.curve, []
    for joint in joints_of(path)[1:-1]:
        known = [t for t in curve.t if abs(t - joint) < 1e-9]
        joints.append(known[0] if known else joint)
        if known:
            continue
        values = measure(path(joint), experiment.problem, experiment.plan.protocol)
        i = bisect.bisect(curve.t, joint)
        curve.position.insert(i, float(np.interp(joint, curve.t, curve.position)))
        curve.t.insert(i, joint)
        for measured, name in ((curve.loss, "loss"), (curve.accuracy, "accuracy")):
            for split, value in values[name].items():
                measured[split].insert(i, value)
    return Marked.of(record.to_json() | {"curve": curve.to_dict(), "joints": joints})
