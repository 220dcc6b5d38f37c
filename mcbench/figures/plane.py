"""The loss on a plane, and the paths in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcbench.figures.look import subject
from mcbench.figures.paths import looks
from mcbench.lattice import LEVELS, levels, ranks
from mcbench.surveying import Survey

if TYPE_CHECKING:
    import numpy as np

SHADES = ("bone_r", 0.02, 0.72)
"""The colour map of the surface and the part of it that is used: greys, light in the valley.

Its brightness is even, so that it prints without colour, and lines in colour stand out of it.
"""

FINE = 301
"""The surface is drawn on so many points along each side."""


def shades() -> list[tuple[float, float, float, float]]:
    """A colour for each band between contour levels, the valley's first."""
    import numpy as np
    from matplotlib import colormaps

    name, low, high = SHADES
    return [tuple(c) for c in colormaps[name](np.linspace(low, high, LEVELS))]


def mesh(
    survey: Survey, values: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values between the measured places: x and y of a regular mesh, shape (count,), and values.

    By Clough & Tocher's cubic pieces on a triangulation, which go through the measured values,
    cut off where they leave their range.
    """
    import numpy as np
    from scipy.interpolate import CloughTocher2DInterpolator

    left, right, bottom, top = survey.window
    scale = np.array([right - left, top - bottom])
    pieces = CloughTocher2DInterpolator((survey.places - [left, bottom]) / scale, values)
    shares = np.linspace(0, 1, count)
    x, y = np.meshgrid(shares, shares)
    between = np.clip(pieces(x, y), values.min(), values.max())
    return left + shares * scale[0], bottom + shares * scale[1], between


def quantity(survey: Survey) -> str:
    """What is shown, with its unit."""
    if survey.ask.quantity == "error":
        return f"{survey.ask.split} error (%)"
    return f"{survey.ask.split} loss ({survey.unit})" if survey.unit else "loss"


def axis_names(survey: Survey) -> tuple[str, str]:
    """The names of both axes."""
    if survey.whole:
        return "$w_1$", "$w_2$"
    return "distance along B − A (parameter units)", "distance from the line A–B (parameter units)"


def label(method: str, away: float, size: float) -> str:
    """A path's name in the legend; with its distance from the plane, if it leaves it."""
    return f"{method} (up to {away:.2g} off the plane)" if away > 1e-3 * size else method


def number(value: float) -> str:
    """With three digits."""
    return f"{value:#.3g}".rstrip(".") if 1e-3 <= abs(value) < 1e4 else f"{value:.3g}"


def draw_plane(survey: Survey) -> Any:
    """Contours of loss or error on the plane, with the paths that are in it.

    Each contour line halves the height above the lowest measured point, so that valley and
    barrier are both seen; the lines are labelled at the colour bar. Axes have the same scale.
    """
    import numpy as np
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patheffects import withStroke

    x, y, rank = mesh(survey, ranks(survey.shown), FINE)
    left, right, bottom, top = survey.window
    width = 5.4
    figure = Figure(
        figsize=(width + 1.6, width * (top - bottom) / (right - left) + 1.9), layout="constrained"
    )
    axes = figure.subplots()
    colors = ListedColormap(shades())
    lines = np.arange(LEVELS + 1)
    bands = axes.contourf(x, y, rank, lines, cmap=colors, norm=BoundaryNorm(lines, LEVELS))
    axes.contour(x, y, rank, lines[1:-1], colors="white", linewidths=0.5, alpha=0.8)
    outline = [withStroke(linewidth=3.4, foreground="white")]
    chosen = looks([trace.method for trace in survey.traces])
    for trace in survey.traces:
        name = label(trace.method, trace.away, right - left)
        axes.plot(
            *trace.places[:, :2].T, linewidth=2, label=name, path_effects=outline,
            solid_capstyle="round", zorder=3, **chosen[trace.method],
        )  # fmt: skip
        if len(trace.joints):
            axes.plot(
                *trace.joints[:, :2].T, "o", markersize=6, color=chosen[trace.method]["color"],
                markeredgecolor="white", markeredgewidth=1, zorder=4,
            )  # fmt: skip
    for name, (at_x, at_y) in survey.marks.items():
        axes.plot(at_x, at_y, "o", markersize=8, color="black", markeredgecolor="white", zorder=5)
        axes.annotate(
            name, (at_x, at_y), (0, 8), textcoords="offset points", ha="center", zorder=6,
            fontweight="bold", path_effects=[withStroke(linewidth=3, foreground="white")],
        )  # fmt: skip
    axes.set_aspect("equal")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    across, up = axis_names(survey)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    bar = figure.colorbar(bands, ax=axes, ticks=lines, fraction=0.05, pad=0.02)
    bar.ax.set_yticklabels([number(value) for value in levels(survey.shown)])
    bar.set_label(quantity(survey))
    if survey.traces:
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle("\n".join(filter(None, (subject(survey.problem), survey.title))), fontsize=10)
    return figure
