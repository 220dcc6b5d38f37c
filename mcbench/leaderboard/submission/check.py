"""Check of an entry: its leaderboard's protocol, and its numbers against each other.

Everything that follows from something else in the entry is computed again: keys, the points that
the protocol asks for, the metrics of the curve. What does not follow, the losses and accuracies
themselves, is for `mcbench.leaderboard.submission.verify`.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

from mcbench.errors import EntryError, StructureError, UsageError
from mcbench.evaluation import search
from mcbench.evaluation.curve import Curve, values_by_t
from mcbench.evaluation.curve_metric import CurveMetric
from mcbench.evaluation.evaluate import rounds
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.record import Record
from mcbench.experiments.run import Run
from mcbench.leaderboard.board.board import SEEDS, Board, identity_of, unversioned
from mcbench.leaderboard.entry.entry import Entry, quoted, title
from mcbench.leaderboard.entry.schema import RecordItem
from mcbench.leaderboard.table.records import method_finder, signature_of
from mcbench.plugins.host import host
from mcbench.report.reading import ends_of
from mcbench.store.key import canonical
from mcbench.store.provenance import named

CLOSE = 1e-9
"""Relative tolerance of numbers computed again, whose sums may be in another order."""


def board_of(entry: Entry) -> Board:
    """The leaderboard that an entry is for.

    Raises:
        EntryError: If there is none of that name.
    """
    name = entry.content["leaderboard"]
    try:
        board: Board = host().get("leaderboard", name)
    except UsageError:
        raise EntryError(f"there is no leaderboard {quoted(name)} here") from None
    return board


def check(entry: Entry, board: Board | None = None) -> list[str]:
    """Check an entry that was read.

    Returns:
        A line for everything that could not be checked, as plugins are not installed.

    Raises:
        EntryError: Naming the first thing that is wrong.
    """
    board = board or board_of(entry)
    if entry.content["leaderboard"] != board.name:
        raise EntryError(
            f"it is for the leaderboard {quoted(entry.content['leaderboard'])}, not '{board.name}'"
        )
    for kind, text in entry.content["problem"].items():
        if text != getattr(board, kind):
            raise EntryError(
                f"its {kind} is {quoted(text)}, but the leaderboard's '{getattr(board, kind)}'"
            )
    method_of = method_finder(board)
    seen: set[str] = set()
    untested: list[str] = []
    for item in entry.records:
        record, where = item.record, title(item.record)
        if item.key in seen:
            raise EntryError(f"{where}: another record of the entry has the same key {item.key}")
        seen.add(item.key)
        try:
            _identity(item, entry, board)
            untested += _method(record, board, method_of(record))
            _curve(record, board)
            untested += _metrics(record)
        except EntryError as error:
            raise EntryError(f"{where}: {error}") from None
    _ends(entry)
    _leftovers(entry)
    return list(dict.fromkeys(untested))


# The run -----------------------------------------------------------------------------------


def _identity(item: RecordItem, entry: Entry, board: Board) -> None:
    record, run = item.record, Run.of(item.record)
    pair = record.pair
    if item.key != record.key:
        raise EntryError("its key is not the hash of what was run")
    if pair[0] > pair[1] or (pair[0] == pair[1]) != board.same_seed:
        raise EntryError(f"a pair is {SEEDS[board.same_seed]}")
    for seed, key, expected_key in zip(pair, record.run.endpoints, run.ends, strict=True):
        if key != expected_key:
            raise EntryError(f"the key of its endpoint is not that of seed {seed}")
        if entry.content["endpoints"].get(key, {}).get("seed") != seed:
            raise EntryError(f"its endpoint of seed {seed} is not among the entry's endpoints")
    try:
        stated = signature_of(record)
    except (UsageError, KeyError, TypeError, AttributeError):
        raise EntryError("its problem has parameters that no component here has") from None
    for part, value in board.signature().items():
        if stated[part] != value:
            raise EntryError(f"its {part} is {_difference(stated[part], value)}")
    for name, version in named(*run.problems, run.identity).items():
        if name not in entry.content["distributions"]:
            raise EntryError(f"the distribution {quoted(name)} is not described in the entry")
        when_run = record.provenance.distributions
        if when_run and (name not in when_run or when_run[name].version != version):
            raise EntryError(f"its provenance does not say version {version} of {quoted(name)}")
    for package in ("mcbench", "torch"):
        if not record.provenance.packages.get(package):
            raise EntryError(f"its provenance has no version of {package}")


def _difference(stated: Any, expected: Any, name: str = "") -> str:  # Any: JSON values.
    """The first field that differs, in a line."""
    if isinstance(stated, dict) and isinstance(expected, dict):
        field = next(f for f in {**stated, **expected} if stated.get(f) != expected.get(f))
        place = f"{name}.{field}".strip(".")
        return _difference(stated.get(field), expected.get(field), place)
    return f"another one: {quoted(name)[1:-1]} is {quoted(stated)}, not {quoted(expected)}"


def _method(record: Record, board: Board, row: str | None) -> list[str]:
    """Check that the method's text names what was run; a line if that cannot be checked."""
    ran, text = record.run.method, record.method
    name = ran.name
    if name != text.partition("[")[0].strip() or (row is None and text in board.methods):
        raise EntryError(f"its method {quoted(text)} is not what was run")
    if name not in host().names("method"):
        owner = quoted(ran.distribution)
        return [f"method {quoted(text)}: no plugin here has it (it is of {owner})"]
    try:
        typed = identity_of("method", text)
    except UsageError as error:
        raise EntryError(f"its method {quoted(text)}: {error}") from None
    if canonical(typed) != canonical(unversioned("method", ran.to_json())):
        raise EntryError(f"its method {quoted(text)} is not what was run")
    return []


# The measurements --------------------------------------------------------------------------


def _curve(record: Record, board: Board) -> None:
    curve = record.curve
    count = len(curve.t)
    classes = bool(curve.accuracy)
    if bool(curve.ensembles) != classes or (curve.with_start and not classes):
        raise EntryError("its curve has accuracies of points or of ensembles, but not both")
    if classes != board.has_classes:
        has, have = ("accuracies", "no classes") if classes else ("no accuracies", "classes")
        raise EntryError(f"its curve has {has}, but the leaderboard's data have {have}")
    lists: dict[str, Sequence[float]] = {"grid": curve.grid, "position": curve.position}
    if curve.square:
        lists["squared norms"] = curve.square
    for name in ("loss", "accuracy", "with_start"):
        for split, values in getattr(curve, name).items():
            lists[f"{name} on {split}"] = values
    for name, values in lists.items():
        if len(values) != count:
            raise EntryError(f"its curve has {count} times, but {len(values)} values of {name}")
    if any(later <= earlier for earlier, later in pairwise(curve.t)):
        raise EntryError("the times of its curve are not in order")
    protocol = record.protocol
    _scan(curve, protocol)
    if not legs_of(curve, protocol):
        raise EntryError(f"its curve is not on the grid of {protocol.points} points")
    if set(curve.t) != _asked(curve, protocol):
        how = "the search" if protocol.refine == "search" else f"{protocol.refine} rounds"
        raise EntryError(f"its refined points are not those that {how} of refinement would give")
    if record.cost.evaluations != count:
        evaluations = record.cost.evaluations
        raise EntryError(f"its curve has {count} points, but its cost says {evaluations}")
    position = curve.position
    if position[0] != 0 or any(later < earlier for earlier, later in pairwise(position)):
        raise EntryError("the positions along its path do not grow from 0")
    if curve.straight > position[-1] * (1 + 1e-3):
        raise EntryError("its path is shorter than the straight line between its ends")


def _scan(curve: Curve, protocol: Protocol) -> None:
    """Check that the curve has the scan of a search, and only of a search."""
    scan = curve.scan
    if (scan is not None) != (protocol.refine == "search"):
        raise EntryError(
            f"its curve has {'a' if scan else 'no'} scan: refine is {protocol.refine}"
        )
    if scan is None:
        return
    columns = [*scan.loss.values(), *scan.accuracy.values()]
    if any(len(column) != len(scan.t) for column in columns):
        raise EntryError("the scan of its curve has not one value for each time")
    if scan.accuracy.keys() != curve.accuracy.keys():
        raise EntryError("the scan of its curve has other accuracies than the curve")
    widest = max((b - a for a, b in pairwise(scan.t)), default=1.0)
    if not scan.t or (scan.t[0], scan.t[-1]) != (0, 1) or widest > search.SPACING * (1 + 1e-9):
        raise EntryError(f"the scan of its curve has gaps wider than {search.SPACING} in t")


def legs_of(curve: Curve, protocol: Protocol) -> Collection[int]:
    """The numbers of legs that a path with the curve's times may have, often several."""
    grid = curve.on_grid(curve.t)
    if curve.scan is None:
        return range(1, sys.maxsize if grid == protocol.grid else 1)
    return [
        legs
        for legs in range(1, len(curve.scan.t))
        if grid == protocol.grid_of(legs) and curve.scan.t == search.scan_times(legs)
    ]


def _asked(curve: Curve, protocol: Protocol) -> set[float]:
    """The times that the protocol asks for, given the curve's values; empty if one is missing."""
    values, scan = values_by_t(curve), values_by_t(curve.scan) if curve.scan else {}
    asked = set[float]()
    for times in rounds(protocol, curve.on_grid(curve.t), values, scan):
        if any(t not in values for t in times):
            return set()
        asked |= set(times)
    return asked


def _metrics(record: Record) -> list[str]:
    """Compute metrics of the curve again and compare; a line for each unknown metric."""
    curve, unknown = record.curve, []
    for text, stated in record.metrics.items():
        try:
            metric = host().get("metric", text)
        except UsageError:
            unknown.append(f"metric {quoted(text)}: no plugin here has it")
            continue
        if not isinstance(metric, CurveMetric):
            continue
        if stated.inapplicable and not stated.values and not _applies(metric, curve):
            continue
        if set(stated.values) != ({"train", "test"} if metric.splits else {""}):
            raise EntryError(f"its metric {quoted(text)} has not the values that it should have")
        for split, value in stated.values.items():
            try:
                expected = metric.formula(curve, split or None)
            except KeyError:
                raise EntryError(
                    f"its metric {quoted(text)} is of values that the curve lacks"
                ) from None
            if abs(expected - value) > CLOSE * max(1.0, abs(expected)):
                name = " ".join(filter(None, (text, split)))
                raise EntryError(
                    f"its {quoted(name)[1:-1]} is {value:.6g}, but its curve gives {expected:.6g}"
                )
    return unknown


def _applies(metric: CurveMetric, curve: Curve) -> bool:
    try:
        metric.formula(curve, "train" if metric.splits else None)
    except StructureError:
        return False
    return True


def _ends(entry: Entry) -> None:
    """Check that records of one kind of machine give one accuracy to an endpoint they share."""
    accuracies: dict[tuple[str, str], tuple[dict[str, float], str]] = {}
    for item in entry.records:
        record = item.record
        made, permuted = record.provenance, record.measured.end == "permuted"
        machine = canonical([made.device, made.packages["torch"]])
        for i, (key, ends) in enumerate(ends_of(record, record.run.endpoints).items()):
            if i and permuted:
                continue  # Its sums are in another order: a sample may be on the other side.
            first, where = accuracies.setdefault((key, machine), (ends, title(record)))
            apart = ends.keys() != first.keys()
            if apart or any(abs(ends[split] - first[split]) > CLOSE for split in ends):
                seed = entry.content["endpoints"][key]["seed"]
                raise EntryError(
                    f"{title(record)}: its endpoint of seed {seed} has another accuracy than in "
                    f"{where}"
                )


def _leftovers(entry: Entry) -> None:
    """Check that no endpoint and no file of points is described that no record has."""
    used = {key for item in entry.records for key in item.record.run.endpoints}
    for key in entry.content["endpoints"]:
        if key not in used:
            raise EntryError(f"its endpoint {key} is in no record")
    sent = [item for item in entry.records if item.path]
    if bool(sent) != bool(entry.content.get("paths")):
        raise EntryError("it names a file of paths without their hashes, or hashes without a file")
