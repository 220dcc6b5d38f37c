"""Several points of a path at once: what they share is computed once, and the numbers stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

import pytest
import torch

import mcbench
from conftest import Deep
from mcbench.evaluation import shared_layers
from mcbench.evaluation.evaluate import Curve, curve_of, evaluate, measure_points
from mcbench.evaluation.losses import Progress, measure, measure_all
from mcbench.evaluation.protocol import Protocol
from mcbench.paths.params import Params, combine, equal
from mcbench.paths.path import polyline
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.structure.affine import Affine
from mcbench.structure.span import Span

LAYER = Affine("w", "b")
CONV, NORMED = "conv2fc1[channels=(4,5)]", "vgg16[channels=2,head=5,norm=true]"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks share as large ones do."""
    monkeypatch.setattr(shared_layers, "WORTH", 1)


def layer(seed: int, out: int = 6, inputs: int = 9) -> Params:
    draws = torch.Generator().manual_seed(seed)
    return {"w": torch.randn(out, inputs, generator=draws), "b": torch.randn(out, generator=draws)}


def along(a: Params, b: Params, count: int) -> list[Params]:
    return [combine(a, b, 1 - i / (count - 1), i / (count - 1)) for i in range(count)]


def spanned(points: list[Params]) -> tuple[Span, list[tuple[float, ...] | None]]:
    span = Span.of(LAYER, points)
    return span, [span.coefficients(point) for point in points]


# The span of a layer's weights -------------------------------------------------------------------


def test_points_of_a_line_are_combinations_of_two() -> None:
    points = along(layer(0), layer(1), 7)
    span, weights = spanned(points)
    assert len(span.basis) == 2 and None not in weights
    x = torch.randn(5, 9)
    for point, y in zip(points, span.products(x, points, weights), strict=True):
        assert torch.allclose(y, x @ point["w"].T + point["b"], atol=1e-5)


def test_points_of_an_arc_are_combinations_of_three() -> None:
    arc = host().get("interpolation", "arc")
    a, b = layer(0)["w"], layer(1)["w"]
    points = [{"w": arc.interpolate(a, b, i / 10), "b": a[:, 0]} for i in range(1, 10)]
    span, weights = spanned(points)
    assert len(span.basis) == 3 and None not in weights


def test_points_of_the_basis_have_their_own_products() -> None:
    """Bit for bit, so that the ends of a path are measured as they are."""
    points = along(layer(0), layer(1), 7)
    span, weights = spanned(points)
    x = torch.randn(5, 9)
    products = list(span.products(x, points, weights))
    for corner in span.basis:
        i = next(i for i, point in enumerate(points) if point is corner)
        assert torch.equal(products[i], LAYER.product(corner, x))


def test_coefficients_of_a_point_do_not_depend_on_the_others() -> None:
    points = along(layer(0), layer(1), 7)
    span, weights = spanned(points)
    x = torch.randn(5, 9)
    products = list(span.products(x, points, weights))
    for point, own, y in zip(points, weights, products, strict=True):
        assert span.coefficients(point) == own
        assert torch.equal(next(span.products(x, [point], [own])), y)


def test_equal_points_are_one() -> None:
    a = layer(0)
    span, weights = spanned([a, dict(a), dict(a)])
    assert len(span.basis) == 1 and None not in weights


def test_weights_that_span_much_are_their_own_basis() -> None:
    span, _ = spanned([layer(i) for i in range(5)])
    assert len(span.basis) == 5


def test_one_entry_that_differs_is_seen_where_not_every_entry_is_looked_at() -> None:
    points = along(layer(0, 200, 300), layer(1, 200, 300), 5)
    points[2]["w"][0, 1] += 3.0
    span, weights = spanned(points)
    assert [w is None for w in weights] == [False, False, True, False, False]
    x = torch.randn(5, 300)
    products = list(span.products(x, points, weights))
    assert torch.equal(products[2], LAYER.product(points[2], x))


def test_points_that_would_be_far_extrapolated_are_not_shared() -> None:
    """Rounding errors of the products would grow with the coefficients."""
    a, b = layer(0), layer(1)
    span = Span.of(LAYER, [combine(a, b, 0.5, 0.5), combine(a, b, 0.499, 0.501)])
    assert len(span.basis) == 2
    assert span.coefficients(b) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e25])
@pytest.mark.parametrize("entry", [(0, 0), (0, 1)])  # Looked at in the search, and left out.
@pytest.mark.parametrize("which", [0, 2, "all"])
def test_what_is_not_finite_is_never_left_out(
    value: float, entry: tuple[int, int], which: int | str
) -> None:
    points = along(layer(0, 200, 300), layer(1, 200, 300), 5)
    for i, point in enumerate(points):
        if which in (i, "all"):
            point["w"][entry] = value
    span, weights = spanned(points)
    x = torch.randn(5, 300)
    for i, y in enumerate(span.products(x, points, weights)):
        own = LAYER.product(points[i], x)
        assert torch.allclose(y, own, rtol=1e-4, atol=1e-3, equal_nan=True)


def test_layers_of_zeros_have_products_of_zero() -> None:
    zero = {name: torch.zeros_like(x) for name, x in layer(0).items()}
    x = torch.randn(5, 9)
    for points in ([zero, dict(zero)], [*along(layer(0), layer(1), 5), zero]):
        span, weights = spanned(points)
        assert not list(span.products(x, points, weights))[-1].any()


# Networks ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("text", ["mlp[widths=(9,8,7)]", CONV, NORMED])
@pytest.mark.parametrize("method", ["linear", "arc", "ot-wa[cutoff=0.001]", "arc-bfly", "ot"])
def test_outputs_are_those_of_every_network(
    method: str, text: str, deep: Callable[[str], Deep]
) -> None:
    problem, pair = deep(text)
    path = host().get("method", method).connect(*pair, problem)
    inputs = problem.splits["test"].inputs[:40]
    for group in shared_layers.groups(path, Protocol(17).grid, problem):
        points = path.several(group)
        for point, logits in zip(
            points, shared_layers.outputs(problem, points)(inputs), strict=True
        ):
            expected = problem.forward(point, inputs)
            assert torch.allclose(logits, expected, rtol=1e-4, atol=1e-4 * float(expected.norm()))


@pytest.mark.usefixtures("shared")
def test_layers_that_are_the_same_go_through_the_data_once(deep: Callable[[str], Deep]) -> None:
    problem, pair = deep("mlp[widths=(9,8,7)]")
    path = host().get("method", "linear-wa").connect(*pair, problem)
    count = len(path.legs)
    found = []
    for k in range(count):
        points = path.several([(k + u) / count for u in (0.25, 0.5, 0.75)])
        found.append(problem.chain.common(points))
    assert found == [0, 1, 2, 3]


@pytest.mark.usefixtures("shared")
def test_a_path_measured_in_groups_has_the_numbers_of_its_points(
    deep: Callable[[str], Deep],
) -> None:
    problem, pair = deep("mlp[widths=(9,8,7)]")
    path = host().get("method", "linear-bfly").connect(*pair, problem)
    curve = evaluate(path, problem, Protocol(13, 2))
    assert len(list(shared_layers.groups(path, Protocol(13).grid, problem))) == len(path.legs)
    alone = [measure(path(t), problem, Protocol()) for t in curve.t]
    for split in problem.splits:
        assert curve.loss[split] == pytest.approx([v["loss"][split] for v in alone], rel=1e-5)
        assert curve.accuracy[split] == [v["accuracy"][split] for v in alone]
    assert curve.square == pytest.approx([v["square"] for v in alone])
    starts = [problem.forward(path(0.0), problem.splits["test"].inputs).softmax(1)]
    for t, value in zip(curve.t, curve.with_start["test"], strict=True):
        both = problem.forward(path(t), problem.splits["test"].inputs).softmax(1) + starts[0]
        right = (both.argmax(1) == problem.splits["test"].targets).double().mean()
        assert value == pytest.approx(100 * float(right))


@pytest.mark.usefixtures("shared")
def test_points_together_and_alone_are_measured_alike(
    problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    points = along(pair[0].params, pair[1].params, 9)
    progress = Progress()
    together = measure_all(points, problem, Protocol(), progress, [("path",)] * 9)
    alone = [measure(p, problem, Protocol()) for p in points]
    for one, two in zip(together, alone, strict=True):
        assert one["accuracy"] == two["accuracy"]
        assert one["loss"] == pytest.approx(two["loss"], rel=1e-5)
    whole = sum(problem.forward(p, problem.splits["test"].inputs).softmax(1) for p in points)
    assert torch.allclose(progress.sums["path.test"], whole, atol=1e-5)


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_path_that_diverges_says_so(
    value: float, problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    a, b = pair[0].params, pair[1].params
    name = problem.chain.layers[0].weight

    def between(u: float) -> Params:
        point = combine(a, b, 1 - u, u)
        if u == 0.75:
            point[name].view(-1)[5:] = value
        return point

    path = mcbench.Path([mcbench.Leg(a, b, between)])
    with pytest.raises(mcbench.RunError, match=r"at t = 0\.75 is"):
        evaluate(path, problem, Protocol(9))


@pytest.mark.usefixtures("shared")
def test_points_that_share_a_convolution_alone_are_kept_one_by_one(
    deep: Callable[[str], Deep],
) -> None:
    problem, pair = deep(CONV)
    path = host().get("method", "linear-bfly").connect(*pair, problem)
    times = Protocol(17).grid
    parts = [len(list(shared_layers.parts(problem, path.several(g))))
             for g in shared_layers.groups(path, times, problem)]  # fmt: skip
    sizes = [len(g) for g in shared_layers.groups(path, times, problem)]
    assert parts == [sizes[0], sizes[1], 1]  # Two convolutions move, then the linear layer.


def test_small_networks_are_measured_point_by_point(
    problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    path = host().get("method", "linear").connect(*pair, problem)
    assert all(len(group) == 1 for group in shared_layers.groups(path, Protocol(5).grid, problem))


@pytest.mark.usefixtures("shared", "residual")
def test_networks_that_are_no_chain_are_measured_point_by_point(
    deep: Callable[[str], Deep],
) -> None:
    problem, pair = deep("residual")
    path = host().get("method", "linear").connect(*pair, problem)
    assert problem.chain_or_none is None
    assert all(len(group) == 1 for group in shared_layers.groups(path, Protocol(5).grid, problem))
    points = path.several([0.2, 0.4])
    inputs = problem.splits["test"].inputs
    for point, logits in zip(points, shared_layers.outputs(problem, points)(inputs), strict=True):
        assert torch.equal(logits, problem.forward(point, inputs))


@pytest.mark.usefixtures("shared")
def test_groups_are_of_one_leg_and_fit_into_memory(
    problem: Problem, pair: tuple[Endpoint, Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = pair[0].params, pair[1].params
    path = polyline([a, b, a])
    times = Protocol(11).grid
    assert [len(g) for g in shared_layers.groups(path, times, problem)] == [5, 6]
    each = sum(4 * x.numel() for x in a.values())
    monkeypatch.setattr(shared_layers, "BUDGET", 5 * each // 2)
    assert [len(g) for g in shared_layers.groups(path, times, problem)] == [2, 2, 1, 2, 2, 2]


# Going on ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("text", ["mlp[widths=(9,8,7)]", CONV])
@pytest.mark.parametrize("stop", [1, 4, 10, 21, 24])
def test_an_evaluation_in_groups_goes_on_with_the_same_numbers(
    stop: int, text: str, deep: Callable[[str], Deep]
) -> None:
    """Also one that was stopped within a group, or while it refined: no round is counted twice."""
    problem, pair = deep(text)
    protocol = Protocol(21, 2)

    def again(progress: Progress, stop: int | None = None) -> Curve | None:
        path = host().get("method", "linear-wa[cutoff=1e-9]").connect(*pair, problem)
        measured = list(islice(measure_points(path, problem, protocol, progress), stop))
        return curve_of(path, problem, protocol, progress) if len(measured) != stop else None

    whole = again(Progress())
    progress = Progress()
    assert again(progress, stop) is None
    assert len(progress.points) >= stop
    assert again(progress) == whole


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("text", ["mlp[widths=(9,8)]", CONV])
def test_no_point_is_adjusted_twice(text: str, deep: Callable[[str], Deep]) -> None:
    """Lengths are of the points that were evaluated, also across joints beside the grid."""
    problem, pair = deep(text)
    path = host().get("method", "linear-wa").connect(*pair, problem)
    assert len(path.legs) == 3
    asked: list[float] = []

    def noting(leg: mcbench.Leg, i: int) -> mcbench.Leg:
        def between(u: float) -> Params:
            asked.append(i + u)
            return leg(u)

        def several(times: Sequence[float]) -> list[Params]:
            asked.extend(i + u for u in times)
            return leg.several(times)

        return replace(leg, between=between, several_between=several)

    legs = [noting(leg, i) for i, leg in enumerate(path.legs)]
    curve = evaluate(mcbench.Path(legs), problem, Protocol(21, 1))
    assert len(asked) == len(set(asked)) == len(curve.t) - 2


# Points computed together ------------------------------------------------------------------------


def at(u: float) -> Params:
    return {"w": torch.tensor([u])}


def test_a_leg_is_asked_for_several_points_at_once() -> None:
    asked: list[list[float]] = []

    def several(times: Sequence[float]) -> list[Params]:
        asked.append(list(times))
        return [at(u) for u in times]

    leg = mcbench.Leg(at(0.0), at(1.0), at, several_between=several)
    path = mcbench.Path([leg, leg])
    found = path.several([0.0, 0.125, 0.25, 0.5, 0.625, 0.75, 1.0])
    assert asked == [[0.25, 0.5], [0.25, 0.5]]
    assert [float(p["w"]) for p in found] == [0.0, 0.25, 0.5, 0.0, 0.25, 0.5, 1.0]
    path(0.75)
    path(0.25)
    assert len(asked) == 2  # The latest points were kept, and one alone is no company.


def test_a_leg_that_gives_too_few_points_together_says_so() -> None:
    leg = mcbench.Leg(at(0.0), at(1.0), at, several_between=lambda times: [at(times[0])])
    with pytest.raises(mcbench.RunError, match="gave 1 points for 2 times"):
        leg.several([0.25, 0.5])


@pytest.mark.parametrize("text", ["mlp[widths=(9,8,7)]", CONV])
def test_all_points_are_computed_where_their_cost_is_measured(
    text: str, deep: Callable[[str], Deep]
) -> None:
    problem, (a, b) = deep(text)
    inside, computed = False, list[bool]()

    @contextmanager
    def computing() -> Iterator[None]:
        nonlocal inside
        inside = True
        yield
        inside = False

    def between(u: float) -> mcbench.Params:
        computed.append(inside)
        return mcbench.segment(a.params, b.params)(u)

    path = mcbench.Path([mcbench.Leg(a.params, b.params, between)])
    progress = Progress(computing=computing)
    curve = list(measure_points(path, problem, Protocol(5, 1), progress))
    assert len(computed) == len(curve) - 2 and all(computed)


@pytest.mark.parametrize("text", ["mlp[widths=(9,8,7)]", CONV])
@pytest.mark.parametrize("method", ["linear-wa", "arc-wa"])
def test_points_adjusted_together_are_those_adjusted_alone_bit_for_bit(
    method: str, text: str, deep: Callable[[str], Deep]
) -> None:
    problem, pair = deep(text)
    path = host().get("method", method).connect(*pair, problem)
    for leg in path.legs[:-1]:
        times = [0.2, 0.4, 0.6, 0.8]
        before = problem.samples_seen
        together = leg.several(times)
        passes = (problem.samples_seen - before) / len(problem.splits["train"])
        assert passes == 1
        for u, point in zip(times, together, strict=True):
            assert equal(point, leg(u))


def test_points_are_adjusted_in_as_many_passes_as_memory_asks_for(
    deep: Callable[[str], Deep], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mcbench_wa import adjusting

    problem, pair = deep("mlp[widths=(9,8,7)]")
    leg = host().get("method", "linear-wa[cutoff=1e-5]").connect(*pair, problem).legs[0]
    monkeypatch.setattr(adjusting, "BUDGET", 2 * 8 * 9 * (9 + 8))  # Two points' moments.
    before = problem.samples_seen
    leg.several([0.1, 0.3, 0.5, 0.7, 0.9])
    assert problem.samples_seen - before == 3 * len(problem.splits["train"])


def test_what_both_ends_of_a_line_share_stays_as_it_is() -> None:
    a = {"w": torch.randn(50), "b": torch.randn(50)}
    b = {"w": a["w"].clone(), "b": torch.randn(50)}
    leg = mcbench.segment(a, b).legs[0]
    for u in (0.1, 1 / 3, 0.7):
        assert leg(u)["w"] is a["w"]
        assert torch.allclose(leg(u)["b"], (1 - u) * a["b"] + u * b["b"])
