"""Verification of an entry: its paths, rebuilt or as sent, are evaluated again and compared."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from mcbench.errors import (
    DataNotFoundError,
    EntryError,
    McbenchError,
    RunError,
    UsageError,
    one_line,
    reason_of,
)
from mcbench.evaluation.curve import Curve, values_by_t
from mcbench.evaluation.curve_metric import CurveMetric
from mcbench.evaluation.ends import check_ends
from mcbench.evaluation.evaluate import PathEvaluation, rounds
from mcbench.evaluation.metric import Evaluation
from mcbench.evaluation.search import SAMPLES
from mcbench.experiments.endpoints import Endpoints
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.metrics import values_of
from mcbench.experiments.record import Record
from mcbench.experiments.run import Run
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.entry.entry import Entry, quoted, title
from mcbench.leaderboard.entry.gaps import Gaps
from mcbench.leaderboard.entry.schema import RecordItem
from mcbench.leaderboard.entry.verification import State, Verdict
from mcbench.leaderboard.submission import points
from mcbench.leaderboard.submission.check import legs_of
from mcbench.leaderboard.submission.curves import compare_points, compare_scans, compare_wholes
from mcbench.leaderboard.submission.submission import plan_of
from mcbench.paths.params import fingerprint
from mcbench.paths.path import Path
from mcbench.plugins.host import host
from mcbench.store.provenance import installed, named
from mcbench.store.store import Store

AnyPath = Any
"""A `Path`, or `points.Points`, which have of it what evaluation calls."""


@dataclass(frozen=True)
class How:
    """Options of a verification.

    Arguments:
        data_dir, device: As for `mcbench.experiments.experiment.Experiment`.
        count: The number of points of each path beside A; ``None`` for all.
        seed: The seed of the choice of points.
        train: Whether endpoints that are missing are trained.
        rebuild: Whether paths are rebuilt even if their points were sent.
        methods: The methods whose records are verified; none means all.
    """

    data_dir: File | None = None
    device: str = "auto"
    count: int | None = None
    seed: int = 0
    train: bool = False
    rebuild: bool = False
    methods: Sequence[str] = ()


class _Cannot(Exception):
    """The reason why a record cannot be verified."""


def verify(
    entry: Entry, board: Board, store: Store, how: How, observe: Callable[[str, Verdict], None]
) -> dict[str, Verdict]:
    """Verify an entry; the verdicts by record hash.

    Arguments:
        entry: An entry that passed `mcbench.leaderboard.submission.check.check`.
        observe: Called after each record with its title and verdict.

    Raises:
        UsageError: If a device cannot be used.
        EntryError: If the points that were sent were altered.
    """
    if entry.content.get("paths") and not how.rebuild:
        points.check_file(entry)
    verifier: _Verifier | None = None
    reason = ""
    try:
        verifier = _Verifier(entry, board, store, how)
    except DataNotFoundError as error:
        reason = f"the data are missing: {error}"
    missing = Verdict("cannot be verified", reason=reason)
    verdicts = {}
    for item in entry.records:
        if how.methods and item.record.method not in how.methods:
            continue
        verdicts[item.sha256] = verdict = verifier.verdict(item) if verifier else missing
        observe(title(item.record).removeprefix("record "), verdict)
    return verdicts


class _Verifier:
    def __init__(self, entry: Entry, board: Board, store: Store, how: How) -> None:
        self.entry, self.how, self.store = entry, how, store
        plan = plan_of(board, [item.record for item in entry.records])
        self.experiment = Experiment(plan, store, how.data_dir, how.device)
        self.problem = self.experiment.problem
        self.columns = {shown.metric for shown in board.shown.values()}
        self._of_pairs: dict[tuple[str, tuple[str, str]], dict[str, float]] = {}

    def verdict(self, item: RecordItem) -> Verdict:
        """The verdict on one record."""
        record = item.record
        run = Run.of(record)
        try:
            sent = bool(item.path) and not self.how.rebuild
            self._compatible(record, sent)
            sides = self.experiment.endpoints, self.experiment.endpoints_b
            for side in zip(run.pair, run.ends, run.problems, sides, strict=True):
                self._endpoint(*side)
            path = self._sent(item) if sent else self._rebuilt(run)
            with self.experiment.threads():
                return self._compare(record, self._evaluate(path, record), path, not sent)
        except _Cannot as error:
            return Verdict("cannot be verified", reason=one_line(error))
        except EntryError as error:
            return Verdict("differs", rebuilt=False, reason=one_line(error))
        except Exception as error:  # A plugin's, perhaps: it stops no other record.
            return Verdict("cannot be verified", reason=reason_of(error))

    def _compatible(self, record: Record, sent: bool) -> None:
        here = self.problem.identity["dataset"]["fingerprint"]
        if record.problem.dataset.fingerprint != here:
            raise _Cannot("the data here are not those of the record: their hash differs")
        used = {} if sent else named(record.run.method.to_json())
        versions = installed(used)
        for name, version in used.items():
            here = versions.get(name, {}).get("version")
            if here != version:
                what = f"{here} is installed" if here else "it is not installed"
                raise _Cannot(f"it was run with {name} {version}; {what}")

    def _endpoint(
        self, seed: int, key: str, problem: dict[str, Any], endpoints: Endpoints
    ) -> None:
        """Check that the store has the submitted endpoint; ``endpoints`` trains a missing one."""
        stored = self.store.read_tensors("endpoints", key)
        if stored is None:
            if not self.how.train:
                raise _Cannot(
                    f"the endpoint of seed {seed} ({key}) is not in the store: put it there, or "
                    "give --train"
                )
            if problem != endpoints.problem.identity:
                raise _Cannot(
                    f"the endpoint of seed {seed} was trained with another version of mcbench"
                )
            self._train(endpoints, [seed])
            stored = self.store.read_tensors("endpoints", key)
            assert stored is not None
        submitted = self.entry.content["endpoints"][key]["sha256"]
        if submitted is not None and fingerprint(stored[0]) != submitted:
            raise _Cannot(
                f"the endpoint of seed {seed} in the store is another network than the one that "
                "was submitted (its hash differs)"
            )

    def _train(self, endpoints: Endpoints, seeds: list[int]) -> None:
        failures = endpoints.train(seeds).failures
        for what, reason in failures.items():
            raise _Cannot(f"the endpoint of {what} cannot be trained: {reason}")

    def _rebuilt(self, run: Run) -> Path:
        connector = self.experiment.connector
        try:
            if self.how.train and run.problem == self.problem.identity:
                self._train(self.experiment.endpoints, connector.pool(run.method))
            return connector.connect(run)
        except McbenchError as error:
            raise _Cannot(f"its path cannot be built again: {error}") from None

    def _sent(self, item: RecordItem) -> points.Points:
        record = item.record
        a, b = self.experiment.connector.ends(Run.of(record))
        path = points.load(item, self.entry.points, a.params, self.problem.device)
        try:
            check_ends(path, a.params, b.params, self.problem)
        except RunError as error:
            raise EntryError(str(error)) from None
        return path

    def _evaluate(self, path: AnyPath, record: Record) -> Curve:
        """The path's curve at all points, or at A and a sample of the others."""
        curve, protocol = record.curve, record.protocol
        whole = self.how.count is None or self.how.count >= len(curve.t)
        sample, scanned = set(curve.t), curve.scan.t if curve.scan else []
        if not whole:  # Another sample for each record, given the seed.
            draws = random.Random(f"{self.how.seed} {list(record.run.endpoints)} {record.method}")
            count = self.how.count or 0
            sample = {0.0, *draws.sample(curve.t[1:], min(count, len(curve.t) - 1))}
            scanned = sorted(draws.sample(scanned, min(count, len(scanned))))
        grid = curve.on_grid(curve.t)
        evaluation = PathEvaluation(path, self.problem, protocol, grid=grid)
        scan = values_by_t(curve.scan) if curve.scan else {}
        if isinstance(path, Path):  # The points of the scan are never sent.
            for _ in evaluation.scan(scanned):
                pass
        for times in rounds(protocol, grid, values_by_t(curve), scan):
            for group in evaluation.groups(times):
                missing = [t for t in group if t in sample - evaluation.progress.points.keys()]
                for _ in evaluation.measure(missing, whole):
                    pass
        return evaluation.curve()

    def _compare(self, record: Record, ours: Curve, path: AnyPath, rebuilt: bool) -> Verdict:
        stated, splits = record.curve, self.problem.splits
        gaps = Gaps({name: 100 / len(split) for name, split in splits.items()})
        compare_points(gaps, stated, ours)
        if len(ours.t) == len(stated.t):
            compare_wholes(gaps, stated, ours, rebuilt)
        if ours.scan and stated.scan:
            sizes = {name: min(SAMPLES, len(split)) for name, split in splits.items()}
            compare_scans(gaps, stated.scan, ours.scan, sizes)
        if isinstance(path, Path) and len(path.legs) not in legs_of(stated, record.protocol):
            legs = len(path.legs)
            gaps.wrong.append(f"its grid and scan are not those of a path of {legs} legs")
        left = self._metrics(record, stated, path, gaps)
        notes = [f"not verified: metric {quoted(m)}: {why}" for m, why in left.items()]
        if stated.scan and not ours.scan:
            notes.append("not verified: the scan, whose points are not sent: take --rebuild")
        reason = "; ".join([*gaps.wrong[:3], *notes])
        state: State = "differs" if gaps.wrong else "confirmed"
        other = self._other_code(record) if gaps.wrong and rebuilt else ""
        if other:
            reason = f"{gaps.wrong[0]}; but another code of {other} is installed here"
        if other or (not gaps.wrong and self.columns & set(left)):
            state = "cannot be verified"
        exact = gaps.exact and not gaps.wrong
        loss, accuracy = gaps.largest["loss"], gaps.largest["accuracy"]
        return Verdict(state, exact, rebuilt, len(ours.t), loss, accuracy, reason)

    def _other_code(self, record: Record) -> str:
        """A distribution of the method with other files here than in the run; empty if none."""
        own = record.provenance.to_json().get("distributions")
        stated = own or self.entry.content["distributions"]
        for name, here in installed(named(record.run.method.to_json())).items():
            if stated[name]["sha256"] != here["sha256"]:
                return name
        return ""

    def _metrics(self, record: Record, curve: Curve, path: AnyPath, gaps: Gaps) -> dict[str, str]:
        """Compare metrics that need more than the curve; the reasons of those that cannot be."""
        run, left = Run.of(record), {}
        ends = self.experiment.connector.ends
        evaluation = Evaluation(self.problem, curve, lambda: ends(run), lambda: path)
        for text, stored in record.metrics.items():
            try:
                metric = host().get("metric", text)
                if isinstance(metric, CurveMetric) or not stored.values:
                    continue  # Checked against the curve.
                values = self._of_pairs.get((text, run.ends)) or values_of(metric, evaluation)
                if metric.ends_only:
                    self._of_pairs[text, run.ends] = values
            except UsageError:
                left[text] = "it is not installed"
                continue
            except Exception as error:
                left[text] = one_line(error)
                continue
            if set(values) != set(stored.values):
                gaps.wrong.append(f"metric {quoted(text)} has other values")
                continue
            for name, value in values.items():
                split, there = name.rpartition(":")[2], [stored.values[name]]
                gaps.compare(f"metric {text}", split, there, [value], metric.unit)
        return left
