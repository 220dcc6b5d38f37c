"""Evaluation of a path: loss and accuracy on a grid, and where it is worst."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING

from mcbench.errors import RunError
from mcbench.evaluation import search
from mcbench.evaluation.curve import Curve, Scan
from mcbench.evaluation.losses import Progress, Values, measure_all, measure_sample
from mcbench.evaluation.protocol import Protocol

if TYPE_CHECKING:
    from mcbench.paths.path import Path
    from mcbench.problem.problem import Problem


def evaluate(path: Path, problem: Problem, protocol: Protocol) -> Curve:
    """The curve of a path, measured on the grid and where it is worst.

    Raises:
        RunError: If a loss along the path is not finite.
    """
    evaluation = PathEvaluation(path, problem, protocol)
    for _ in evaluation.points():
        pass
    return evaluation.curve()


class PathEvaluation:
    """The evaluation of one path, point by point; an interrupted one goes on.

    Arguments:
        path: The path.
        problem: Data and loss.
        protocol: Grid, refinement and training data.
        progress: What an interrupted evaluation has measured; more is added to it.
        grid: The grid, if not the protocol's; for a path of which only points are known.
    """

    def __init__(
        self,
        path: Path,
        problem: Problem,
        protocol: Protocol,
        progress: Progress | None = None,
        grid: Sequence[float] = (),
    ) -> None:
        self.path, self.problem, self.protocol = path, problem, protocol
        self.progress = progress or Progress()
        self.grid = list(grid) or protocol.grid_of(len(path.legs))

    def points(self) -> Iterator[list[float]]:
        """Measure the points that the progress lacks.

        Yields:
            The times that were measured at once on all data; none, after a part of the scan.

        Raises:
            RunError: If a loss along the path is not finite.
        """
        points = self.progress.points
        scan = search.scan_times(len(self.path.legs))
        for _ in self.scan(scan) if self.protocol.refine == "search" else ():
            yield []
        for times in rounds(self.protocol, self.grid, points, self.progress.scan):
            for group in self.groups(times):
                missing = [t for t in group if t not in points]
                for part in self.measure(missing):
                    _check({t: points[t] for t in part})
                    yield part

    def groups(self, times: Sequence[float]) -> Iterator[list[float]]:
        """Times in groups that are measured at once.

        Computations that a group shares round differently from those of a single point: the same
        groups give the same numbers.
        """
        from mcbench.evaluation.shared_layers import groups

        return groups(self.path, times, self.problem)

    def measure(self, times: list[float], whole: bool = True) -> Iterator[list[float]]:
        """Measure the points of a group; yields their t in the parts that were measured at once.

        A part is added to the progress as a whole, with its sums of softmax outputs.

        Arguments:
            times: Values of t.
            whole: Whether all points of the path are measured, which lengths and ensembles need.
        """
        from mcbench.evaluation.shared_layers import parts

        sides = {0.0: ("start", "ends", "path"), 1.0: ("ends", "path")}
        before = dict(zip(self.grid[1:], self.grid[:-1], strict=True))
        with self.progress.computing():
            points = self.path.several(times)
        for part in parts(self.problem, points):
            if whole:
                names = [sides.get(t, ("path",) if t in before else ()) for t in times[part]]
            else:
                names = [("start",) if t == 0 else () for t in times[part]]
            results = measure_all(points[part], self.problem, self.protocol, self.progress, names)
            for t, values in zip(times[part], results, strict=True):
                if t == 0 or t in before:
                    values["step"] = self.path.length(before[t], t) if whole and t else 0.0
            self.progress.points |= zip(times[part], results, strict=True)
            yield times[part]

    def scan(self, scan_times: Sequence[float]) -> Iterator[None]:
        """Measure those of some times of the scan that the progress lacks, in groups."""
        from mcbench.evaluation.shared_layers import parts

        scan = self.progress.scan
        for group in self.groups(scan_times):
            times = [t for t in group if t not in scan]
            with self.progress.computing():
                points = self.path.several(times)
            for part in parts(self.problem, points):
                results = measure_sample(points[part], self.problem, search.SAMPLES)
                _check(dict(zip(times[part], results, strict=True)))
                scan |= zip(times[part], results, strict=True)
            if times:
                yield

    def curve(self) -> Curve:
        """The measured points as a curve; those of the grid need a ``step``."""
        import torch

        from mcbench.paths.params import distance

        path, progress = self.path, self.progress
        curve = Curve(end=path.end, straight=distance(path(0.0), path(1.0)))
        curve.t = sorted(progress.points)
        points = [progress.points[t] for t in curve.t]
        curve.grid = [t in set(self.grid) for t in curve.t]
        curve.square = [values["square"] for values in points]
        curve.loss, curve.accuracy, curve.with_start = (
            _by_split(points, name) for name in ("loss", "accuracy", "with_start")
        )
        curve.position = _positions(curve, progress)
        for key, total in progress.sums.items():
            name, split = key.split(".")
            if name == "start":
                continue
            targets = self.problem.splits[split].targets.to(total.device)
            accuracy = 100 * float((total.argmax(1) == targets).to(torch.float64).mean())
            curve.ensembles.setdefault(name, {})[split] = accuracy
        if progress.scan:
            times = sorted(progress.scan)
            scan = [progress.scan[t] for t in times]
            curve.scan = Scan(times, _by_split(scan, "loss"), _by_split(scan, "accuracy"))
        return curve


def rounds(
    protocol: Protocol,
    grid: list[float],
    points: Mapping[float, Values],
    scan: Mapping[float, Values],
) -> Iterator[list[float]]:
    """The times of the grid, then those of each round of refinement.

    Arguments:
        protocol: The refinement.
        grid: The times of the grid.
        points: Measured values by t; a round needs those of the rounds before it.
        scan: The values of the scan by t, if the protocol has a search.
    """
    yield grid
    measured = {t: points[t] for t in grid}
    if protocol.refine == "search":
        times = sorted({*search.peaks(scan), *search.outline(scan, grid)})
        while times:
            yield times
            measured |= {t: points[t] for t in times}
            times = search.halvings(measured)
        return
    for _ in range(protocol.refine):
        times = search.midpoints(measured)
        yield times
        measured |= {t: points[t] for t in times}


def _check(points: Mapping[float, Values]) -> None:
    """Raise `RunError` if a loss is not finite."""
    for t, values in points.items():
        for split, loss in values["loss"].items():
            if not isfinite(loss):
                raise RunError(f"the {split} loss at t = {t:g} is {loss}: the path diverged there")


def _by_split(points: Sequence[Values], name: str) -> dict[str, list[float]]:
    """Lists of one quantity of some points, by split."""
    return {split: [values[name][split] for values in points] for split in points[0][name]}


def _positions(curve: Curve, progress: Progress) -> list[float]:
    """Arc length at every t: measured on the grid, interpolated between its points."""
    import numpy as np

    times = curve.on_grid(curve.t)
    lengths = np.cumsum([progress.points[t]["step"] for t in times])
    positions: list[float] = np.interp(curve.t, times, lengths).tolist()
    return positions
