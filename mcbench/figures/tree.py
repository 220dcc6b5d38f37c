"""The spanning tree of several endpoints: the loss along its edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcbench.experiments.spanning_tree import Exploration
from mcbench.figures.paths import DECADES
from mcbench.figures.style import COLORS, STYLES, subject


def draw_tree(exploration: Exploration) -> Any:
    """Training loss along the edges of a tree; endpoints side by side, neighbours near.

    Arguments:
        exploration: An exploration with at least one edge.
    """
    from matplotlib.figure import Figure

    order = [seed for root in exploration.roots for seed, _ in exploration.walk(root)]
    place = {seed: i for i, seed in enumerate(order)}
    figure = Figure(figsize=(max(6.0, 1.1 * len(order)), 4.2), layout="constrained")
    axes = figure.subplots()
    lowest, highest = float("inf"), 0.0
    for i, (a, b) in enumerate(exploration.tree):
        record = exploration.record((a, b))
        assert record is not None  # Failed runs are no edges.
        t, loss = (np.asarray(x) for x in (record.curve.t, record.curve.loss["train"]))
        style: dict[str, Any] = {"color": COLORS[i % len(COLORS)]}
        style["linestyle"] = STYLES[i // len(COLORS) % len(STYLES)]
        x, top = place[a] + t * (place[b] - place[a]), int(loss.argmax())
        axes.plot(x, loss, label=f"{a}-{b}: {loss[top]:.4f}", **style)
        axes.plot(x[top], loss[top], "^", color=style["color"], markeredgecolor="white", zorder=3)
        lowest, highest = min(lowest, float(loss.min())), max(highest, float(loss.max()))
    heights = [exploration.minima[seed]["loss"]["train"] for seed in order]
    axes.plot(range(len(order)), heights, "o", color="black", markeredgecolor="white", zorder=4)
    if 0 < DECADES * lowest < highest:
        axes.set_yscale("log")
    axes.set_xticks(range(len(order)), [f"seed {seed}" for seed in order])
    axes.set_ylabel("train loss")
    axes.grid(color="0.92", linewidth=0.6, axis="y")
    axes.spines[["top", "right"]].set_visible(False)
    place_of_legend: Any = {"loc": "outside right upper", "frameon": False}
    figure.legend(title="edge: saddle", **place_of_legend)
    figure.suptitle(f"{subject(exploration.results.problem)}: tree of saddles", fontsize=11)
    return figure
