"""`Scene`, a plane of weight space with the networks and paths that are drawn in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from mcbench.errors import UsageError
from mcbench.evaluation.stacked import BUDGET
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Results
from mcbench.landscape.plane import FLAT, Plane, distance_to_line, is_two_dimensional, parameters
from mcbench.landscape.straight_band import STRAIGHT_BAND, joints_of, straight_band
from mcbench.paths.params import Params, size
from mcbench.paths.path import Path, line
from mcbench.problem.problem import Problem
from mcbench.training.batch_norm import parameters_of

POINTS = 61
"""Points that a path is drawn through, besides its joints."""


@dataclass(frozen=True)
class Trace:
    """A path projected onto a plane.

    Arguments:
        method: The method's text, ``name[p=v]``.
        places: x, y and distance from the plane of points along the path, shape (points, 3).
        joints: The same of its joints, without both ends; empty if there are very many.
    """

    method: str
    places: np.ndarray
    joints: np.ndarray

    @property
    def away(self) -> float:
        """The largest distance from the plane."""
        return float(self.places[:, 2].max())


@dataclass
class Scene:
    """A plane and what is drawn in it.

    Arguments:
        title: What spans the plane; empty if it is the whole parameter space.
        plane: The plane.
        marks: x and y of networks by their labels, ``A``, ``B``, ...
        traces: The paths.
    """

    title: str
    plane: Plane
    marks: dict[str, tuple[float, float]]
    traces: list[Trace] = field(default_factory=list)


def along_paths(experiment: Experiment, results: Results, band: bool = False) -> Scene:
    """The plane through A, B and the bend of the first method whose path leaves the line AB.

    The bend is the drawn point of the path that is farthest from the line: the pivot of a path
    with one pivot. Paths are projected onto the plane. The plane of a network with two parameters
    is its whole parameter space.

    Arguments:
        experiment: The experiment of the results.
        results: Results whose first finished pair is drawn.
        band: Whether the straight band is drawn too.

    Raises:
        UsageError: If no path leaves the line.
    """
    problem, connector = experiment.problem, experiment.connector
    done = [run for run in results.runs if run.key in results.records]
    paths = {run.method: connector.connect(run) for run in done}
    seed_a, seed_b = done[0].pair
    a, b = (end.params for end in connector.ends(done[0]))
    drawn = {method: _DrawnPath(path) for method, path in paths.items()}
    if is_two_dimensional(problem):
        plane, title = Plane.of_two(a, problem), f"A: seed {seed_a}, B: seed {seed_b}"
    else:
        bends = ((method, path.bend(a, b, problem)) for method, path in drawn.items())
        method, bend = next((pair for pair in bends if pair[1] is not None), ("", None))
        if bend is None:
            raise UsageError(
                "all paths keep to the straight line from A to B, so they span no plane: add a "
                "method with a bend, as -m polychain"
            )
        plane = Plane.through(a, b, paths[method](bend), problem)
        title = f"plane through A (seed {seed_a}), B (seed {seed_b}) and the bend of {method}"
    if band:
        straight = straight_band(line(a, b), list(paths.values()))
        drawn[STRAIGHT_BAND] = _DrawnPath(straight)  # The last is drawn on top.
    traces = [path.trace(method, plane) for method, path in drawn.items()]
    return Scene(title, plane, _marks(plane, {"A": a, "B": b}), traces)


def through_endpoints(experiment: Experiment, seeds: Sequence[int]) -> Scene:
    """The plane through three endpoints, A, B and C in the order of the seeds.

    Raises:
        UsageError: If they are on one line.
    """
    problem = experiment.problem
    networks = {
        f"{letter} (seed {seed})": experiment.endpoint(seed).params
        for letter, seed in zip("ABC", seeds, strict=False)
    }
    points = list(networks.values())
    if is_two_dimensional(problem):
        plane, title = Plane.of_two(points[0], problem), ""
    else:
        plane = Plane.through(points[0], points[1], points[2], problem)
        title = f"plane through the endpoints of seeds {', '.join(map(str, seeds))}"
    return Scene(title, plane, _marks(plane, networks))


def _marks(plane: Plane, networks: dict[str, Params]) -> dict[str, tuple[float, float]]:
    """x and y of networks by their labels."""
    return {label: plane.coordinates(params)[:2] for label, params in networks.items()}


class _DrawnPath:
    """The drawn points of a path, parameters only: a projection needs no buffers."""

    def __init__(self, path: Path) -> None:
        joints = joints_of(path)
        self.times = sorted({i / (POINTS - 1) for i in range(POINTS)} | set(joints))
        self.inner = joints[1:-1]
        self.at: Callable[[float], Params] = parameters_of(path)

    def bend(self, a: Params, b: Params, problem: Problem) -> float | None:
        """The time of the point farthest from the line AB; ``None`` if all are on it."""
        if size(a)[1] * len(self.times) <= BUDGET:
            self.at = cache(self.at)  # The trace needs them again.
        names = parameters(problem)
        distances = [distance_to_line(a, b, self.at(t), names) for t in self.times]
        highest = max(distances)
        bent = highest > FLAT * distance_to_line(a, a, b, names)
        return self.times[distances.index(highest)] if bent else None

    def trace(self, method: str, plane: Plane) -> Trace:
        """The path's projection onto a plane."""
        places = np.array([plane.coordinates(self.at(t)) for t in self.times])
        joints = places[[self.times.index(t) for t in self.inner]].reshape(-1, 3)
        return Trace(method, places, joints)
