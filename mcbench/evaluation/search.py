"""Search for the worst points of a path: a scan of all legs, then the bracketing of the worst.

The quantities are loss and accuracy on each split; worse is a higher loss or a lower accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

Values = Mapping[str, Any]
"""Values of one network: ``loss`` and ``accuracy`` by split."""

SPACING = 0.005
"""Largest distance in t between times of the scan: a dip that is twice as wide is seen."""

GRID_PER_LEG, SCAN_PER_LEG = 2, 4
"""Fewest intervals of a leg, on the grid and in the scan."""

SAMPLES = 1000
"""Samples of each split that a scan measures."""

PEAKS = 3
"""Most local maxima of each quantity of the scan that are measured on all data."""

OUTLINE = 0.02
"""Largest deviation of the scan from straight lines between points, as a share of its range."""

LOSS, ACCURACY = 1e-3, 0.1
"""Tolerances: of losses as a share of their range along the path, of accuracies in points."""

NARROW = 2.0**-12
"""The width in t below which an interval is not halved: a jump is never bracketed."""


def grid(points: int, legs: int) -> list[float]:
    """The uniform grid, the joints of legs, and on each leg at least `GRID_PER_LEG` intervals."""
    count = legs * (1 if legs * GRID_PER_LEG < points else GRID_PER_LEG)
    uniform = {Fraction(i, points - 1) for i in range(points)}
    return sorted(map(float, uniform | {Fraction(i, count) for i in range(count + 1)}))


def scan_times(legs: int) -> list[float]:
    """The times of the scan: equal intervals on each leg, no wider than `SPACING`."""
    count = legs * max(SCAN_PER_LEG, ceil(1 / (legs * SPACING)))
    return [i / count for i in range(count + 1)]


def peaks(scan: Mapping[float, Values]) -> list[float]:
    """The times of the worst local maxima of each quantity, at most `PEAKS` of each."""
    from scipy.signal import find_peaks

    times = sorted(scan)
    worst: set[float] = set()
    for quantity in _quantities(scan[times[0]]):
        heights = [_height(scan[t], quantity) for t in times]
        maxima = sorted(find_peaks(heights)[0], key=lambda i: -heights[i])
        worst |= {times[i] for i in maxima[:PEAKS]}
    return sorted(worst)


def outline(scan: Mapping[float, Values], grid: Sequence[float]) -> list[float]:
    """The times of the scan that make straight lines between points follow its losses.

    Beginning with the grid, the time of the largest deviation is added until none is larger than
    `OUTLINE`: so means along the path do not depend on how much of t a leg has.
    """
    import numpy as np

    times, added = sorted(scan), set[float]()
    for split in scan[times[0]]["loss"]:
        losses = np.array([scan[t]["loss"][split] for t in times])
        nodes = sorted({*grid, *added})
        while True:
            deviations = np.abs(losses - np.interp(times, nodes, np.interp(nodes, times, losses)))
            i = int(deviations.argmax())
            if deviations[i] <= OUTLINE * np.ptp(losses):
                break
            added.add(times[i])
            nodes = sorted({*nodes, times[i]})
    return sorted(added)


def halvings(points: Mapping[float, Values]) -> list[float]:
    """The middles of the intervals beside each quantity's worst point, until it stands.

    A worst point stands if the values on both sides differ from its by no more than the tolerance
    (`LOSS`, `ACCURACY`), or the intervals are no wider than `NARROW`. On a hill that is concave
    there, no point is then worse by more than the tolerance.
    """
    times = sorted(points)
    middles: set[float] = set()
    for quantity in _quantities(points[times[0]]):
        heights = [_height(points[t], quantity) for t in times]
        i = heights.index(max(heights))
        loss = quantity[0] == "loss"
        tolerance = LOSS * (max(heights) - min(heights)) if loss else ACCURACY
        beside = [j for j in (i - 1, i + 1) if 0 <= j < len(times)]
        if max(heights[i] - heights[j] for j in beside) > tolerance:
            wide = [j for j in beside if abs(times[j] - times[i]) > NARROW]
            middles |= {(times[i] + times[j]) / 2 for j in wide}
    return sorted(middles)


def midpoints(points: Mapping[float, Values]) -> list[float]:
    """The middles of both intervals beside the worst point of each quantity."""
    times = sorted(points)
    middles: set[float] = set()
    for quantity in _quantities(points[times[0]]):
        heights = [_height(points[t], quantity) for t in times]
        i = heights.index(max(heights))
        middles |= {(times[i] + times[j]) / 2 for j in (i - 1, i + 1) if 0 <= j < len(times)}
    return sorted(middles)


def _quantities(values: Values) -> list[tuple[str, str]]:
    """The quantities as (``loss`` or ``accuracy``, split)."""
    return [(name, split) for name in ("loss", "accuracy") for split in values[name]]


def _height(values: Values, quantity: tuple[str, str]) -> float:
    """How bad a point is: its loss, or minus its accuracy."""
    name, split = quantity
    value: float = values[name][split]
    return value if name == "loss" else -value
