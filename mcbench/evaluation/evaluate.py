"""Evaluation of a path: loss and accuracy on a grid, refined around the worst points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    """Losses and accuracies along a path, in the order of t.

    Arguments:
        t: The values of t.
        grid: Whether the point is on the grid (else it is a refinement).
        position: Arc length from A.
        loss: Mean loss by split: cross-entropy, or the data's own.
        accuracy: Accuracy in percent by split; this and all other accuracies are empty where the
            data have no classes.
        straight: The distance from A to the path's end.
        ensembles: Accuracy in percent of averaged softmax outputs: of the path's two ends
            (``ends``) and of all points of the grid (``path``), by split.
        with_start: Accuracy in percent of the ensemble of A and the point, by split; empty in
            published records that lack it.
        end: Where the path ends: ``b``, ``permuted`` or ``short``.
        square: The squared Euclidean norm of the point's parameters, without buffers; empty in
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
        """The part of ``values`` that was measured on the grid."""
        return [v for v, on_grid in zip(values, self.grid, strict=True) if on_grid]

    def staying(self, i: int) -> Curve:
        """The curve of a path that stays at point i, for metrics of a single network."""
        loss, accuracy = (
            {split: [values[i]] * 2 for split, values in measured.items()}
            for measured in (self.loss, self.accuracy)
        )
        square = [self.square[i]] * 2 if self.square else []
        return Curve(
            [0.0, 1.0], [True, True], [0.0, 0.0], loss, accuracy, end=self.end, square=square
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON."""
        return asdict(self)

    @staticmethod
    def of(stored: dict[str, Any]) -> Curve:
        """The curve of a `to_dict`."""
        return Curve(**stored)


def evaluate(path: Path, problem: Problem, protocol: Protocol) -> Curve:
    """The curve of a path, measured on the grid and at refined points.

    Raises:
        RunError: If a loss along the path is not finite.
    """
    progress = Progress()
    for _ in measure_points(path, problem, protocol, progress):
        pass
    return curve_of(path, problem, protocol, progress)


def measure_points(
    path: Path, problem: Problem, protocol: Protocol, progress: Progress
) -> Iterator[float]:
    """Measure the points of a path that the progress lacks; yields the t of each.

    Arguments:
        path: The path.
        problem: Data and loss.
        protocol: Grid, refinement and training data.
        progress: Points that an interrupted evaluation has measured; the others are added.

    Raises:
        RunError: If a loss along the path is not finite.
    """
    for group in time_groups(path, problem, protocol, progress.points):
        missing = [t for t in group if t not in progress.points]
        for times in measure_group(missing, path, problem, protocol, progress):
            for t in times:
                _check(t, progress.points[t])
            yield from times


def rounds(protocol: Protocol, points: Mapping[float, Values]) -> Iterator[list[float]]:
    """The values of t on the grid, then those of each round of refinement.

    Arguments:
        protocol: Grid and number of rounds.
        points: Measured values by t; a round needs those of the rounds before it.
    """
    times, measured = protocol.grid, dict[float, Values]()
    yield times
    for _ in range(protocol.refine):
        measured |= {t: points[t] for t in times}
        times = midpoints(measured)
        yield times


def time_groups(
    path: Path, problem: Problem, protocol: Protocol, points: Mapping[float, Values]
) -> Iterator[list[float]]:
    """The values of t in order, in groups that are measured at once.

    Computations that a group shares round differently from those of a single point: the same
    groups give the same numbers. For the arguments see `measure_points` and `rounds`.
    """
    from mcbench.evaluation.shared_layers import groups

    for times in rounds(protocol, points):
        yield from groups(path, times, problem)


def measure_group(
    times: list[float],
    path: Path,
    problem: Problem,
    protocol: Protocol,
    progress: Progress,
    whole: bool = True,
) -> Iterator[list[float]]:
    """Measure the points of a group; yields their t in the parts that were measured at once.

    A part is added to the progress as a whole, with its sums of softmax outputs.

    Arguments:
        times, path, problem, protocol, progress: See `measure_points`.
        whole: Whether all points of the path are measured, which lengths and ensembles need.
    """
    from mcbench.evaluation.shared_layers import parts

    sides = {0.0: ("start", "ends", "path"), 1.0: ("ends", "path")} if whole else {0.0: ("start",)}
    grid = protocol.grid
    before = dict(zip(grid[1:], grid[:-1], strict=True))
    with progress.computing():
        points = path.several(times)
    for part in parts(problem, points):
        names = [sides.get(t, ("path",) if whole and t in before else ()) for t in times[part]]
        results = measure_all(points[part], problem, protocol, progress, names)
        for t, values in zip(times[part], results, strict=True):
            if t == 0 or t in before:
                values["step"] = path.length(before[t], t) if whole and t else 0.0
        progress.points |= zip(times[part], results, strict=True)
        yield times[part]


def _check(t: float, values: Values) -> None:
    """Raise `RunError` if a loss is not finite."""
    for split, loss in values["loss"].items():
        if not abs(loss) < float("inf"):
            raise RunError(f"the {split} loss at t = {t:g} is {loss}: the path diverged there")


def midpoints(points: dict[float, Values]) -> list[float]:
    """The middles of the intervals beside the points of worst accuracy and loss on each split."""
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
    """The measured points as a curve; those of the grid need a ``step``."""
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
            for name, by_split in (("accuracy", curve.accuracy), ("with_start", curve.with_start)):
                if split in values[name]:
                    by_split.setdefault(split, []).append(values[name][split])
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
    """Arc length at every t: measured on the grid, interpolated between its points."""
    import numpy as np

    times = curve.on_grid(curve.t)
    lengths = np.cumsum([progress.points[t]["step"] for t in times])
    positions: list[float] = np.interp(curve.t, times, lengths).tolist()
    return positions
