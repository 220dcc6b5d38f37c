"""Checks of methods in a whole experiment: records are stored and read back, runs resume."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch

from mcbench.errors import RunError
from mcbench.evaluation.ends import check_ends
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.experiments.record import Record
from mcbench.plugins.hookspecs import hookimpl
from mcbench.plugins.host import host
from mcbench.store.store import Store
from mcbench.testing.check import Fault, Inapplicable, check
from mcbench.testing.methods import any_network, paths
from mcbench.testing.networks import ARCHITECTURES
from mcbench.testing.subject import Subject

POINTS = 2
"""Number of points that are evaluated before a run is interrupted."""


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder, deleted when the process ends."""
    return tempfile.TemporaryDirectory(prefix="mcbench-kit-")


def _experiment(subject: Subject, store: str) -> Experiment:
    """A small plan with the method alone; endpoints are trained once for all stores."""
    architecture = ARCHITECTURES[any_network(subject).name]
    plan = Plan(  # Runs take a built-in, not the kit's own networks.
        architecture=architecture if isinstance(architecture, str) else "mlp2[width=8]",
        recipe="quick[epochs=2]",
        methods=(subject.text,),
        seeds=(0, 1),
        protocol=Protocol(5, 0),
        metrics=("worst-accuracy", "length"),
    )
    root = Path(_folder().name)
    shared, own = root / "shared", root / store
    Experiment(plan, Store(shared), device="cpu").train()
    own.mkdir(exist_ok=True)
    for kind in ("endpoints", "data"):
        if not (own / kind).exists():
            (own / kind).symlink_to(shared / kind)
    return Experiment(plan, Store(own), device="cpu")


def _record(experiment: Experiment) -> Record:
    results = experiment.run()
    if results.failures:
        why = next(iter(results.failures.values()))
        raise Fault(f"a run of it fails: {why}", "'mcbench run -m NAME' shows more")
    return next(iter(results.records.values()))


@check("method", "store")
def results_survive_the_store(subject: Subject) -> None:
    """A run's record reads back equal; a second run takes it from the store."""
    network, path = next(iter(paths(subject)))
    a, b = (network.endpoint(seed).params for seed in (0, 1))
    try:  # Ends have a check of their own.
        check_ends(path, a, b, network.problem())
    except RunError as error:
        raise Inapplicable(f"every run of it fails: {error}") from None
    name = f"whole-{len(os.listdir(_folder().name))}"
    record = _record(_experiment(subject, name))
    again = _experiment(subject, name)
    with _listening() as times:
        stored = _record(again)
    if times:
        raise Fault(
            "the second run of the same plan computes again",
            "make its parameters give the same identity every time",
        )
    if stored != record:
        before, after = record.to_json(), stored.to_json()
        different = [key for key in before if after.get(key) != before[key]]
        raise Fault(
            f"the record reads back with another {', '.join(different)}",
            "keep only what JSON can hold in parameters and metrics",
        )
    for kind in ("runs", "trained"):
        for entry in again.store.entries(kind):
            again.store.check(entry)
    subject.shared["record"] = record


@check("method", "resuming")
def an_interrupted_run_resumes(subject: Subject) -> None:
    """A run that was interrupted between two points ends with the same curve."""
    if "record" not in subject.shared:
        try:
            results_survive_the_store(subject)
        except Fault as fault:
            raise Inapplicable(f"no run of it is stored: {fault.found}") from None
    whole = subject.shared["record"].curve
    name = f"interrupted-{len(os.listdir(_folder().name))}"
    with patch.dict(os.environ, MCBENCH_SAVE_SECONDS="0"):  # Work is stored at every point.
        experiment = _experiment(subject, name)
        with _listening(stop_after=POINTS) as times:
            try:
                experiment.run()
            except KeyboardInterrupt:
                pass
            else:
                raise Inapplicable("its runs end before they can be interrupted")
        if len(times) != POINTS:
            raise Fault(
                f"it was interrupted after {len(times)} points", "let KeyboardInterrupt pass"
            )
        resumed = _record(_experiment(subject, name)).curve
    if resumed != whole:
        before, after = whole.to_dict(), resumed.to_dict()
        different = [key for key in before if after[key] != before[key]]
        raise Fault(
            f"a run that was interrupted ends with another {', '.join(different)}",
            "give the same points every time, and keep what is trained in problem.workshop",
        )


@contextmanager
def _listening(stop_after: int = 0) -> Iterator[list[float]]:
    """Times of the points that are evaluated; the run is interrupted after ``stop_after``."""
    times: list[float] = []

    class Listener:
        @hookimpl
        def mcbench_point_evaluated(self, t: float) -> None:
            times.append(t)
            if len(times) == stop_after:
                raise KeyboardInterrupt  # As Ctrl-C does.

    listener = Listener()
    host().manager.register(listener)
    try:
        yield times
    finally:
        host().manager.unregister(listener)
