"""Paths: ends exact, continuity, lengths."""

from __future__ import annotations

import math

import pytest
import torch

from mcbench.paths.params import combine, distance, equal, finite, size
from mcbench.paths.path import Leg, Path, join, polyline, segment


def point(*values: float) -> dict[str, torch.Tensor]:
    return {"w": torch.tensor(values), "count": torch.tensor(3)}


def test_ends_are_the_given_params_themselves() -> None:
    a, b = point(0.1, 0.2), point(0.7, -0.3)
    path = segment(a, b)
    assert path(0.0) is a and path(1.0) is b
    assert torch.allclose(path(0.25)["w"], 0.75 * a["w"] + 0.25 * b["w"])
    assert path(0.25)["count"].dtype == torch.int64


@pytest.mark.parametrize("t", [-0.1, 1.1, float("nan")])
def test_times_outside_the_interval_are_refused(t: float) -> None:
    with pytest.raises(ValueError, match="not in"):
        segment(point(0.0), point(1.0))(t)


def test_polyline_meets_its_corners_exactly() -> None:
    corners = [point(0.0, 0.0), point(1.0, 0.0), point(1.0, 2.0), point(0.0, 2.0)]
    path = polyline(corners)
    for t, corner in zip(path.joints, corners, strict=True):
        assert equal(path(t), corner)
    assert path.length(0, 1) == pytest.approx(4.0)
    assert path.length(1 / 6, 0.5) == pytest.approx(0.5 + 1.0)


def test_joints_of_any_number_of_legs_are_met_exactly() -> None:
    for count in range(1, 40):
        corners = [point(float(i)) for i in range(count + 1)]
        path = polyline(corners)
        assert all(equal(path(t), c) for t, c in zip(path.joints, corners, strict=True))


def test_join_goes_on_and_ends_as_the_last_one() -> None:
    a, b, c = point(0.0), point(1.0), point(3.0)
    permuted = Path(segment(b, c).legs, "permuted")
    path = join(segment(a, b), permuted)
    assert path.end == "permuted"
    assert equal(path(0.5), b) and equal(path(1.0), c)
    assert path.length(0, 1) == pytest.approx(3.0)


def test_length_of_a_curved_leg_is_measured_by_chords() -> None:
    def circle(u: float) -> dict[str, torch.Tensor]:
        angle = math.pi * u
        return {"w": torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)}

    path = Path([Leg(circle(0.0), circle(1.0), circle)])
    parts = [path.length(i / 64, (i + 1) / 64) for i in range(64)]
    assert sum(parts) == pytest.approx(math.pi, rel=1e-3)
    assert sum(parts) < math.pi


def test_a_chord_never_cuts_a_corner() -> None:
    measured = [
        Leg(leg.start, leg.stop, leg.between)
        for leg in polyline([point(0.0, 0.0), point(1.0, 0.0), point(1.0, 1.0)]).legs
    ]
    assert Path(measured).length(0.0, 1.0) == pytest.approx(2.0)


def test_a_path_needs_a_leg() -> None:
    with pytest.raises(ValueError, match="at least one leg"):
        Path([])


def test_the_algebra_of_params() -> None:
    a, b = point(3.0, 4.0), point(0.0, 0.0)
    assert distance(a, b) == 5.0
    assert equal(combine(a, b, 2.0, 5.0), {"w": torch.tensor([6.0, 8.0]), "count": a["count"]})
    assert size(a) == (3, 2 * 4 + 8)
    assert not equal(a, b) and not equal(a, {"w": a["w"]})
    assert finite(a) and not finite(point(float("inf")))
