"""The curve of a run: its path built, and evaluated point by point."""

from __future__ import annotations

import time
from typing import Any

from mcbench.evaluation.evaluate import evaluate
from mcbench.evaluation.losses import Progress
from mcbench.experiments.connect import Connector
from mcbench.experiments.record import Record
from mcbench.experiments.run import Run
from mcbench.paths.params import move
from mcbench.paths.path import Path
from mcbench.plugins.host import host
from mcbench.problem.problem import Problem
from mcbench.store.distribution import installed, named
from mcbench.store.provenance import provenance
from mcbench.store.store import Store, save_seconds


def compute_curve(run: Run, connector: Connector, store: Store) -> tuple[Record, Path]:
    """The record of a run without its metrics, and the path that was evaluated.

    Points that an interrupted run had evaluated are not evaluated again.
    """
    problem = connector.problem
    progress = _restored(run, problem, store)
    began = saved = time.perf_counter()
    built = connector.build(run)

    def observe(t: float, values: dict[str, Any], progress: Progress) -> None:
        nonlocal saved
        host().notify("mcbench_point_evaluated", run=run, t=t, values=values)
        if time.perf_counter() - saved > save_seconds():
            record = {"points": list(progress.points.items())}
            store.write_tensors("partial", run.key, progress.sums, record)
            saved = time.perf_counter()

    curve = evaluate(built.metered, problem, run.protocol, observe, progress)
    result = {
        "curve": curve.to_dict(),
        "metrics": {},
        **({"notes": built.notes} if built.notes else {}),
        "provenance": {
            **provenance(problem.device),
            "distributions": installed(named(*run.problems, run.identity)),
        },
        "cost": {
            "seconds": time.perf_counter() - began,
            "evaluations": len(curve.t),
            **built.cost,
        },
    }
    return Record.of(run.said | result), built.path


def _restored(run: Run, problem: Problem, store: Store) -> Progress:
    known = store.intact(store.read_tensors, "partial", run.key)
    if known is None:
        return Progress()
    points = {t: values for t, values in known[1]["points"]}
    return Progress(points, move(known[0], problem.device))
