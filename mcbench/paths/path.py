"""`Path`, a continuous map from [0, 1] to `Params` that starts at A exactly.

A path is a sequence of legs. A leg has its two ends as `Params` and a function for the points
between them; the ends are returned as they are, so ``path(0)`` is A bit for bit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from mcbench.errors import RunError
from mcbench.paths.params import Params, combine, distance

End = Literal["b", "permuted", "short"]
"""The end of a path: B, B with its hidden neurons permuted, or a point short of both."""


@dataclass(frozen=True)
class Leg:
    """A piece of a path, over its own time u in [0, 1].

    Arguments:
        start: The point at u = 0.
        stop: The point at u = 1.
        between: The point at a time 0 < u < 1.
        length: The arc length between two times; without it, chords are measured.
        title: What happens on the leg, for plots.
        several_between: The points that ``between`` gives at some times 0 < u < 1, in their
            order, if that costs less than one after another.
    """

    start: Params
    stop: Params
    between: Callable[[float], Params]
    length: Callable[[float, float], float] | None = None
    title: str = ""
    several_between: Callable[[Sequence[float]], list[Params]] | None = None

    def __call__(self, u: float) -> Params:
        return self.several([u])[0]

    def several(self, times: Sequence[float]) -> list[Params]:
        """The points at some times.

        Raises:
            RunError: If ``several_between`` gives a wrong number of points.
        """
        inside = [u for u in times if 0 < u < 1]
        if self.several_between is None or len(inside) < 2:
            points = [self.between(u) for u in inside]
        else:
            points = self.several_between(inside)
        if len(points) != len(inside):
            raise RunError(
                f"'several_between' of a leg gave {len(points)} points for {len(inside)} times: "
                "it must give one for each"
            )
        rest = iter(points)
        return [self.start if u <= 0 else self.stop if u >= 1 else next(rest) for u in times]


class Path:
    """Legs one after another, each over an equal share of [0, 1].

    Arguments:
        legs: At least one; each starts where the one before stops.
        end: Whether ``path(1)`` is B, a permutation of B, or neither.
    """

    def __init__(self, legs: Sequence[Leg], end: End = "b") -> None:
        if not legs:
            raise ValueError("a path needs at least one leg")
        self.legs = tuple(legs)
        self.end: End = end
        self._recent: dict[float, Params] = {}

    @property
    def joints(self) -> list[float]:
        """The times at which legs begin and end, 0 and 1 included."""
        return [i / len(self.legs) for i in range(len(self.legs) + 1)]

    def __call__(self, t: float) -> Params:
        """The point at ``t``; see `several`."""
        return self.several([t])[0]

    def several(self, times: Sequence[float]) -> list[Params]:
        """The points at some times; a leg computes all of its own in one call (see `Leg`).

        Raises:
            ValueError: If one of them is not in [0, 1].
        """
        for t in times:
            if not 0 <= t <= 1:
                raise ValueError(f"t = {t} is not in [0, 1]")
        places = {t: self.locate(t) for t in times}
        missing = [t for t in times if 0 < places[t][1] < 1 and t not in self._recent]
        if missing:
            # Lengths ask for the points that were just evaluated and the one before: these are
            # cached. Points where legs meet are not computed, so they need no cache.
            cached = (*list(self._recent)[-1:], *times)
            self._recent = {t: x for t, x in self._recent.items() if t in cached}
        for leg, group in groupby(missing, lambda t: places[t][0]):
            on_leg = list(group)
            points = self.legs[leg].several([places[t][1] for t in on_leg])
            self._recent |= zip(on_leg, points, strict=True)
        return [
            self._recent[t] if t in self._recent else self.legs[places[t][0]](places[t][1])
            for t in times
        ]

    def locate(self, t: float) -> tuple[int, float]:
        """The index of the leg at time ``t``, and the leg's own time u there."""
        count, joints = len(self.legs), self.joints
        leg = min(bisect_right(joints, t) - 1, count - 1)
        return leg, 0.0 if t == joints[leg] else t * count - leg

    def length(self, t0: float, t1: float) -> float:
        """Arc length from ``t0`` to ``t1``: exact on legs with ``length``, else by chords.

        No chord goes beyond a joint, so a corner is never cut.
        """
        stops = [t0, *(t for t in self.joints if t0 < t < t1), t1]
        total = 0.0
        for s, e in pairwise(stops):
            leg, u = self.locate(s)
            exact = self.legs[leg].length
            if exact is not None:
                total += exact(u, min(1.0, e * len(self.legs) - leg))
            else:
                total += distance(self(s), self(e))
        return total


def segment(a: Params, b: Params) -> Path:
    r"""The straight line :math:`\psi(t) = (1 - t)\,A + t\,B`."""
    return Path([line(a, b)])


def line(a: Params, b: Params, title: str = "") -> Leg:
    """The straight line from ``a`` to ``b`` as a leg; entries equal in both keep A's tensors."""
    whole = distance(a, b)
    moving = {name: x for name, x in a.items() if not x.equal(b[name])}

    def between(u: float) -> Params:
        return a | combine(moving, b, 1 - u, u)

    return Leg(a, b, between, lambda u, v: (v - u) * whole, title)


def polyline(points: Sequence[Params]) -> Path:
    """Straight lines through ``points``, each over an equal share of [0, 1]."""
    return Path([line(a, b) for a, b in pairwise(points)])


def join(*paths: Path) -> Path:
    """The legs of all paths, one after another; ``end`` is that of the last path."""
    return Path([leg for path in paths for leg in path.legs], paths[-1].end)
