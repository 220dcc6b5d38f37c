"""The path through trained control points."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch

import mcbench
from mcbench import Leg, Params, Path, Problem, Recipe, Statistics
from mcbench_curves.coefficients import bezier


def route(shape: str, points: Sequence[Params], problem: Problem, recipe: Recipe) -> Path:
    """Curve through or towards ``points``, with exact ends.

    Where the network has running statistics they are estimated at every point between the control
    points (which have theirs), and lengths are measured by chords.

    Arguments:
        shape: ``polychain`` or ``bezier``.
        points: The control points, both ends included.
        problem, recipe: The data for running statistics; see `Statistics`.
    """
    path = mcbench.polyline(points) if shape == "polychain" else Path([bezier_leg(points)])
    return Statistics(problem, recipe).along(path)


def bezier_leg(points: Sequence[Params]) -> Leg:
    r"""Bezier curve with control points :math:`w_0, \dots, w_N` as one leg.

    Its speed is :math:`|\phi'(t)|^2 = N^2 \sum_{ij} b_i(t)\, b_j(t)\, \Delta_i \cdot \Delta_j`
    with :math:`\Delta_i = w_{i+1} - w_i` and Bernstein polynomials b of degree N - 1; lengths are
    its integral by Gauss's rule.
    """
    degree = len(points) - 1

    def between(u: float) -> Params:
        weights = bezier(torch.tensor([u], dtype=torch.float64), degree - 1)[0].tolist()
        return _weighted(points, weights)

    @cache
    def products() -> np.ndarray:
        total = np.zeros((degree, degree))
        for name, x in points[0].items():
            if x.is_floating_point():
                rows = torch.stack([p[name].flatten().double() for p in points]).diff(dim=0)
                total += (rows @ rows.T).cpu().numpy()
        return total

    def length(u: float, v: float) -> float:
        return bezier_length(products(), u, v)

    return Leg(points[0], points[-1], between, length)


def bezier_length(products: np.ndarray, u: float, v: float) -> float:
    r"""Length of a Bezier curve from u to v.

    Arguments:
        products: Products of the control points' differences, :math:`\Delta_i \cdot \Delta_j`,
            shape (N, N).
        u, v: Times.
    """
    degree = len(products)
    nodes, weights = np.polynomial.legendre.leggauss(32)
    times = torch.from_numpy(u + (v - u) * (nodes + 1) / 2)
    b = bezier(times, degree - 2).numpy()
    squares = np.einsum("ki,ij,kj->k", b, products, b)
    return float((v - u) / 2 * weights @ (degree * np.sqrt(squares.clip(min=0))))


def _weighted(points: Sequence[Params], weights: Sequence[float]) -> Params:
    """Sum of weight x point; entries that are not floating point are the first's."""
    total = {}
    for name, x in points[0].items():
        total[name] = x
        if x.is_floating_point():
            total[name] = weights[0] * x
            for weight, point in zip(weights[1:], points[1:], strict=True):
                total[name].add_(point[name], alpha=weight)
    return total
