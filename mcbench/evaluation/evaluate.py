"""Evaluation of a path: loss and accuracy on a grid, refined around the worst points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mcbench.errors import RunError
from mcbench.evaluation.losses import Progress, Values, measure_all
from mcbench.evaluation.protocol import Protocol

if TYPE_CHECKING:
    from mcbench.paths.path import Path
    from mcbench.problem.problem import Problem


@dataclass
class Curve:
    """What was measured along a path, in the order of t.

    Arguments:
        t: The times.
        grid: Whether the point belongs to the grid (else it is a refinement).
        position: Arc length from A.
        loss: Mean loss by split: cross-entropy, or as the data say.
        accuracy: In percent, by split; none where the data have no classes, as all that follows
            from accuracies.
        straight: The distance from A to the path's end.
        ensembles: Accuracy in percent of averaged softmax outputs: of the path's two ends
            (``ends``) and of all points of the grid (``path``), by split.
        with_start: Accuracy in percent of the ensemble of A and the point, by split; none in
            published records that lack it.
        end: Where the path ends: ``b``, ``permuted`` or ``short``.
        square: The squared Euclidean norm of the point's parameters, buffers left out; none in
            published records that lack it.
    """

    t: list[float] = field(default_factory=list)
    grid: list[bool] = field(default_factory=list)
    position: list[float] = field(default_factory=list)
    loss: dict[str, list[float]] = field(default_factory=dict)
    accuracy: dict[str, list[float]] = field(default_factory=dict)
    straight: float = 0.0
    ensembles: dict[str, dict[str, float]] = field(default_factory=dict)
    with_start: dict[str, list[float]] = field(default_factory=dict)
    end: str = "b"
    square: list[float] = field(default_factory=list)

    def on_grid(self, values: list[float]) -> list[float]:
        """Those of ``values`` that were measured on the grid."""
        return [v for v, regular in zip(values, self.grid, strict=True) if regular]

    def staying(self, i: int) -> Curve:
        """Of the path that stays at point i: what losses and such are of a network."""
        loss, accuracy = (
            {split: [values[i]] * 2 for split, values in measured.items()}
            for measured in (self.loss, self.accuracy)
        )
        square = [self.square[i]] * 2 if self.square else []
        return Curve(
            [0.0, 1.0], [True, True], [0.0, 0.0], loss, accuracy, end=self.end, square=square
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @staticmethod
    def of(stored: dict[str, Any]) -> Curve:
        """From `to_dict`."""
        return Curve(**stored)


Observe = Callable[[float, Values, Progress], None]


def evaluate(
    path: Path, problem: Problem, protocol: Protocol, observe: Observe, progress: Progress
) -> Curve:
    """Measure a path.

    Arguments:
        path: The path.
        problem: Data and loss.
        protocol: Where and on what.
        observe: Called after each point with t, its values and the evaluation's progress.
        progress: Points that were measured before, by an evaluation that was interrupted.

    Raises:
        RunError: If a loss along the path is not finite.
    """
    for group in in_groups(path, problem, protocol, progress.points):
        missing = [t for t in group if t not in progress.points]
        for times in advance(missing, path, problem, protocol, progress):
            for t in times:
                _check(t, progress.points[t])
            for t in times:
                observe(t, progress.points[t], progress)
    return curve_of(path, problem, protocol, progress)


def rounds(protocol: Protocol, points: Mapping[float, Values]) -> Iterator[list[float]]:
    """The times of the grid, then those of each round of refinement.

    Arguments:
        protocol: What is evaluated.
        points: What was measured, by t: before a round, those of the rounds before are looked at.
    """
    times, known = protocol.grid, dict[float, Values]()
    yield times
    for _ in range(protocol.refine):
        known |= {t: points[t] for t in times}
        times = midpoints(known)
        yield times


def in_groups(
    path: Path, problem: Problem, protocol: Protocol, points: Mapping[float, Values]
) -> Iterator[list[float]]:
    """The times of an evaluation in its order, in the groups that are measured together.

    What is shared within a group rounds differently than a point alone would: these groups give
    the same numbers again. For the arguments see `evaluate` and `rounds`.
    """
    from mcbench.evaluation.shared_layers import groups

    for times in rounds(protocol, points):
        yield from groups(path, times, problem)


def advance(
    times: list[float],
    path: Path,
    problem: Problem,
    protocol: Protocol,
    progress: Progress,
    whole: bool = True,
) -> Iterator[list[float]]:
    """Measure points of a group; the times are given back in the parts that were measured.

    All of a part or nothing is in the progress: sums of softmax outputs have all of it.

    Arguments:
        times, path, problem, protocol, progress: See `evaluate`.
        whole: Whether all points of the path are measured, as lengths and ensembles need.
    """
    from mcbench.evaluation.shared_layers import parts

    sides = {0.0: ("start", "ends", "path"), 1.0: ("ends", "path")} if whole else {0.0: ("start",)}
    grid = protocol.grid
    before = dict(zip(grid[1:], grid[:-1], strict=True))
    points = path.several(times)
    for part in parts(problem, points):
        names = [sides.get(t, ("path",) if whole and t in before else ()) for t in times[part]]
        found = measure_all(points[part], problem, protocol, progress, names)
        for t, values in zip(times[part], found, strict=True):
            if t == 0 or t in before:
                values["step"] = path.length(before[t], t) if whole and t else 0.0
        progress.points |= zip(times[part], found, strict=True)
        yield times[part]


def _check(t: float, values: Values) -> None:
    for split, loss in values["loss"].items():
        if not abs(loss) < float("inf"):
            raise RunError(f"the {split} loss at t = {t:g} is {loss}: the path leaves all bounds")


def midpoints(points: dict[float, Values]) -> list[float]:
    """The middles of the intervals beside the worst point, by accuracy and loss, on each split."""
    times = sorted(points)
    middles = set()
    for split in points[times[0]]["loss"]:
        worst_points = {max(times, key=lambda t: points[t]["loss"][split])}
        if split in points[times[0]]["accuracy"]:
            worst_points.add(min(times, key=lambda t: points[t]["accuracy"][split]))
        for worst in worst_points:
            i = times.index(worst)
            if i > 0:
                middles.add((times[i - 1] + worst) / 2)
            if i + 1 < len(times):
                middles.add((worst + times[i + 1]) / 2)
    return sorted(middles)


def curve_of(path: Path, problem: Problem, protocol: Protocol, progress: Progress) -> Curve:
    """The points that were measured as a curve; those of the grid need a ``step``."""
    import torch

    from mcbench.paths.params import distance

    curve = Curve(end=path.end, straight=distance(path(0.0), path(1.0)))
    grid = set(protocol.grid)
    for t in sorted(progress.points):
        values = progress.points[t]
        curve.t.append(t)
        curve.grid.append(t in grid)
        curve.square.append(values["square"])
        for split in values["loss"]:
            curve.loss.setdefault(split, []).append(values["loss"][split])
            for name, of_split in (("accuracy", curve.accuracy), ("with_start", curve.with_start)):
                if split in values[name]:
                    of_split.setdefault(split, []).append(values[name][split])
    curve.position = _positions(curve, progress)
    for key, total in progress.sums.items():
        name, split = key.split(".")
        if name == "start":
            continue
        targets = problem.splits[split].targets.to(total.device)
        accuracy = 100 * float((total.argmax(1) == targets).to(torch.float64).mean())
        curve.ensembles.setdefault(name, {})[split] = accuracy
    return curve


def _positions(curve: Curve, progress: Progress) -> list[float]:
    """Arc length at every t: measured on the grid, in proportion to t between its points."""
    import numpy as np

    times = curve.on_grid(curve.t)
    lengths = np.cumsum([progress.points[t]["step"] for t in times])
    positions: list[float] = np.interp(curve.t, times, lengths).tolist()
    return positions
