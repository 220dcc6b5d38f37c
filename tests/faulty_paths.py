"""Methods whose paths break one property each: their ends, points, continuity and lengths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

import mcbench
from faulty_components import FAULTY, Straight, fails
from mcbench import Leg, Path, combine


@fails("method", "path(1) is the declared end")
class Short(Straight):
    """Stops a little before B."""

    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        return mcbench.segment(a.params, combine(a.params, b.params, 0.01, 0.99))


@fails("method", "path(1) is the declared end")
class Elsewhere(Short):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        return Path(super().connect(a, b, problem).legs, "permuted")


@fails("method", "path(1) is the declared end")
class Modest(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        return Path(super().connect(a, b, problem).legs, "short")


def between(change: Callable[[Any, float, Any], Any], **options: Any) -> Any:
    """A method whose points between the ends are those of the line, changed."""

    class Changed(Straight):
        def connect(self, a: Any, b: Any, problem: Any) -> Any:
            def point(u: float) -> Any:
                return change(combine(a.params, b.params, 1 - u, u), u, (a, b))

            return Path([Leg(a.params, b.params, point, **options)])

    return Changed()


POINTS = FAULTY.setdefault(("method", "points are networks"), [])
POINTS += [
    between(lambda point, u, ends: dict(list(point.items())[1:])),
    between(lambda point, u, ends: point | {"new": torch.zeros(1)}),
    between(lambda point, u, ends: {n: x.double() for n, x in point.items()}),
    between(lambda point, u, ends: {n: x[None] for n, x in point.items()}),
    between(lambda point, u, ends: {n: x * float("nan") for n, x in point.items()}),
]

FAULTY["method", "continuity"] = [
    between(lambda point, u, ends: combine(point, ends[1].params, 0.9, 0.1)),
    between(lambda point, u, ends: combine(point, ends[0].params, 1, 0.05 * (u > 0.7321))),
]


@fails("method", "continuity")
class Hops(Straight):
    """Its second leg does not start where the first one stops."""

    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        there, here = (combine(a.params, b.params, 1 - t, t) for t in (0.55, 0.5))
        return mcbench.join(mcbench.segment(a.params, here), mcbench.segment(there, b.params))


def _drifting() -> Any:
    seen: list[float] = []

    def change(point: Any, u: float, ends: Any) -> Any:
        seen.append(u)
        return combine(point, ends[0].params, 1, 1e-3 * len(seen))

    return between(change)


class _Company(Straight):
    """Its points together are in the wrong order."""

    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        def point(u: float) -> Any:
            return combine(a.params, b.params, 1 - u, u)

        def reverse(times: Any) -> Any:
            return [point(u) for u in reversed(times)]

        return Path([Leg(a.params, b.params, point, several_between=reverse)])


FAULTY["method", "points do not change"] = [_drifting(), _Company()]
FAULTY["method", "lengths"] = [
    between(lambda point, u, ends: point, length=lambda u, v: 3.0 * (v - u))
]
