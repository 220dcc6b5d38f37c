"""Methods that break one property each: errors, determinism, declared needs, precision."""

from __future__ import annotations

import random
from typing import Any

import torch

import mcbench
from faulty_components import Straight, fails
from mcbench import Leg, StructureError, combine


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
