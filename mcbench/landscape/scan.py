"""`Scan`, the loss and the accuracy on a plane, measured on an adaptive grid and stored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from mcbench.experiments.run import SCHEMA
from mcbench.landscape import adaptive_grid
from mcbench.landscape.adaptive_grid import STEP, Node
from mcbench.landscape.scene import Scene
from mcbench.landscape.surface import Surface, Values
from mcbench.paths.params import fingerprint
from mcbench.plugins.host import host
from mcbench.problem.problem import Problem, SplitName
from mcbench.store.key import key_of
from mcbench.store.provenance import provenance
from mcbench.store.store import Store, save_seconds

KIND = "planes"
"""The store's folder for planes."""

MARGIN = 0.2
"""The margin around what is drawn, on each side, in window sides (Garipov et al.'s code)."""

Window = tuple[float, float, float, float]
"""The lowest and the highest x, then the lowest and the highest y."""


@dataclass(frozen=True)
class ScanOptions:
    """Data, quantity and number of points of a scan.

    Arguments:
        split: The data.
        quantity: ``loss`` or ``error``: the quantity that the grid is refined for.
        side: Points on each side of the first grid.
        evaluations: Most points after refinement.
        samples: Samples of the split, drawn by the problem's seed; 0 means all.
    """

    split: SplitName = "test"
    quantity: str = "loss"
    side: int = 21
    evaluations: int = 1000
    samples: int = 0


@dataclass(frozen=True)
class Scan:
    """Loss and accuracy at points of a plane.

    Arguments:
        problem: The problem's identity.
        options: What was measured.
        scene: The plane and what is drawn in it.
        window: The part of the plane that was measured.
        places: x and y of the measured points, shape (points, 2).
        loss: The loss at each, in ``unit``.
        accuracy: The accuracy at each in percent.
        unit: Unit of the loss; without one there are no classes, and the accuracy means nothing.
    """

    problem: dict[str, Any]
    options: ScanOptions
    scene: Scene
    window: Window
    places: np.ndarray
    loss: np.ndarray
    accuracy: np.ndarray
    unit: str = "nats"

    @property
    def shown(self) -> np.ndarray:
        """The quantity of the options at `places`."""
        return self.loss if self.options.quantity == "loss" else 100 - self.accuracy


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


def scan_plane(scene: Scene, problem: Problem, store: Store, options: ScanOptions) -> Scan:
    """Measure the plane around what is drawn in it; stored points are not measured again.

    The store has the values of points under a key of the content of the plane's three points, the
    window, the grid, the data and the seed. So an interrupted scan goes on, and one with more
    evaluations, or of the error instead of the loss, adds what is missing.
    """
    traces = [trace.places[:, :2] for trace in scene.traces]
    window = window_of(np.concatenate([np.array(list(scene.marks.values())), *traces]))
    points = _MeasuredPoints(problem, store, scene, window, options)
    crossed = [points.node_of(x, y) for places in traces for x, y in _dense(places)]
    with store.lock(points.key):
        points.load()
        nodes = adaptive_grid.refine(
            options.side, options.evaluations, crossed, points.measure, points.heights
        )
        points.save()
    places = np.array([points.place_of(node) for node in nodes])
    loss, accuracy = np.array([points.values[node] for node in nodes]).T
    unit = "nats" if problem.data.loss == "cross-entropy" else ""
    return Scan(problem.identity, options, scene, window, places, loss, accuracy, unit)


def _dense(places: np.ndarray) -> np.ndarray:
    """A path's points with more between them, so that no cell that it crosses is left out."""
    shares = np.linspace(0, 1, 9)[:, None]
    return np.concatenate([p + shares * (q - p) for p, q in pairwise(places)])


class _MeasuredPoints:
    """The measured points in a window of a plane, kept in the store."""

    def __init__(
        self, problem: Problem, store: Store, scene: Scene, window: Window, options: ScanOptions
    ) -> None:
        self.problem, self.store, self.window, self.options = problem, store, window, options
        self.surface = Surface(problem, scene.plane, options.split, options.samples)
        self.title = scene.title or "parameter plane"
        self.values: dict[Node, Values] = {}
        self.stored, self.seconds = 0, 0.0
        self._saved = time.perf_counter()
        self.description = {
            "schema": SCHEMA,
            "problem": problem.identity,
            "points": [fingerprint(point) for point in scene.plane.points],
            "window": window,
            "side": options.side,
            "split": options.split,
            "samples": options.samples,
            "seed": problem.seed,
            "dtype": "float32",
        }
        self.key = key_of(self.description)

    def place_of(self, node: Node) -> tuple[float, float]:
        """x and y of a node."""
        (left, right, bottom, top), last = self.window, (self.options.side - 1) * STEP
        return left + (right - left) * node[0] / last, bottom + (top - bottom) * node[1] / last

    def node_of(self, x: float, y: float) -> tuple[float, float]:
        """A place in units of the finest grid."""
        (left, right, bottom, top), last = self.window, (self.options.side - 1) * STEP
        return (x - left) / (right - left) * last, (y - bottom) / (top - bottom) * last

    def load(self) -> None:
        """Read the stored values."""
        record = self.store.intact(self.store.read_record, KIND, self.key)
        if record is not None:
            self.values = {(i, j): (loss, accuracy) for i, j, loss, accuracy in record["values"]}
            self.stored, self.seconds = len(self.values), record["cost"]["seconds"]

    def save(self) -> None:
        """Write all values, if there are new ones."""
        if len(self.values) > self.stored:
            record = {
                "title": f"{self.options.split}, {self.title}: {len(self.values)} points",
                "description": self.description,
                "problem": self.problem.identity,
                "values": [[*node, *values] for node, values in self.values.items()],
                "provenance": provenance(self.problem.device),
                "cost": {"seconds": self.seconds},
            }
            self.store.write_record(KIND, self.key, record)
            self.stored = len(self.values)
            self._saved = time.perf_counter()

    def measure(self, nodes: Sequence[Node]) -> None:
        """Measure the nodes that have no values, a batch at a time."""
        missing = [node for node in nodes if node not in self.values]
        steps = max(self.options.evaluations, self.options.side**2)
        for i in range(0, len(missing), self.surface.batch):
            batch = missing[i : i + self.surface.batch]
            start = time.perf_counter()
            values = self.surface.measure([self.place_of(node) for node in batch])
            self.seconds += time.perf_counter() - start
            self.values |= dict(zip(batch, values, strict=True))
            lowest = min(loss for loss, _ in self.values.values())
            host().notify(
                "mcbench_method_progressed", title=self.title, step=len(self.values),
                steps=steps, loss=lowest,
            )  # fmt: skip
            if time.perf_counter() - self._saved > save_seconds():
                self.save()

    def heights(self, nodes: Sequence[Node]) -> np.ndarray:
        """The quantity of the contour lines: the loss, or the error in percent."""
        values = np.array([self.values[node] for node in nodes])
        return values[:, 0] if self.options.quantity == "loss" else 100 - values[:, 1]
