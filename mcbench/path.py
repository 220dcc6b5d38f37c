"""`Path`, a continuous map from [0, 1] to `Params` that starts at A exactly.

A path is a chain of legs. A leg knows its two ends as `Params` and a function for the points
between them; the ends are returned as they are, so ``path(0)`` is A bit for bit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from mcbench.params import combine, distance

if TYPE_CHECKING:
    from mcbench.params import Params

End = Literal["b", "permuted", "short"]
"""Where a path ends: at B, at B with its hidden neurons permuted, or short of both."""


@dataclass(frozen=True)
class Leg:
    """A piece of a path, over its own time u in [0, 1].

    Arguments:
        start: The point at u = 0.
        stop: The point at u = 1.
        between: The points for 0 < u < 1.
        length: The arc length between two times. Where it is not given, chords are measured.
        title: What happens on the leg, for plots.
    """

    start: Params
    stop: Params
    between: Callable[[float], Params]
    length: Callable[[float, float], float] | None = None
    title: str = ""

    def __call__(self, u: float) -> Params:
        if u <= 0:
            return self.start
        return self.stop if u >= 1 else self.between(u)


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
        """The point at ``t``.

        Raises:
            ValueError: If ``t`` is not in [0, 1].
        """
        if not 0 <= t <= 1:
            raise ValueError(f"t = {t} is not in [0, 1]")
        if t not in self._recent:
            # The two latest points are kept: lengths ask for points that were just evaluated.
            while len(self._recent) > 1:
                del self._recent[next(iter(self._recent))]
            leg, u = self._locate(t)
            self._recent[t] = self.legs[leg](u)
        return self._recent[t]

    def _locate(self, t: float) -> tuple[int, float]:
        count = len(self.legs)
        leg = min(bisect_right(self.joints, t) - 1, count - 1)
        return leg, t * count - leg

    def length(self, t0: float, t1: float) -> float:
        """Arc length from ``t0`` to ``t1``: exact on legs that know it, else by chords.

        A chord is drawn from joint to joint at the longest, so a corner is never cut.
        """
        stops = [t0, *(t for t in self.joints if t0 < t < t1), t1]
        total = 0.0
        for s, e in pairwise(stops):
            leg, u = self._locate(s)
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
    """The straight line from ``a`` to ``b`` as a leg."""
    whole = distance(a, b)
    return Leg(a, b, lambda u: combine(a, b, 1 - u, u), lambda u, v: (v - u) * whole, title)


def polyline(points: Sequence[Params]) -> Path:
    """Straight lines through ``points``, each over an equal share of [0, 1]."""
    return Path([line(a, b) for a, b in pairwise(points)])


def join(*paths: Path) -> Path:
    """The legs of all paths, one after another; it ends as the last one does."""
    return Path([leg for path in paths for leg in path.legs], paths[-1].end)
