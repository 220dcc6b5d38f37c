"""Planes: coordinates, values, refinement, the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import mcbench
from conftest import PLAN, Deep
from mcbench.errors import UsageError
from mcbench.evaluation import shared_layers
from mcbench.evaluation.losses import measure
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.landscape import adaptive_grid, scan, scene, surface
from mcbench.landscape.adaptive_grid import STEP, Node
from mcbench.landscape.plane import Plane, parameters
from mcbench.landscape.scan import Scan, ScanOptions, scan_plane
from mcbench.landscape.scene import through_endpoints
from mcbench.landscape.surface import Surface, Values
from mcbench.paths.params import Params, combine, equal
from mcbench.plugins.host import Plugin, host
from mcbench.problem.problem import Problem, SplitName
from mcbench.store.store import Store
from mcbench.training.batch_norm import Statistics, parameters_of

SMALL = ScanOptions(side=4, evaluations=40)


def plane_of(experiment: Experiment) -> Plane:
    a, b, c = (experiment.endpoint(seed).params for seed in PLAN.seeds)
    return Plane.through(a, b, c, experiment.problem)


# Geometry ----------------------------------------------------------------------------------


def test_the_three_points_are_where_they_should_be(experiment: Experiment) -> None:
    plane = plane_of(experiment)
    corners = [(0.0, 0.0), (plane.length, 0.0), (plane.shift, plane.height)]
    for (x, y), point in zip(corners, plane.points, strict=True):
        assert plane.coordinates(point) == pytest.approx((x, y, 0), abs=1e-6)
        there = plane(x, y)
        assert all(torch.allclose(there[name], point[name], atol=1e-6) for name in point)


def test_coordinates_are_lengths_and_right_angles(experiment: Experiment) -> None:
    plane = plane_of(experiment)
    names = parameters(experiment.problem)

    def flat(x: float, y: float) -> torch.Tensor:
        return torch.cat([plane(x, y)[name].double().flatten() for name in names])

    origin = flat(0, 0)
    u, v = flat(1, 0) - origin, flat(0, 1) - origin
    assert float(u.norm()) == pytest.approx(1, abs=1e-5)
    assert float(v.norm()) == pytest.approx(1, abs=1e-5)
    assert float(u @ v) == pytest.approx(0, abs=1e-5)
    assert plane.coordinates(plane(2.5, -1.5)) == pytest.approx((2.5, -1.5, 0), abs=1e-4)


def test_a_point_off_the_plane_has_its_distance(experiment: Experiment) -> None:
    plane = plane_of(experiment)
    inside, draws = plane(1.0, 2.0), torch.Generator().manual_seed(0)
    step = {n: torch.randn(x.shape, generator=draws) for n, x in inside.items()}
    away = combine(inside, step, 1, 1)
    x, y, distance = plane.coordinates(away)
    assert mcbench_distance(away, plane(x, y)) == pytest.approx(distance, rel=1e-4)
    assert distance <= mcbench_distance(away, plane(x + 0.5, y))
    assert distance <= mcbench_distance(away, plane(x, y - 0.5))


def mcbench_distance(a: mcbench.Params, b: mcbench.Params) -> float:
    return float(sum((a[n] - b[n]).double().square().sum() for n in a)) ** 0.5


def test_points_on_one_line_span_no_plane(experiment: Experiment) -> None:
    a, b = (experiment.endpoint(seed).params for seed in (0, 1))
    for third in (combine(a, b, 0.3, 0.7), combine(a, b, -1, 2), b):
        with pytest.raises(UsageError, match="one line"):
            Plane.through(a, b, third, experiment.problem)
    with pytest.raises(UsageError, match="one line"):
        Plane.through(a, a, b, experiment.problem)


# Values ------------------------------------------------------------------------------------

PLACES = [(0.0, 0.0), (3.0, 1.0), (-2.0, 4.0), (11.0, 0.5), (6.0, -3.0)]


def alone(problem: Problem, params: mcbench.Params, split: str) -> tuple[float, float]:
    values = measure(params, problem, Protocol())
    return values["loss"][split], values["accuracy"][split]


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("shared", [True, False])
def test_values_are_those_of_the_single_points(
    experiment: Experiment, split: SplitName, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_layers, "WORTH", 1 if shared else 10**9)
    problem, plane = experiment.problem, plane_of(experiment)
    seen = Surface(problem, plane, split)
    assert (seen.chain is not None) == shared and seen.batch > len(PLACES)
    for place, values in zip(PLACES, seen.measure(PLACES), strict=True):
        assert values == pytest.approx(alone(problem, plane(*place), split), rel=1e-4)


def test_values_of_convolutions_are_those_of_the_single_points(
    deep: Callable[[str], Deep],
) -> None:
    problem, (a, b) = deep("conv2fc1[channels=(2,2)]")
    plane = Plane.through(a.params, b.params, dict(problem.build(7).state_dict()), problem)
    for place, values in zip(PLACES, Surface(problem, plane).measure(PLACES), strict=True):
        assert values == pytest.approx(alone(problem, plane(*place), "test"), rel=1e-4)


class Normed:
    """A network with a batch norm."""

    name = "normed"
    summary = "with a batch norm"

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        inputs = input_shape[1] * input_shape[2]
        return nn.Sequential(
            nn.Flatten(), nn.Linear(inputs, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, classes)
        )


@pytest.fixture
def normed() -> Iterator[None]:
    class Theirs:
        @mcbench.hookimpl
        def mcbench_architectures(self) -> list[Normed]:
            return [Normed()]

    host.cache_clear()
    host().register(Plugin("normed", "third", "1.0"), Theirs)
    yield
    host.cache_clear()


def test_running_statistics_are_those_of_each_point(normed: None, shared_store: Store) -> None:
    plan = Plan(architecture="normed", recipe="quick[epochs=2]", seeds=(0, 1, 2))
    experiment = Experiment(plan, shared_store)
    assert not experiment.train().failures
    plane, problem = plane_of(experiment), experiment.problem
    statistics = Statistics(problem, problem.recipe)
    found = Surface(problem, plane).measure(PLACES)
    for place, values in zip(PLACES, found, strict=True):
        own = statistics.renew(plane(*place))
        assert values == pytest.approx(alone(problem, own, "test"), rel=1e-4)
    interpolated = alone(problem, plane(*PLACES[1]), "test")
    assert abs(interpolated[0] - found[1][0]) > 1e-3 * found[1][0]


def test_a_path_is_projected_in_one_pass_and_without_statistics(
    normed: None, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(architecture="normed", recipe="quick[epochs=2]", seeds=(0, 1),
                methods=("polychain[epochs=2]",), protocol=Protocol(3, 0))  # fmt: skip
    experiment = Experiment(plan, store)
    results = experiment.run()
    (run,) = results.runs
    path, computed, renewed = experiment.connector.connect(run), list[float](), list[Params]()

    def counted(leg: mcbench.Leg) -> mcbench.Leg:
        """The leg under its statistics notes the times at which it is asked."""

        def between(u: float) -> Params:
            computed.append(u)
            return bare(u)

        bare = parameters_of(mcbench.Path([leg])).legs[0].between
        renewed: Any = leg.between
        return replace(leg, between=replace(renewed, leg=replace(renewed.leg, between=between)))

    watched = mcbench.Path([counted(leg) for leg in path.legs])
    monkeypatch.setattr(experiment.connector, "connect", lambda _: watched)
    renew = Statistics.renew

    def noted(self: Statistics, params: Params) -> Params:
        renewed.append(params)
        return renew(self, params)

    monkeypatch.setattr(Statistics, "renew", noted)
    drawn = scene.along_paths(experiment, results, band=True)
    (trace, straight) = drawn.traces
    assert len(trace.places) == len(straight.places) == scene.POINTS
    # The bend of two straight legs is their joint, which is there as the ends are.
    assert not renewed and len(computed) == scene.POINTS - 3
    assert equal(drawn.plane.points[2], path(0.5))
    assert trace.places[15] == pytest.approx(drawn.plane.coordinates(path(0.25)), abs=1e-9)
    assert np.abs(straight.places[:, 1:]).max() < 1e-3


def test_a_subset_is_drawn_once_and_by_the_seed(experiment: Experiment) -> None:
    problem, plane = experiment.problem, plane_of(experiment)
    some, again = (Surface(problem, plane, "test", samples=50) for _ in range(2))
    assert len(some.data) == 50 and torch.equal(some.data.inputs, again.data.inputs)
    assert some.measure(PLACES) == again.measure(PLACES)
    assert len(Surface(problem, plane, "test", samples=10**6).data) == len(problem.splits["test"])


def test_a_landscape_is_its_own_plane(store: Store) -> None:
    plan = Plan(
        dataset="landscape",
        architecture="ring",
        seeds=(0, 1),
        methods=("linear", "polychain[bends=2]"),
    )
    experiment = Experiment(plan, store)
    drawn = scene.along_paths(experiment, experiment.run())
    assert drawn.plane.whole
    for name, seed in zip("AB", plan.seeds, strict=True):
        params = experiment.endpoint(seed).params
        w = params["w"].tolist()
        assert drawn.plane.coordinates(params) == pytest.approx((*w, 0), abs=1e-6), name
        assert drawn.marks[name] == pytest.approx(w, abs=1e-6)
    seen = scan_plane(drawn, experiment.problem, store, SMALL)
    expected = ((seen.places**2).sum(1) - 1) ** 2
    assert np.allclose(seen.loss, expected, rtol=1e-4, atol=1e-5)
    assert seen.unit == "" and all(trace.away < 1e-6 for trace in seen.scene.traces)


# Refinement --------------------------------------------------------------------------------


def refined(
    function: Callable[[float, float], float], limit: int, crossed: Sequence[Node] = ()
) -> list[Node]:
    known: dict[Node, float] = {}

    def measured(nodes: Sequence[Node]) -> None:
        assert not known.keys() & set(nodes), "a point is measured once"
        known.update({node: function(node[0] / STEP, node[1] / STEP) for node in nodes})

    def heights(nodes: Sequence[Node]) -> np.ndarray:
        return np.array([known[node] for node in nodes])

    nodes = adaptive_grid.refine(5, limit, crossed, measured, heights)
    assert set(nodes) == set(known)
    return nodes


def test_points_are_added_where_the_loss_varies() -> None:
    """A funnel around (1, 1) in a plain: cells far from it stay as they are."""

    def funnel(x: float, y: float) -> float:
        return min(1.0, ((x - 1) ** 2 + (y - 1) ** 2) ** 2)

    nodes = refined(funnel, 150)
    added = np.array(nodes[25:]) / STEP
    assert 25 < len(nodes) <= 150
    assert np.abs(added - 1).max() <= 1.5
    assert (np.abs(added - 1).max(1) < 1).mean() > 0.5


def test_a_plain_is_not_refined_but_where_a_path_crosses_it() -> None:
    assert len(refined(lambda x, y: 2.0, 500)) == 25
    crossed = refined(lambda x, y: 2.0, 500, [(2 * STEP + 3, STEP + 5)])
    assert len(crossed) == 30
    assert (2 * STEP + STEP // 2, STEP + STEP // 2) in crossed


def test_evaluations_are_limited() -> None:
    for limit in (1, 25, 29, 30, 77):
        assert len(refined(lambda x, y: x**4 + y, limit)) <= max(25, limit)
    assert len(refined(lambda x, y: x**4 + y, 77)) > 70


def test_points_without_a_finite_loss_are_high_ground() -> None:
    heights = np.array([1.0, 2.0, np.inf, np.nan])
    ranks = adaptive_grid.ranks(heights, adaptive_grid.levels(heights))
    assert ranks.tolist() == [0, adaptive_grid.LEVELS, adaptive_grid.LEVELS, adaptive_grid.LEVELS]


# The store ---------------------------------------------------------------------------------


def same(one: Scan, two: Scan) -> bool:
    return bool(np.array_equal(one.places, two.places) and np.array_equal(one.loss, two.loss))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of points of each call of `Surface.measure`."""
    calls: list[int] = []
    measured = Surface.measure

    def count(self: Surface, places: Sequence[tuple[float, float]]) -> list[Values]:
        calls.append(len(places))
        return measured(self, places)

    monkeypatch.setattr(Surface, "measure", count)
    return calls


def test_a_stored_plane_is_not_measured_again(
    experiment: Experiment, store: Store, counted: list[int]
) -> None:
    drawn = through_endpoints(experiment, PLAN.seeds)
    first = scan_plane(drawn, experiment.problem, store, SMALL)
    assert sum(counted) == len(first.loss) > 16
    counted.clear()
    assert same(first, scan_plane(drawn, experiment.problem, store, SMALL)) and not counted
    more = scan_plane(drawn, experiment.problem, store, replace(SMALL, evaluations=60))
    assert sum(counted) == len(more.loss) - len(first.loss) > 0
    assert same(first, scan_plane(drawn, experiment.problem, store, SMALL))
    (entry,) = store.entries("planes")
    assert ": " in (title := store.title(entry)) and title.startswith("digits/mlp2[width=16]/")
    assert " test, plane through the endpoints of seeds 0, 1, 2: " in title
    counted.clear()
    scan_plane(drawn, experiment.problem, store, replace(SMALL, split="train"))
    assert counted


def test_an_interrupted_scan_goes_on(
    experiment: Experiment, store: Store, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCBENCH_SAVE_SECONDS", "0")
    monkeypatch.setattr(surface, "POINTS", 4)
    drawn = through_endpoints(experiment, PLAN.seeds)
    whole = scan_plane(drawn, experiment.problem, Store(store.root / "other"), SMALL)
    counted.clear()
    with monkeypatch.context() as patch:
        measured = Surface.measure

        def killed(self: Surface, places: Sequence[tuple[float, float]]) -> list[Values]:
            if len(counted) == 3:
                raise KeyboardInterrupt
            return measured(self, places)

        patch.setattr(Surface, "measure", killed)
        with pytest.raises(KeyboardInterrupt):
            scan_plane(drawn, experiment.problem, store, SMALL)
    done = sum(counted)
    assert done == 12
    assert same(whole, scan_plane(drawn, experiment.problem, store, SMALL))
    assert sum(counted) == len(whole.loss)


def test_the_window_has_margins_and_is_no_strip() -> None:
    left, right, bottom, top = scan.window_of(np.array([[0.0, 0.0], [10.0, 1.0]]))
    assert (left, right) == pytest.approx((-2, 12))
    assert top - bottom == pytest.approx(7) and top + bottom == pytest.approx(1)
    assert scan.window_of(np.zeros((2, 2))) == pytest.approx((-0.7, 0.7, -0.7, 0.7))
