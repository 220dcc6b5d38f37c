"""Figures, with matplotlib and plotly: one per file.

Their type is Any: plotly has no types, and both libraries are imported only to draw.
"""

from mcbench.figures.budgets import draw_budgets
from mcbench.figures.ensembles import draw_ensembles
from mcbench.figures.files import check, save, save_html
from mcbench.figures.interactive_plane import interactive_plane
from mcbench.figures.paths import draw_paths, interactive_paths
from mcbench.figures.plane import draw_plane
from mcbench.figures.style import COLORS, QUANTITIES

__all__ = [
    "COLORS",
    "QUANTITIES",
    "check",
    "draw_budgets",
    "draw_ensembles",
    "draw_paths",
    "draw_plane",
    "interactive_paths",
    "interactive_plane",
    "save",
    "save_html",
]
