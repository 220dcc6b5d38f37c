"""Every check of the conformance kit is seen to fail, on a component that breaks one property."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path as Folder
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

import mcbench
import mcbench.testing
from mcbench import Board, Data, Leg, Path, Split, StructureError, combine
from mcbench.plugins import KINDS, Host, Plugin, host
from mcbench.testing import Outcome, carry_out, checks, conformance, subject

Faulty = dict[tuple[str, str], list[Any]]

FAULTY: Faulty = {}
"""Components by the check that they fail, as (kind, title)."""


def fails(kind: str, *titles: str, **options: Any) -> Callable[[Any], Any]:
    """Register a class's instance as one that fails these checks."""

    def add(cls: Any) -> Any:
        for title in titles:
            FAULTY.setdefault((kind, title), []).append(cls(**options))
        return cls

    return add


def registered(kind: str, component: Any) -> None:
    """A host that has the component, as the plugin 'theirs'."""
    host.cache_clear()
    module = SimpleNamespace(**{KINDS[kind]: mcbench.hookimpl(lambda: [component])})
    host().register(Plugin("theirs", "mcbench-theirs", "1.0"), lambda: module)


@pytest.fixture(autouse=True)
def own_host(fresh_host: Host) -> Iterator[None]:
    yield


def outcome(kind: str, title: str, component: Any) -> Outcome:
    registered(kind, component)
    check = next(c for c in checks(kind) if c.title == title)
    return carry_out(check, subject(kind, component.name), {})


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
        known, self.last = self.last, a
        same = known is None or known.params.keys() != a.params.keys() or known.seed == a.seed
        middle = combine(a.params, b.params if same else known.params, 0.5, 0.5)
        return mcbench.polyline([a.params, middle, b.params])


@fails("method", "endpoints not modified", "path(0) is A")
class Vandal(Straight):
    def connect(self, a: Any, b: Any, problem: Any) -> Any:
        next(iter(a.params.values())).mul_(1.5)
        return super().connect(a, b, problem)


@fails("method", "path(1) is the declared end")
class Short(Straight):
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


FAULTY["method", "points do not change"] = [_drifting()]
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


# Metrics -----------------------------------------------------------------------------------


class Best:
    """The highest accuracy."""

    name = "theirs"
    unit, better, splits = "%", "higher", True

    def measure(self, evaluation: Any, split: Any) -> Any:
        return max(evaluation.curve.accuracy[split])


FAULTY["metric", "declaration"] = [
    type("Undeclared", (Best,), {"better": "more"})(),
    type("Unitless", (Best,), {"unit": 1})(),
]


def measuring(function: Callable[[Any, Any], Any], **attributes: Any) -> Any:
    """A metric of a function of evaluation and split."""
    measure = lambda self, evaluation, split: function(evaluation, split)  # noqa: E731
    return type("Measured", (Best,), {"measure": measure, **attributes})()


def _sorting(evaluation: Any, split: Any) -> float:
    evaluation.curve.accuracy[split].sort()
    return evaluation.curve.accuracy[split][0]


def _scaling(evaluation: Any, split: Any) -> float:
    next(iter(evaluation.ends[0].params.values())).mul_(2)
    return 0.0


FAULTY["metric", "finite numbers"] = [
    measuring(lambda evaluation, split: float("nan")),
    measuring(lambda evaluation, split: "97 %"),
    measuring(lambda evaluation, split: {}),
]
FAULTY["metric", "path of length 0"] = [
    measuring(lambda e, split: e.curve.position[-1] / e.curve.straight),
]
FAULTY["metric", "determinism"] = [
    measuring(lambda e, split: float(torch.rand(1))),
    measuring(lambda e, split, count=[0]: float(count.append(0) or len(count))),
]
FAULTY["metric", "evaluation not modified"] = [measuring(_sorting), measuring(_scaling)]
FAULTY["metric", "ends only"] = [measuring(lambda e, s: e.curve.position[-1], ends_only=True)]
FAULTY["metric", "store"] = [measuring(lambda e, split: {"low:high": 1.0})]


# Data sets ---------------------------------------------------------------------------------


def data(**changes: Any) -> Data:
    """Small data, with changes of the test split."""
    x = torch.arange(12 * 4, dtype=torch.uint8).view(12, 1, 2, 2)
    y = torch.arange(12) % 3
    test = {"inputs": x[8:], "targets": y[8:]} | changes
    return Data(Split(x[:8], y[:8]), Split(**test), ("a", "b", "c"))


def reading(read: Callable[[], Data], **attributes: Any) -> Any:
    """A data set that reads so."""
    methods = {"find": lambda self, directory: [], "read": lambda self, directory: read()}
    return type("Read", (), {"__doc__": "Theirs.", "name": "theirs", **methods, **attributes})()


FAULTY["dataset", "tensors"] = [
    reading(lambda: data(inputs=torch.zeros(4, 4, dtype=torch.uint8))),
    reading(lambda: data(inputs=torch.zeros(4, 1, 2, 2, dtype=torch.float64))),
    reading(lambda: data(inputs=torch.zeros(4, 1, 3, 3, dtype=torch.uint8))),
    reading(lambda: data(targets=torch.zeros(4))),
    reading(lambda: data(targets=torch.zeros(3, dtype=torch.int64))),
    reading(lambda: data(scale=16.0)),
    reading(lambda: data(inputs=torch.full((4, 1, 2, 2), float("nan")))),
]
FAULTY["dataset", "labels"] = [
    reading(lambda: data(targets=torch.tensor([1, 2, 3, 1]))),
    reading(lambda: Data(data().train, data().test, ("a", "b", "c", "never"))),
    reading(lambda: Data(data().train, data().test, ("a", "a", "b"))),
]
FAULTY["dataset", "determinism"] = [
    reading(lambda: data(targets=torch.randint(3, (4,)))),
    reading(lambda count=[]: data(targets=torch.full((4,), len(count.append(0) or count) % 3))),  # type: ignore[func-returns-value]
]
FAULTY["dataset", "store"] = [reading(lambda: data(mean=(0.5,), std=(0.1,)))]
FAULTY["dataset", "recipe"] = [reading(data, recipe="quikc")]
FAULTY["dataset", "missing files"] = [
    reading(data, find=lambda self, directory: None),  # It has no layout.
    reading(data, find=lambda self, directory: [directory / "theirs.npz"]),
]


# Architectures -----------------------------------------------------------------------------


class Perceptron(nn.Module):
    """One linear layer, and what a test makes of it."""

    def __init__(self, size: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.layer = nn.Linear(size, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(1))


def building(cls: type[nn.Module], **attributes: Any) -> Any:
    """An architecture that builds such networks."""

    def build(self: Any, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        return cls(torch.zeros(input_shape).numel(), classes)

    known = {"__doc__": "Theirs.", "name": "theirs", "build": build}
    return type("Built", (), known | attributes)()


class Seeded(Perceptron):
    def __init__(self, *sizes: int) -> None:
        torch.manual_seed(0)
        super().__init__(*sizes)


class Chancy(Perceptron):
    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        nn.init.constant_(self.layer.bias, random.random())


class Wide(Perceptron):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x)[:, None]


class Counting(Perceptron):
    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += 1
        return super().forward(x)


class Dropping(Perceptron):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(super().forward(x), 0.5, training=True)


class Centred(Perceptron):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) - super().forward(x).mean(0)


class Hidden(Perceptron):
    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.scale = torch.rand(())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * self.scale


class Idle(Perceptron):
    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.unused = nn.Linear(2, 2)


class TwoFaced(Perceptron):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(1) if torch.compiler.is_exporting() else x.flatten(1).tanh())


FAULTY["architecture", "determinism"] = [building(Seeded), building(Chancy)]
FAULTY["architecture", "outputs"] = [building(Wide)]
FAULTY["architecture", "input shapes"] = [
    building(Perceptron, build=lambda self, input_shape, classes: Perceptron())
]
FAULTY["architecture", "forward leaves no trace"] = [building(Counting), building(Dropping)]
FAULTY["architecture", "samples are independent"] = [building(Centred)]
FAULTY["architecture", "functional"] = [building(Hidden)]
FAULTY["architecture", "training"] = [building(Idle)]
FAULTY["architecture", "chain"] = [building(TwoFaced)]


# Ensembles, parts, leaderboards ------------------------------------------------------------


def joining(member: Callable[[Any, Any], Any], count: int | None = None) -> Any:
    """An ensemble that makes such members of an endpoint and the first one."""

    class Joined:
        """Theirs."""

        name = "theirs"

        def members(self, endpoints: Any, problem: Any) -> Any:
            return [member(e, endpoints[0]) for e in list(endpoints)[:count]]

    return Joined()


FAULTY["ensemble", "members"] = [
    joining(lambda end, first: end.params, 2),
    joining(lambda end, first: dict(list(end.params.items())[:-1])),
]
FAULTY["ensemble", "shared tensors"] = [
    joining(lambda end, first: {n: x.clone() for n, x in first.params.items()})
]
FAULTY["ensemble", "determinism"] = [
    joining(lambda end, first: {n: x + torch.rand(()) for n, x in end.params.items()})
]
FAULTY["ensemble", "endpoints not modified"] = [
    joining(lambda end, first: {n: x.add_(1) for n, x in end.params.items()})
]
FAULTY["ensemble", "measured"] = [
    joining(lambda end, first: combine(end.params, end.params, 1e38, 0))
]


def part(**attributes: Any) -> Any:
    """A part of a composed method."""
    return type("Part", (), {"__doc__": "Theirs.", "name": "theirs", **attributes})()


FAULTY["matching", "permutation"] = [
    part(match=lambda self, a, b, incoming: torch.zeros(len(a), dtype=torch.int64)),
    part(match=lambda self, a, b, incoming: torch.arange(len(a), dtype=torch.int32)),
    part(match=lambda self, a, b, incoming: torch.randperm(len(a))),
]
FAULTY["interpolation", "limits"] = [
    part(interpolate=lambda self, a, b, t: t * a + (1 - t) * b),
    part(interpolate=lambda self, a, b, t: ((1 - t) * a + t * b).double()),
    part(interpolate=lambda self, a, b, t: a.add_(t * (b - a))),
]
FAULTY["adjustment", "start of a leg"] = [
    part(prepare=lambda self, stage, problem: lambda p, u: combine(p, p, 0.9, 0)),
    part(prepare=lambda self, stage, problem: lambda p, u: p if u == 0 else {}),
]
FAULTY["leaderboard", "names"] = [
    Board("theirs", "theirs", "", "digist", "mlp2", "quick", 2, {}, {}, ()),
    Board("theirs", "theirs", "", "digits", "mlp2", "quick", 2, {}, {"x": "wurst:test"}, ()),
]


# Tests -------------------------------------------------------------------------------------

CASES = [
    pytest.param(kind, title, component, id=f"{kind or 'any'}: {title} {i}")
    for (kind, title), components in FAULTY.items()
    for i, component in enumerate(components, start=1)
]


@pytest.mark.parametrize(("kind", "title", "component"), CASES)
def test_a_broken_component_fails(
    kind: str, title: str, component: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if title == "GPU":  # A device that every machine has, and whose tensors mix with no others.
        monkeypatch.setattr("mcbench.testing.devices.GPU", "meta")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    came = outcome(kind or "method", title, component)
    assert came.state == "failed", came
    assert came.found and came.fix


def test_every_check_is_seen_to_fail() -> None:
    tried = {title for kind, title in FAULTY if kind == ""} | {"light import"}
    for kind in KINDS:
        for check in checks(kind):
            assert (kind, check.title) in FAULTY or check.title in tried, (kind, check.title)
            assert check.property.endswith(".") and "\n" not in check.property


def test_a_heavy_import_is_found(tmp_path: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "heavy_plugin.py").write_text(
        "import torch\nimport mcbench\n"
        "class Straight:\n    'The line.'\n    name = 'theirs'\n"
        "@mcbench.hookimpl\ndef mcbench_methods():\n    yield Straight()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import heavy_plugin

    host().register(Plugin("heavy", "heavy", "1.0"), lambda: heavy_plugin)
    check = next(c for c in checks("method") if c.title == "light import")
    came = carry_out(check, subject("method", "theirs"), {})
    assert came.state == "failed" and "torch" in came.found and "heavy_plugin" in came.found


# pytest ------------------------------------------------------------------------------------


def case(test: Any, title: str) -> tuple[str, Any]:
    """The arguments of one of the tests that `conformance` made, by its id."""
    cases = {c.id: c.values for c in test.pytestmark[0].args[1]}
    name, check = cases[f"method theirs: {title}"]
    return name, check


def test_a_fault_fails_a_test_and_says_what_to_fix() -> None:
    registered("method", Short())
    test = conformance("method", "theirs")
    test(*case(test, "path(0) is A"))
    with pytest.raises(pytest.fail.Exception, match="to fix: end the last leg with b.params"):
        test(*case(test, "path(1) is the declared end"))
    with pytest.raises(pytest.skip.Exception, match="it needs no pool"):
        test(*case(test, "needs a pool as it says"))


def test_an_expected_failure_carries_its_reason_and_has_to_come() -> None:
    registered("method", Short())
    expected = {"path(1) is the declared end": "so it is", "path(0) is A": "who knows"}
    test = conformance("method", "theirs", expected=expected)
    with pytest.raises(pytest.xfail.Exception, match="so it is"):
        test(*case(test, "path(1) is the declared end"))
    with pytest.raises(pytest.fail.Exception, match="expected to fail"):
        test(*case(test, "path(0) is A"))


@pytest.mark.parametrize(
    ("kind", "expected", "said"),
    [
        ("methods", {}, "did you mean 'method'"),
        ("method", {"path(0) is B": "no"}, "did you mean 'path\\(0\\) is A'"),
        ("method", {"float64": " "}, "needs a reason"),
    ],
)
def test_wrong_usage_is_told_at_collection(kind: str, expected: Any, said: str) -> None:
    with pytest.raises(mcbench.UsageError, match=said):
        conformance(kind, "theirs", expected=expected)
