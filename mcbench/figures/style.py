"""Style of all figures: colours, line styles, names of quantities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcbench.plugins import identity

# Okabe & Ito's palette, which colour-blind readers can tell apart.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
QUANTITIES = {
    "accuracy": "{split} accuracy (%)",
    "loss": "{split} loss (nats)",
    "with_start": "A and the point averaged: {split} accuracy (%)",
}
STYLES = ("-", "--", "-.", ":")
DASHES = {"-": "solid", "--": "dash", "-.": "dashdot", ":": "dot"}
"""Plotly's names of the line styles."""

GREY = "#595959"
"""The grey of lines that are there for comparison."""

SAVED = {"svg.fonttype": "none", "svg.hashsalt": "mcbench"}
"""Settings of matplotlib: SVG has text as text, and the same figure gives the same file."""


def columns(labels: Sequence[str], width: float) -> int:
    """The number of legend columns at 10 points that fit into ``width`` inches."""
    longest = max(map(len, labels), default=1)
    return max(1, min(len(labels), int(width / (0.6 + 0.085 * longest))))


def subject(problem: dict[str, Any], recipe: str = "") -> str:
    """Data set, architecture and recipe for a title; ``recipe`` replaces the problem's."""
    parts = identity.subject(problem)
    return ", ".join([*parts[:2], recipe or parts[2]])
