"""The loss on a plane and the paths in it, with matplotlib."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import fill
from typing import Any

import numpy as np

from mcbench.figures.paths import line_styles
from mcbench.figures.style import columns, subject
from mcbench.landscape.adaptive_grid import LEVELS, levels, ranks
from mcbench.landscape.scan import Scan
from mcbench.landscape.straight_band import STRAIGHT_BAND

SHADES = ("bone_r", 0.02, 0.72)
"""The colour map of the surface and the part of it in use: greys, light in the valley.

Its brightness changes evenly, so that it prints without colour and coloured lines stand out.
"""

WIDE = 72
"""Characters per line of a title."""

FINE = 301
"""Points along each side that the surface is drawn on."""


def shades() -> list[tuple[float, float, float, float]]:
    """The colours between contour levels, from the lowest on."""
    from matplotlib import colormaps

    name, low, high = SHADES
    return [tuple(c) for c in colormaps[name](np.linspace(low, high, LEVELS))]


def interpolation(
    scan: Scan, values: np.ndarray
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Interpolation of measured values as a function of x and y.

    Clough & Tocher's cubic pieces on a triangulation go through the measured values, and are
    clipped to their range. Values that are not finite count as the largest.
    """
    from scipy.interpolate import CloughTocher2DInterpolator

    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    bounded = np.where(np.isfinite(values), values, high)
    pieces = CloughTocher2DInterpolator(scan.places, bounded, rescale=True)
    return lambda x, y: np.clip(pieces(x, y), low, high)


def mesh(scan: Scan, values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x and y of a regular mesh over the window, shape (count,), and the values interpolated."""
    left, right, bottom, top = scan.window
    x, y = np.linspace(left, right, count), np.linspace(bottom, top, count)
    return x, y, interpolation(scan, values)(*np.meshgrid(x, y))


def quantity(scan: Scan) -> str:
    """The name of the shown quantity, with its unit."""
    if scan.options.quantity == "error":
        return f"{scan.options.split} error (%)"
    return f"{scan.options.split} loss ({scan.unit})" if scan.unit else "loss"


def axis_names(scan: Scan) -> tuple[str, str]:
    """The names of both axes."""
    if scan.scene.plane.whole:
        return "$w_1$", "$w_2$"
    return "x, along B − A (parameter units)", "y, across it (parameter units)"


def label(method: str, away: float, size: float) -> str:
    """A path's name in the legend, with its distance from the plane if it leaves the plane."""
    return f"{method} (up to {away:.2g} off the plane)" if away > 1e-3 * size else method


def number(value: float) -> str:
    """A number with three digits, a very small or large one with one."""
    return f"{value:#.3g}".rstrip(".") if 1e-3 <= abs(value) < 1e4 else f"{value:.0e}"


def draw_plane(scan: Scan) -> Any:
    """Contours of loss or error on the plane, with the paths that are in it.

    Each contour line halves the height above the lowest measured point, so that valley and
    barrier are both visible; lines are labelled at the colour bar. Axes have the same scale.
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patheffects import withStroke

    left, right, bottom, top = scan.window
    names = [label(trace.method, trace.away, right - left) for trace in scan.scene.traces]
    # All in inches, so that nothing but the plane depends on its shape.
    width, ncols = 5.0, columns(names, 6.6)
    height, legend = width * (top - bottom) / (right - left), 0.22 * -(-len(names) // ncols)
    size = np.array([0.75 + width + 1.2, legend + 0.6 + height + 0.5])
    figure = Figure(figsize=tuple(size))
    place = np.array([[0.75, legend + 0.6], [width, height]]) / size
    axes = figure.add_axes(place.flatten().tolist())
    x, y, values = mesh(scan, scan.shown, FINE)
    scale = levels(scan.shown)
    colors, lines = ListedColormap(shades()), np.arange(LEVELS + 1)
    rank = ranks(values, scale)
    bands = axes.contourf(x, y, rank, lines, cmap=colors, norm=BoundaryNorm(lines, LEVELS))
    axes.contour(x, y, rank, lines[1:-1], colors="white", linewidths=0.5, alpha=0.8)
    outline = [withStroke(linewidth=3.4, foreground="white")]
    styles = line_styles([trace.method for trace in scan.scene.traces])
    for trace, name in zip(scan.scene.traces, names, strict=True):
        above = 0.5 if trace.method == STRAIGHT_BAND else 0  # It may lie under its own method.
        axes.plot(
            *trace.places[:, :2].T, linewidth=2, label=name, path_effects=outline,
            solid_capstyle="round", zorder=3 + above, **styles[trace.method],
        )  # fmt: skip
        if len(trace.joints):
            axes.plot(
                *trace.joints[:, :2].T, "o", markersize=6, color=styles[trace.method]["color"],
                markeredgecolor="white", markeredgewidth=1, zorder=4,
            )  # fmt: skip
    for name, (at_x, at_y) in scan.scene.marks.items():
        axes.plot(at_x, at_y, "o", markersize=8, color="black", markeredgecolor="white", zorder=5)
        axes.annotate(
            name, (at_x, at_y), (0, 10), textcoords="offset points", ha="center", zorder=6,
            bbox={"boxstyle": "round,pad=0.15", "color": "white", "alpha": 0.8, "linewidth": 0},
        )  # fmt: skip
    axes.set_aspect("equal")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    across, up = axis_names(scan)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    bar = figure.colorbar(bands, cax=axes.inset_axes((1.03, 0, 0.04, 1)), ticks=lines)
    bar.ax.set_yticklabels([number(value) for value in scale])
    bar.set_label(quantity(scan))
    if names:
        figure.legend(loc="lower center", ncols=ncols, frameon=False, borderaxespad=0.2)
    titles = subject(scan.problem), scan.scene.title
    axes.set_title("\n".join(fill(title, WIDE) for title in titles if title), fontsize=10)
    return figure
