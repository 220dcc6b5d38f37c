"""Methods that break one property each, for the tests of the conformance kit."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

import mcbench
from mcbench import Leg, Path, StructureError, combine

Faulty = dict[tuple[str, str], list[Any]]

FAULTY: Faulty = {}
"""Components by the check that they fail: its kind and its title."""


def fails(kind: str, *titles: str, **options: Any) -> Callable[[Any], Any]:
    """Register a class's instance as one that fails these checks."""

    def add(cls: Any) -> Any:
        for title in titles:
            FAULTY.setdefault((kind, title), []).append(cls(**options))
        return cls

    return add


# Any component -----------------------------------------------------------------------------


class Straight:
    """The straight line."""

    name = "theirs"

    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        return mcbench.segment(a.params, b.params)


@fails("", "summary")
class Silent(Straight):
    __doc__ = None


@fails("", "frozen")
@dataclass
class Thawed(Straight):
    """May change."""

    steps: int = mcbench.parameter(3, "how many")


@fails("", "parameters")
@dataclass(frozen=True)
class Helpless(Straight):
    """Says nothing of its parameter."""

    steps: int = mcbench.parameter(3, "")


@fails("", "parameters")
@dataclass(frozen=True)
class OutOfBounds(Straight):
    """Its default is none of the values that it allows."""

    steps: int = mcbench.parameter(3, "how many", gt=5)


@fails("", "wrong values")
@dataclass(frozen=True)
class Credulous(Straight):
    """Takes anything."""

    steps: Any = mcbench.parameter(3, "how many")


@fails("", "parameters read back")
@dataclass(frozen=True)
class Unreadable(Straight):
    """Its trial cannot be written."""

    steps: int | None = mcbench.parameter(3, "how many")
    trial: ClassVar[dict[str, Any]] = {"steps": None}


# Methods -----------------------------------------------------------------------------------


@fails("method", "connects")
class Nowhere(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        raise StructureError("it takes no network at all")


@fails("method", "connects")
class Wrong(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        return [a.params, b.params]


@fails("method", "errors", "needs a chain as it says")
class Rough(Straight):
    needs = frozenset({"affine-chain"})

    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        if "first.weight" in a.params:
            raise KeyError("0.weight")
        return super().connect(a, b, problem)


@fails("method", "errors")
class Verbose(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        if "first.weight" in a.params:
            raise StructureError("no chain\nof layers")
        return super().connect(a, b, problem)


@fails("method", "determinism", "no global randomness", "resuming")
class Gambler(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        middle = {n: x + torch.randn(1) * x.abs() for n, x in a.params.items()}
        return mcbench.polyline([a.params, middle | _counters(a), b.params])


def _counters(a: Any) -> Any:
    return {n: x for n, x in a.params.items() if not x.is_floating_point()}


@fails("method", "no global randomness")
class PythonsDice(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        random.random()
        return super().connect(a, b, problem)


@fails("method", "determinism")
class Rememberer(Straight):
    """Keeps the endpoint of the last pair."""

    last: Any = None

    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        last, self.last = self.last, a
        same = last is None or last.params.keys() != a.params.keys() or last.seed == a.seed
        middle = combine(a.params, b.params if same else last.params, 0.5, 0.5)
        return mcbench.polyline([a.params, middle, b.params])


@fails("method", "endpoints not modified", "path(0) is A")
class Vandal(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        next(iter(a.params.values())).mul_(1.5)
        return super().connect(a, b, problem)


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


@fails("method", "needs are served")
class Demanding(Straight):
    needs = frozenset({"permutation-groups"})


@fails("method", "needs a chain as it says")
class Chained(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        assert problem.chain
        return super().connect(a, b, problem)


@fails("method", "needs a chain as it says")
class Cautious(Straight):
    needs = frozenset({"affine-chain"})


def _bent_by(problem: Any, split: str, a: Any, b: Any) -> Any:
    inputs, _ = next(problem.batches(split))
    middle = combine(a.params, b.params, float(inputs.mean()), 0.5)
    return mcbench.polyline([a.params, middle, b.params])


@fails("method", "needs data as it says")
class Reader(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        return _bent_by(problem, "train", a, b)


@fails("method", "test data unused")
class Cheat(Straight):
    needs = frozenset({"data"})

    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        return _bent_by(problem, "test", a, b)


@fails("method", "needs a pool as it says")
class Fitted(Straight):
    needs = frozenset({"pool"})
    pool = 2

    def fit(self, pool: Any, problem: Any) -> Any:
        return {"mean": torch.randn(1)}


@fails("method", "needs a pool as it says")
class Unfitted(Straight):
    def fit(self, pool: Any, problem: Any) -> Any:
        return {}


def _added(a: Any, b: Any) -> Any:
    return {n: x + torch.full_like(x, 0.1, device="cpu") for n, x in a.params.items()}


@fails("method", "float64")
class Single(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        middle = combine(a.params, b.params, 0.5, 0.5)
        middle = {n: x.float() if x.is_floating_point() else x for n, x in middle.items()}
        return mcbench.polyline([a.params, middle, b.params])


@fails("method", "GPU")
class OnTheCPU(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        middle = {n: torch.zeros(x.shape, dtype=x.dtype) for n, x in a.params.items()}
        return mcbench.Path([Leg(a.params, b.params, lambda u: middle)])


@fails("method", "store")
class Exploding(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        middle = {n: x * 1e38 if x.is_floating_point() else x for n, x in a.params.items()}
        return mcbench.polyline([a.params, middle, b.params])
