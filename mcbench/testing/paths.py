"""Checks of paths: exact ends, networks as points, no jumps."""

from __future__ import annotations

from itertools import pairwise

import torch

from mcbench.paths.params import Params, distance, equal, finite
from mcbench.paths.path import Path
from mcbench.testing.check import Fault, check
from mcbench.testing.methods import paths, points
from mcbench.testing.networks import Trained, on_each
from mcbench.testing.subject import Subject

JUMP = 0.005
"""Two points whose times differ by `NEAR` must be nearer than this share of the path's length."""

NEAR = 1e-6
"""The smallest interval of t in which a jump is looked for."""

_SEVERAL = (0.2, 0.6, 0.7)
"""Times of a leg at which `Leg.several` is called."""

OUTPUTS = 1e-3
"""The greatest difference of a permuted network's outputs, relative to the largest."""


@check("method", "path(0) is A", "start the first leg with a.params itself, not a computed copy")
@on_each(paths)
def it_starts_at_a(subject: Subject, network: Trained, path: Path) -> None:
    """`path(0)` equals A bit for bit."""
    if not equal(path(0.0), network.endpoint(0).params):
        raise Fault(f"path(0) differs from A{_gap(network, path, 0)}")


@check("method", "path(1) is the declared end")
@on_each(paths)
def it_ends_where_it_says(subject: Subject, network: Trained, path: Path) -> None:
    """`path(1)` is B bit for bit, or permuted with B's outputs, or short of B: as `end` says."""
    b = network.endpoint(1).params
    is_b = equal(path(1.0), b)
    if path.end == "b" and not is_b:
        raise Fault(
            f"path(1) differs from B{_gap(network, path, 1)}",
            "end the last leg with b.params itself, or say end='permuted' or 'short'",
        )
    if path.end == "permuted" and not is_b:
        change = _outputs_change(network, path(1.0), b)
        if not change < OUTPUTS:
            raise Fault(
                f"path(1) is no permutation of B: outputs differ by {change:.1e}",
                "permute the incoming and the outgoing weights of a neuron alike",
            )
    if path.end == "short" and is_b:
        raise Fault("path(1) is B, but 'end' says short", "say end='b'")
    if path.end not in ("b", "permuted", "short"):
        raise Fault(f"'end' is {path.end!r}", "say 'b', 'permuted' or 'short'")


def _gap(network: Trained, path: Path, t: int) -> str:
    end, point = network.endpoint(t).params, path(float(t))
    if end.keys() != point.keys() or any(end[n].shape != x.shape for n, x in point.items()):
        return ""
    return f" by {distance(point, end):.1e}"


def _outputs_change(network: Trained, one: Params, two: Params) -> float:
    problem = network.problem()
    inputs, _ = next(problem.batches("test"))
    with torch.no_grad():
        x, y = problem.forward(one, inputs), problem.forward(two, inputs)
    return float((x - y).abs().max() / y.abs().max())


@check("method", "points are networks", "give every entry of a.params, as {**a.params, ...}")
@on_each(paths)
def points_are_networks(subject: Subject, network: Trained, path: Path) -> None:
    """Every point has A's names, shapes, dtypes and device; counters as A's or B's; all finite."""
    a, b = (network.endpoint(seed).params for seed in (0, 1))
    for t in (0.03, 0.37, 0.5, 0.91, *_some(path.joints[1:-1], 8)):
        if difference := unlike(path(t), a, b):
            raise Fault(f"at t = {t:.3g} {difference}")


def unlike(point: Params, a: Params, b: Params) -> str:
    """The difference in form between a point and A and B, or nothing."""
    for name in {**a, **point}:
        if name not in point or name not in a:
            return f"the entry '{name}' is {'missing' if name in a else 'new'}"
        x, y = point[name], a[name]
        if (x.shape, x.dtype, x.device) != (y.shape, y.dtype, y.device):
            return (
                f"'{name}' is {tuple(x.shape)} {x.dtype} on {x.device}, in A it is "
                f"{tuple(y.shape)} {y.dtype} on {y.device}"
            )
        if not x.is_floating_point() and not (x.equal(y) or x.equal(b[name])):
            return f"'{name}', which is not floating-point, is neither A's nor B's"
    return "" if finite(point) else "an entry is not finite"


@check(
    "method",
    "continuity",
    "let every leg tend to its start for u to 0 and to its stop for u to 1, and start where the "
    "leg before stops",
)
@on_each(paths)
def it_is_continuous(subject: Subject, network: Trained, path: Path) -> None:
    """Points that are near in t are near to each other: no jumps, at legs' joints neither."""
    if jump := find_jump(path):
        raise Fault(
            f"it jumps at t = {jump[0]:.6g}: within {NEAR:g} of t it moves by {jump[1]:.1%} of "
            "the way that its grid of points makes"
        )


def find_jump(path: Path) -> tuple[float, float] | None:
    """A time at which the path jumps, and the jump as a share of its length; ``None`` if none.

    Intervals are bisected: of two halves the one whose ends are further apart is halved next. On
    a continuous path the ends soon come near to each other.
    """
    stops = sorted({i / 8 for i in range(9)} | {*_some(path.joints, 12)})
    gaps = [distance(path(s), path(t)) for s, t in pairwise(stops)]
    total = sum(gaps)
    for (s, t), gap in zip(pairwise(stops), gaps, strict=True):
        here, there = path(s), path(t)
        while gap > JUMP * total and t - s > NEAR:
            middle = path((s + t) / 2)
            first, second = distance(here, middle), distance(middle, there)
            if first >= second:
                t, there, gap = (s + t) / 2, middle, first
            else:
                s, here, gap = (s + t) / 2, middle, second
        if gap > JUMP * total:
            return s, gap / total
    return None


def _some(values: list[float], count: int) -> list[float]:
    return values[:: max(1, len(values) // count)]


@check("method", "points do not change")
@on_each(paths)
def points_do_not_change(subject: Subject, network: Trained, path: Path) -> None:
    """A point is the same whatever points were computed before it, or are computed with it."""
    first = points(path)
    path(0.13), path(0.77)
    if not all(map(equal, first, points(path))):
        raise Fault(
            "points differ when they are computed again",
            "compute a point in new tensors: never in place, never from the last point",
        )
    for leg in path.legs[:4]:
        several = leg.several(_SEVERAL)
        if len(several) != len(_SEVERAL) or not all(map(equal, several, map(leg, _SEVERAL))):
            raise Fault(
                "a point differs when it is computed with others",
                "make 'several_between' give what 'between' gives, in the order of times",
            )


@check("method", "lengths", "correct its 'length', or leave it out: chords are measured then")
@on_each(paths)
def lengths_agree_with_chords(subject: Subject, network: Trained, path: Path) -> None:
    """A leg that declares its length declares that of a polygon of many chords."""
    for number, leg in enumerate(path.legs[:4], start=1):
        if leg.length is None:
            continue
        declared = leg.length(0.0, 1.0)
        for count in (64, 1024):  # Long chords cut corners.
            ends = pairwise(leg(i / count) for i in range(count + 1))
            chords = sum(distance(here, there) for here, there in ends)
            if abs(declared - chords) <= 0.02 * chords + 1e-6:
                break
        else:
            raise Fault(f"leg {number} declares length {declared:.4g}; its chords {chords:.4g}")
