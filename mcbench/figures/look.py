"""What all figures have in common: colours, line styles, names of quantities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcbench.report import describing

# Okabe & Ito's palette, which colour-blind readers can tell apart.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
QUANTITIES = {
    "accuracy": "{split} accuracy (%)",
    "loss": "{split} loss (nats)",
    "with_start": "A and the point averaged: {split} accuracy (%)",
}
STYLES = ("-", "--", "-.", ":")
DASHES = {"-": "solid", "--": "dash", "-.": "dashdot", ":": "dot"}
"""The names that plotly has for styles."""

STRAIGHT = "#595959"
"""The grey of what is only there for comparison."""

SAVED = {"svg.fonttype": "none", "svg.hashsalt": "mcbench"}
"""Settings of matplotlib: text in SVG is text, and the same figure is the same file."""


def look(i: int) -> dict[str, Any]:
    """Colour and style of line ``i``; where colours are used up they come with another style."""
    return {"color": COLORS[i % len(COLORS)], "linestyle": STYLES[i // len(COLORS) % len(STYLES)]}


def columns(labels: Sequence[str], width: float) -> int:
    """How many columns of a legend fit into so many inches, at 10 points."""
    longest = max(map(len, labels), default=1)
    return max(1, min(len(labels), int(width / (0.6 + 0.085 * longest))))


def subject(problem: dict[str, Any], recipe: str = "") -> str:
    """What a figure is of: data set, architecture and recipe, the problem's or what is given."""
    parts = describing.subject(problem)
    return ", ".join([*parts[:2], recipe or parts[2]])
