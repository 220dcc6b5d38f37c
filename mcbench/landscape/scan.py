"""Planes surveyed: endpoints, the paths between them, and the loss around, kept in the store."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mcbench.errors import UsageError
from mcbench.evaluation.stacked import BUDGET
from mcbench.experiments.run import SCHEMA
from mcbench.landscape import adaptive_grid
from mcbench.landscape.adaptive_grid import STEP, Node
from mcbench.landscape.chains import STRAIGHT_CHAIN, joints_of, straight_chain
from mcbench.landscape.plane import FLAT, Plane, aside, has_two, parameters
from mcbench.landscape.surface import Surface, Values
from mcbench.paths.params import Params, fingerprint, size
from mcbench.paths.path import Path, line
from mcbench.plugins.host import host
from mcbench.problem.problem import Problem, SplitName
from mcbench.store.key import key_of
from mcbench.store.provenance import provenance
from mcbench.store.store import Store, save_seconds
from mcbench.training.batch_norm import parameters_of

if TYPE_CHECKING:
    from mcbench.experiments.experiment import Experiment
    from mcbench.experiments.plan import Results

log = logging.getLogger("mcbench")

KIND = "planes"
"""The store's folder for planes."""

POINTS = 61
"""A path is drawn through so many points, and its joints."""

MARGIN = 0.2
"""Of the window around what is drawn in it, on each side (Garipov et al.'s code)."""

Window = tuple[float, float, float, float]
"""The lowest and the highest x, then those of y."""


@dataclass(frozen=True)
class Ask:
    """What is to be seen of a plane.

    Arguments:
        split: The data.
        quantity: ``loss`` or ``error``: what the lattice is refined for.
        side: The first lattice has so many points on each side.
        evaluations: So many points at most, after refinement.
        samples: Of the split, drawn by the problem's seed; 0 is all.
    """

    split: SplitName = "test"
    quantity: str = "loss"
    side: int = 21
    evaluations: int = 1000
    samples: int = 0


@dataclass(frozen=True)
class Trace:
    """A path in the plane.

    Arguments:
        method: As the user writes it.
        places: x, y and the distance from the plane of points along it, shape (points, 3).
        joints: The same of its joints, A and the end left out; none if there are very many.
    """

    method: str
    places: np.ndarray
    joints: np.ndarray

    @property
    def away(self) -> float:
        """The largest distance from the plane."""
        return float(self.places[:, 2].max())


@dataclass(frozen=True)
class Survey:
    """What was seen of a plane.

    Arguments:
        problem: The problem's identity.
        ask: What was asked for.
        whole: Whether the plane is the whole parameter space.
        title: What spans the plane.
        marks: Places by what is there: ``A``, ``B``, ...
        traces: The paths.
        window: The part that was measured.
        places: x and y of measured points, shape (points, 2).
        loss, accuracy: Of each; loss in nats, accuracy in percent.
        unit: Of the loss; without one there are no classes, and the accuracy means nothing.
    """

    problem: dict[str, Any]
    ask: Ask
    whole: bool
    title: str
    marks: dict[str, tuple[float, float]]
    traces: list[Trace]
    window: Window
    places: np.ndarray
    loss: np.ndarray
    accuracy: np.ndarray
    unit: str = "nats"

    @property
    def shown(self) -> np.ndarray:
        """The quantity that was asked for, at `places`."""
        return self.loss if self.ask.quantity == "loss" else 100 - self.accuracy


@dataclass
class Drawn:
    """What spans the plane, and what lies in it.

    Arguments:
        title: What spans it.
        plane: The plane.
        marks: Networks by the names that they get.
        traces: The paths.
    """

    title: str
    plane: Plane
    marks: dict[str, Params] = field(default_factory=dict)
    traces: list[Trace] = field(default_factory=list)


def along_paths(experiment: Experiment, results: Results, chain: bool = False) -> Drawn:
    """The plane through A, B and the bend of the first method whose path leaves the line AB.

    The bend is the point of the path that is farthest from the line, of those that are drawn; it
    is a control point of a chain with one bend. Paths are projected onto the plane. In a network
    of two parameters the plane is all there is.

    Arguments:
        experiment: It computed the results.
        results: The first pair of those that are done is drawn.
        chain: Whether the straight chain is drawn too.

    Raises:
        UsageError: If no path leaves the line.
    """
    problem, connector = experiment.problem, experiment.connector
    done = [run for run in results.runs if run.key in results.records]
    paths = {run.method: connector.connect(run) for run in done}
    first, second = done[0].pair
    a, b = (end.params for end in connector.ends(done[0]))
    walks = {method: _Walk(path) for method, path in paths.items()}
    if has_two(problem):
        plane, title = Plane.of_two(a, problem), f"A: seed {first}, B: seed {second}"
    else:
        bends = ((method, walk.bend(a, b, problem)) for method, walk in walks.items())
        found = next(((method, bend) for method, bend in bends if bend is not None), None)
        if found is None:
            raise UsageError(
                "all paths keep to the straight line from A to B, so they span no plane: add a "
                "method with a bend, as -m polychain"
            )
        method, bend = found
        plane = Plane.through(a, b, paths[method](bend), problem)
        title = f"plane through A (seed {first}), B (seed {second}) and the bend of {method}"
    drawn = Drawn(title, plane, {"A": a, "B": b})
    if chain:
        straight = straight_chain(line(a, b), list(paths.values()))
        walks[STRAIGHT_CHAIN] = _Walk(straight)  # The last is drawn on top.
    drawn.traces = [walk.trace(method, plane) for method, walk in walks.items()]
    return drawn


def through_endpoints(experiment: Experiment, seeds: Sequence[int]) -> Drawn:
    """The plane through three endpoints, A, B and C in the order of the seeds.

    Raises:
        UsageError: If they are on one line.
    """
    problem = experiment.problem
    marks = {
        f"{letter} (seed {seed})": experiment.endpoint(seed).params
        for letter, seed in zip("ABC", seeds, strict=False)
    }
    points = list(marks.values())
    if has_two(problem):
        plane = Plane.of_two(points[0], problem)
    else:
        plane = Plane.through(points[0], points[1], points[2], problem)
    title = f"plane through the endpoints of seeds {', '.join(map(str, seeds))}"
    return Drawn("" if plane.whole else title, plane, marks)


class _Walk:
    """The points of a path that are drawn: their parameters, for a projection needs no more."""

    def __init__(self, path: Path) -> None:
        joints = joints_of(path)
        self.times = sorted({i / (POINTS - 1) for i in range(POINTS)} | set(joints))
        self.inner = joints[1:-1]
        self.at: Callable[[float], Params] = parameters_of(path)

    def bend(self, a: Params, b: Params, problem: Problem) -> float | None:
        """The time of the point farthest from the line AB; none if all keep to the line."""
        if size(a)[1] * len(self.times) <= BUDGET:
            self.at = cache(self.at)  # The trace needs them again.
        names = parameters(problem)
        distances = [aside(a, b, self.at(t), names) for t in self.times]
        highest = max(distances)
        bent = highest > FLAT * aside(a, a, b, names)
        return self.times[distances.index(highest)] if bent else None

    def trace(self, method: str, plane: Plane) -> Trace:
        """Its projection."""
        places = np.array([plane.coordinates(self.at(t)) for t in self.times])
        joints = places[[self.times.index(t) for t in self.inner]].reshape(-1, 3)
        return Trace(method, places, joints)


def window_of(places: np.ndarray) -> Window:
    """The window around some places: their bounding box with a margin.

    Its shorter side is at least half of the longer one.
    """
    low, high = places.min(0), places.max(0)
    sides = np.maximum(high - low, (high - low).max() / 2)
    sides = np.where(sides > 0, sides, 1.0) * (1 + 2 * MARGIN)
    middle = (low + high) / 2
    (left, bottom), (right, top) = middle - sides / 2, middle + sides / 2
    return float(left), float(right), float(bottom), float(top)


def survey(drawn: Drawn, problem: Problem, store: Store, ask: Ask) -> Survey:
    """Measure the plane around what is drawn in it, or read that from the store.

    What is stored is the values of points, under a key of the three points' content, the window,
    the lattice, the data and the seed. So a survey that was interrupted goes on, and one with
    more evaluations, or of the error instead of the loss, adds what is missing.
    """
    plane = drawn.plane
    marks = {name: plane.coordinates(params)[:2] for name, params in drawn.marks.items()}
    traced = [trace.places[:, :2] for trace in drawn.traces]
    window = window_of(np.concatenate([np.array(list(marks.values())), *traced]))
    sheet = _Sheet(problem, store, plane, window, ask, drawn.title)
    crossed = [sheet.node_of(x, y) for places in traced for x, y in _dense(places)]
    with store.lock(sheet.key):
        sheet.load()
        nodes = adaptive_grid.refine(
            ask.side, ask.evaluations, crossed, sheet.measure, sheet.heights
        )
        sheet.save()
    values = np.array([sheet.values[node] for node in nodes])
    return Survey(
        problem.identity, ask, plane.whole, drawn.title, marks, drawn.traces, window,
        np.array([sheet.place_of(node) for node in nodes]), values[:, 0], values[:, 1],
        "nats" if problem.data.loss == "cross-entropy" else "",
    )  # fmt: skip


def _dense(places: np.ndarray) -> np.ndarray:
    """Some points between those of a path, so that no cell that it crosses is left out."""
    shares = np.linspace(0, 1, 9)[:, None]
    return np.concatenate([p + shares * (q - p) for p, q in pairwise(places)])


class _Sheet:
    """The measured points of a plane's window, in the store."""

    def __init__(
        self, problem: Problem, store: Store, plane: Plane, window: Window, ask: Ask, title: str
    ) -> None:
        self.problem, self.store, self.window, self.ask = problem, store, window, ask
        self.surface = Surface(problem, plane, ask.split, ask.samples)
        self.title = title or "parameter plane"
        self.values: dict[Node, Values] = {}
        self.new = 0
        self.seconds = 0.0
        self._saved = time.perf_counter()
        self.description = {
            "schema": SCHEMA,
            "problem": problem.identity,
            "points": [fingerprint(point) for point in plane.points],
            "window": window,
            "side": ask.side,
            "split": ask.split,
            "samples": ask.samples,
            "seed": problem.seed,
            "dtype": "float32",
        }
        self.key = key_of(self.description)

    def place_of(self, node: Node) -> tuple[float, float]:
        """x and y of a node."""
        left, right, bottom, top = self.window
        last = (self.ask.side - 1) * STEP
        return left + (right - left) * node[0] / last, bottom + (top - bottom) * node[1] / last

    def node_of(self, x: float, y: float) -> tuple[float, float]:
        """A place in units of the finest lattice."""
        left, right, bottom, top = self.window
        last = (self.ask.side - 1) * STEP
        return (x - left) / (right - left) * last, (y - bottom) / (top - bottom) * last

    def load(self) -> None:
        """Values that the store has."""
        record = self.store.intact(self.store.read_record, KIND, self.key)
        if record is not None:
            self.values = {(i, j): (loss, accuracy) for i, j, loss, accuracy in record["values"]}
            self.seconds = record["cost"]["seconds"]

    def save(self) -> None:
        """Write all values, if there are new ones."""
        if self.new:
            record = {
                "title": f"{self.ask.split}, {self.title}: {len(self.values)} points",
                "description": self.description,
                "problem": self.problem.identity,
                "values": [[*node, *values] for node, values in self.values.items()],
                "provenance": provenance(self.problem.device),
                "cost": {"seconds": self.seconds},
            }
            self.store.write_record(KIND, self.key, record)
            self.new = 0
            self._saved = time.perf_counter()

    def measure(self, nodes: Sequence[Node]) -> None:
        """Those of some nodes that have no values, some at a time."""
        missing = [node for node in nodes if node not in self.values]
        for start in range(0, len(missing), self.surface.together):
            part = missing[start : start + self.surface.together]
            began = time.perf_counter()
            found = self.surface.measure([self.place_of(node) for node in part])
            self.seconds += time.perf_counter() - began
            self.values |= dict(zip(part, found, strict=True))
            self.new += len(part)
            done = len(self.values)
            steps = max(self.ask.evaluations, self.ask.side**2)
            lowest = min(loss for loss, _ in self.values.values())
            host().notify(
                "mcbench_method_progressed", title=self.title, step=done, steps=steps,
                loss=lowest,
            )  # fmt: skip
            if time.perf_counter() - self._saved > save_seconds():
                self.save()

    def heights(self, nodes: Sequence[Node]) -> np.ndarray:
        """What lines are drawn of: the loss, or the error in percent."""
        values = np.array([self.values[node] for node in nodes])
        return values[:, 0] if self.ask.quantity == "loss" else 100 - values[:, 1]
