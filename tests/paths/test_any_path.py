"""Paths through any points: exact ends, continuity, where a time falls, lengths."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mcbench.paths.params import Params, distance, equal
from mcbench.paths.path import Path, join, polyline, segment

NUMBER = st.floats(-100, 100, width=32)
POINT = st.lists(NUMBER, min_size=3, max_size=3).map(
    lambda values: {"w": torch.tensor(values, dtype=torch.float64), "count": torch.tensor(3)}
)
POINTS = st.lists(POINT, min_size=2, max_size=8)
TIME = st.floats(0, 1)


@given(POINT, POINT, TIME)
def test_a_segment_is_exact_at_its_ends_and_straight_between(
    a: Params, b: Params, t: float
) -> None:
    path = segment(a, b)
    assert path(0.0) is a and path(1.0) is b
    assert torch.allclose(path(t)["w"], (1 - t) * a["w"] + t * b["w"], atol=1e-9)
    assert path.length(0, t) == pytest.approx(t * distance(a, b), abs=1e-6)


@given(POINTS)
def test_a_polyline_meets_all_its_points_exactly(points: list[Params]) -> None:
    path = polyline(points)
    assert all(path(t) is point for t, point in zip(path.joints, points, strict=True))
    whole = sum(distance(a, b) for a, b in pairwise(points))
    assert path.length(0, 1) == pytest.approx(whole, abs=1e-6)


@given(POINTS, TIME, st.floats(-1e-6, 1e-6))
def test_a_polyline_is_continuous(points: list[Params], t: float, step: float) -> None:
    path, near = polyline(points), min(1.0, max(0.0, t + step))
    speed = len(path.legs) * max(distance(leg.start, leg.stop) for leg in path.legs)
    assert distance(path(t), path(near)) <= speed * abs(near - t) + 1e-9


@given(POINTS, TIME)
def test_locate_finds_the_leg_and_its_own_time(points: list[Params], t: float) -> None:
    path = polyline(points)
    leg, u = path.locate(t)
    assert 0 <= leg < len(path.legs) and 0 <= u <= 1
    assert (leg + u) / len(path.legs) == pytest.approx(t, abs=1e-12)
    assert path.joints[leg] <= t <= path.joints[leg + 1]
    assert equal(path(t), path.legs[leg](u))


@given(POINTS, POINTS, st.lists(TIME, max_size=5))
def test_joined_paths_follow_one_another(
    first: list[Params], second: list[Params], times: list[float]
) -> None:
    a, b = polyline(first), Path(polyline([first[-1], *second]).legs, "permuted")
    path = join(a, b)
    assert path.end == "permuted" and path.legs == a.legs + b.legs
    assert path(0.0) is first[0] and path(1.0) is second[-1]
    assert path(len(a.legs) / len(path.legs)) is first[-1]
    assert all(equal(x, path(t)) for x, t in zip(path.several(times), times, strict=True))
    assert path.length(0, 1) == pytest.approx(a.length(0, 1) + b.length(0, 1), abs=1e-6)
