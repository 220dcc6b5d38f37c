"""The loss on a plane, and the paths in it."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import fill
from typing import TYPE_CHECKING, Any

from mcbench.figures.look import columns, subject
from mcbench.figures.paths import looks
from mcbench.landscape.adaptive_grid import LEVELS, levels, ranks
from mcbench.landscape.chains import STRAIGHT_CHAIN
from mcbench.landscape.scan import Survey

if TYPE_CHECKING:
    import numpy as np

SHADES = ("bone_r", 0.02, 0.72)
"""The colour map of the surface and the part of it that is used: greys, light in the valley.

Its brightness is even, so that it prints without colour, and lines in colour stand out of it.
"""

WIDE = 72
"""Titles are wrapped at so many characters."""

FINE = 301
"""The surface is drawn on so many points along each side."""


def shades() -> list[tuple[float, float, float, float]]:
    """A colour for each band between contour levels, the valley's first."""
    import numpy as np
    from matplotlib import colormaps

    name, low, high = SHADES
    return [tuple(c) for c in colormaps[name](np.linspace(low, high, LEVELS))]


def between(survey: Survey, values: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function of x and y that gives values between the measured places.

    By Clough & Tocher's cubic pieces on a triangulation, which go through the measured values,
    cut off where they leave their range. Values that are not finite count as the largest.
    """
    import numpy as np
    from scipy.interpolate import CloughTocher2DInterpolator

    left, right, bottom, top = survey.window
    corner, scale = np.array([left, bottom]), np.array([right - left, top - bottom])
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    known = np.where(np.isfinite(values), values, high)
    pieces = CloughTocher2DInterpolator((survey.places - corner) / scale, known)

    def at(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        heights = pieces((np.stack([x, y], axis=-1) - corner) / scale)
        clipped: np.ndarray = np.clip(heights, low, high)
        return clipped

    return at


def mesh(
    survey: Survey, values: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x and y of a regular mesh over the window, shape (count,), and the values `between`."""
    import numpy as np

    left, right, bottom, top = survey.window
    x, y = np.linspace(left, right, count), np.linspace(bottom, top, count)
    return x, y, between(survey, values)(*np.meshgrid(x, y))


def quantity(survey: Survey) -> str:
    """What is shown, with its unit."""
    if survey.ask.quantity == "error":
        return f"{survey.ask.split} error (%)"
    return f"{survey.ask.split} loss ({survey.unit})" if survey.unit else "loss"


def axis_names(survey: Survey) -> tuple[str, str]:
    """The names of both axes."""
    if survey.whole:
        return "$w_1$", "$w_2$"
    return "x, along B − A (parameter units)", "y, across it (parameter units)"


def label(method: str, away: float, size: float) -> str:
    """A path's name in the legend; with its distance from the plane, if it leaves it."""
    return f"{method} (up to {away:.2g} off the plane)" if away > 1e-3 * size else method


def number(value: float) -> str:
    """With three digits; a very small or large one with one."""
    return f"{value:#.3g}".rstrip(".") if 1e-3 <= abs(value) < 1e4 else f"{value:.0e}"


def draw_plane(survey: Survey) -> Any:
    """Contours of loss or error on the plane, with the paths that are in it.

    Each contour line halves the height above the lowest measured point, so that valley and
    barrier are both seen; the lines are labelled at the colour bar. Axes have the same scale.
    """
    import numpy as np
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patheffects import withStroke

    left, right, bottom, top = survey.window
    names = [label(trace.method, trace.away, right - left) for trace in survey.traces]
    # All in inches, so that nothing but the plane depends on its shape.
    width, ncols = 5.0, columns(names, 6.6)
    height, legend = width * (top - bottom) / (right - left), 0.22 * -(-len(names) // ncols)
    size = np.array([0.75 + width + 1.2, legend + 0.6 + height + 0.5])
    figure = Figure(figsize=tuple(size))
    place = np.array([[0.75, legend + 0.6], [width, height]]) / size
    axes = figure.add_axes(place.flatten().tolist())
    x, y, values = mesh(survey, survey.shown, FINE)
    scale = levels(survey.shown)
    colors, lines = ListedColormap(shades()), np.arange(LEVELS + 1)
    rank = ranks(values, scale)
    bands = axes.contourf(x, y, rank, lines, cmap=colors, norm=BoundaryNorm(lines, LEVELS))
    axes.contour(x, y, rank, lines[1:-1], colors="white", linewidths=0.5, alpha=0.8)
    outline = [withStroke(linewidth=3.4, foreground="white")]
    chosen = looks([trace.method for trace in survey.traces])
    for trace, name in zip(survey.traces, names, strict=True):
        above = 0.5 if trace.method == STRAIGHT_CHAIN else 0  # It may lie under its own method.
        axes.plot(
            *trace.places[:, :2].T, linewidth=2, label=name, path_effects=outline,
            solid_capstyle="round", zorder=3 + above, **chosen[trace.method],
        )  # fmt: skip
        if len(trace.joints):
            axes.plot(
                *trace.joints[:, :2].T, "o", markersize=6, color=chosen[trace.method]["color"],
                markeredgecolor="white", markeredgewidth=1, zorder=4,
            )  # fmt: skip
    for name, (at_x, at_y) in survey.marks.items():
        axes.plot(at_x, at_y, "o", markersize=8, color="black", markeredgecolor="white", zorder=5)
        axes.annotate(
            name, (at_x, at_y), (0, 10), textcoords="offset points", ha="center", zorder=6,
            bbox={"boxstyle": "round,pad=0.15", "color": "white", "alpha": 0.8, "linewidth": 0},
        )  # fmt: skip
    axes.set_aspect("equal")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    across, up = axis_names(survey)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    bar = figure.colorbar(bands, cax=axes.inset_axes((1.03, 0, 0.04, 1)), ticks=lines)
    bar.ax.set_yticklabels([number(value) for value in scale])
    bar.set_label(quantity(survey))
    if names:
        figure.legend(loc="lower center", ncols=ncols, frameon=False, borderaxespad=0.2)
    title = "\n".join(fill(part, WIDE) for part in (subject(survey.problem), survey.title) if part)
    axes.set_title(title, fontsize=10)
    return figure
