"""The search for worst points: the same on any division of t, and nothing wide is overlooked."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mcbench
from mcbench.builtin.metrics.curve import mean_loss_by_length
from mcbench.evaluation import search
from mcbench.evaluation.evaluate import Curve, PathEvaluation, evaluate
from mcbench.evaluation.losses import Progress
from mcbench.evaluation.protocol import Protocol
from mcbench.paths.path import Leg
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem


def dipping(a: mcbench.Params, place: float, width: float, depth: float = 1.0) -> Leg:
    """A leg that stays at A but for a dip around a place, where the weights go to zero."""

    def between(u: float) -> mcbench.Params:
        harm = depth * max(0.0, 1 - abs(u - place) / (width / 2))
        return {n: x * (1 - harm) for n, x in a.items()}

    return Leg(a, a, between)


def worst(curve: Curve, split: str = "test") -> float:
    return min(curve.accuracy[split])


@pytest.mark.parametrize("place", [0.0333, 0.4712, 0.778, 0.98])
def test_a_dip_of_width_a_hundredth_is_found_to_its_bottom(
    pair: tuple[Endpoint, Endpoint], problem: Problem, place: float
) -> None:
    path = mcbench.Path([dipping(pair[0].params, place, 0.01)])
    curve = evaluate(path, problem, Protocol(11))
    bottom = evaluate(mcbench.segment(path(place), path(place)), problem, Protocol(2, 0))
    assert worst(evaluate(path, problem, Protocol(11, 3))) == worst(
        evaluate(mcbench.segment(path(0), path(0)), problem, Protocol(2, 0))
    )  # The grid and its rounds see nothing of it.
    assert worst(curve) <= worst(bottom) + search.ACCURACY
    for split in ("train", "test"):
        span = max(curve.loss[split]) - min(curve.loss[split])
        assert max(curve.loss[split]) == pytest.approx(bottom.loss[split][0], abs=0.01 * span)


@pytest.mark.parametrize("legs", [1, 2, 5, 12, 30])
def test_the_worst_does_not_depend_on_how_t_is_divided(
    pair: tuple[Endpoint, Endpoint], problem: Problem, legs: int
) -> None:
    """The same hill, alone and as one leg among many that stay at its end."""
    a, b = (end.params for end in pair)
    hill = mcbench.segment(a, b).legs[0]
    still = Leg(b, b, lambda u: b, lambda u, v: 0.0)
    alone = evaluate(mcbench.Path([hill]), problem, Protocol(11))
    among = evaluate(mcbench.Path([hill, *[still] * (legs - 1)]), problem, Protocol(11))
    for split in ("train", "test"):
        assert worst(among, split) == pytest.approx(worst(alone, split), abs=0.25)
        span = max(alone.loss[split]) - min(alone.loss[split])
        assert max(among.loss[split]) == pytest.approx(max(alone.loss[split]), abs=2e-3 * span)

        means = [mean_loss_by_length(curve, split) for curve in (among, alone)]
        assert means[0] == pytest.approx(means[1], abs=0.01 * span)


def test_every_leg_has_points_on_the_grid_and_in_the_scan() -> None:
    for legs in (1, 2, 3, 7, 21, 100):
        for times, least in (
            (search.grid(11, legs), search.GRID_PER_LEG),
            (search.scan_times(legs), search.SCAN_PER_LEG),
        ):
            assert {i / legs for i in range(legs + 1)} <= set(times)
            for leg in range(legs):
                inside = [t for t in times if leg / legs < t < (leg + 1) / legs]
                assert len(inside) >= least - 1
        assert {i / 10 for i in range(11)} <= set(search.grid(11, legs))
        scan = search.scan_times(legs)
        assert max(b - a for a, b in pairwise(scan)) <= search.SPACING + 1e-12


@given(
    place=st.floats(0, 1), width=st.floats(0.02, 0.5), skew=st.floats(0.1, 10),
    grid=st.integers(2, 40),
)  # fmt: skip
def test_halvings_end_at_the_top_of_a_hill(
    place: float, width: float, skew: float, grid: int
) -> None:
    """A hill with straight sides of different slopes, which is seen from the grid."""

    def loss(t: float) -> float:
        return max(0.0, 1 - abs(t - place) / width * (skew if t > place else 1))

    times = {i / (grid - 1) for i in range(grid)} | {i / 200 for i in range(201)}
    rounds = 0
    while times:
        points = {t: {"loss": {"test": loss(t)}, "accuracy": {}} for t in times}
        added = search.halvings(points)
        times = times | set(added) if added else set()
        rounds += 1
    top = max(v["loss"]["test"] for v in points.values())
    assert top >= 1 - max(search.LOSS, search.NARROW * max(1, skew) / width)
    assert rounds <= 14


def test_a_jump_ends_the_search() -> None:
    points = {t: {"loss": {"test": float(t > 0.3)}, "accuracy": {}} for t in (0.0, 0.5, 1.0)}
    for _ in range(20):
        for t in search.halvings(points):
            points[t] = {"loss": {"test": float(t > 0.3)}, "accuracy": {}}
    assert search.halvings(points) == [] and len(points) <= 3 + 2 * 12


def test_a_search_that_was_stopped_anywhere_gives_the_same_curve(
    pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    path = mcbench.Path([dipping(pair[0].params, 0.47, 0.02)])
    whole = evaluate(path, problem, Protocol(5))
    steps = list(PathEvaluation(path, problem, Protocol(5)).points())
    assert len([t for part in steps for t in part]) == len(whole.t)
    for stop in (1, 100, len(steps) - 8, len(steps) - 1):
        progress = Progress()
        for _ in islice(PathEvaluation(path, problem, Protocol(5), progress).points(), stop):
            pass
        evaluation = PathEvaluation(path, problem, Protocol(5), progress)
        assert len(list(evaluation.points())) == len(steps) - stop
        assert evaluation.curve() == whole


def test_a_scan_that_diverges_says_where(
    pair: tuple[Endpoint, Endpoint], problem: Problem
) -> None:
    a = pair[0].params
    huge = {n: x * 1e30 for n, x in a.items()}
    leg = Leg(a, a, lambda u: huge if 0.301 < u < 0.309 else a)
    with pytest.raises(mcbench.RunError, match=r"loss at t = 0\.305 is"):
        evaluate(mcbench.Path([leg]), problem, Protocol(5))
