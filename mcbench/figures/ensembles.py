"""Accuracy of ensembles by their number of networks, their storage and their budget."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcbench.ensembles.evaluate import EnsembleResults
from mcbench.figures.style import COLORS, STYLES, subject
from mcbench.stats.summary import summarize


def draw_ensembles(results: EnsembleResults) -> Any:
    """Test accuracy against the number of networks, and against what is stored.

    One line per ensemble, as in Anokhin & Yarotsky, ICML 2020 (experiments with WA-ensembles).
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(12, 4.8), layout="constrained")
    by_count, by_storage = figure.subplots(1, 2, sharey=True)
    count = len(results.records)
    for i, (text, record) in enumerate(results.records.items()):
        # More lines than the palette has colours are a series, such as WA(1), WA(2), ...
        color = COLORS[i] if count <= len(COLORS) else colormaps["cividis"](i / (count - 1))
        style: dict[str, Any] = {"color": color, "marker": "o", "markersize": 4}
        style |= {"linestyle": STYLES[i % len(STYLES)], "zorder": 3 - i / 100}
        sizes = record["sizes"]
        accuracy = [values["accuracy"] for values in sizes]
        by_count.plot(range(1, len(sizes) + 1), accuracy, label=text, **style)
        stored = [values["parameters"] / sizes[0]["parameters"] for values in sizes]
        by_storage.plot(stored, accuracy, **style)
    by_count.set_xlabel("number of networks")
    by_count.xaxis.set_major_locator(MaxNLocator(integer=True))
    by_count.set_ylabel("test accuracy of the ensemble (%)")
    by_storage.set_xlabel("stored parameters (one network = 1)")
    for axes in (by_count, by_storage):
        axes.grid(color="0.9", linewidth=0.6)
    figure.legend(*by_count.get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    figure.suptitle(f"{subject(results.problem)}: ensembles")
    return figure


def draw_budgets(results: EnsembleResults) -> Any:
    """Accuracy against the epochs spent, one line per ensemble.

    Thin lines: one training, member by member (mean over trainings). Marks: budgets, with the
    sample standard deviation over the choices of trainings.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    axes = figure.subplots()
    shapes = "osD^vPX"
    count, lowest = len(results.records), float("inf")
    for i, (text, record) in enumerate(results.records.items()):
        style: dict[str, Any] = {"color": COLORS[i % len(COLORS)]}
        whole = record["epochs"]
        growth = [(p["epochs"] / whole, summarize(p["accuracy"]).mean) for p in record["growth"]]
        axes.plot(*zip(*growth, strict=True), linewidth=1, alpha=0.7, **style)
        pools = [pool for pool in record["budgets"] if pool["accuracy"]]
        if not pools:
            continue
        summaries = [summarize(pool["accuracy"]) for pool in pools]
        means = np.array([s.mean for s in summaries])
        stds = np.nan_to_num([s.std for s in summaries])  # NaN where there is one choice.
        lowest = min(lowest, (means - stds).min())
        # Side by side: marks of one budget would hide each other.
        shift = 0.03 * (i - (count - 1) / 2)
        axes.errorbar(
            [pool["budget"] + shift for pool in pools], means, stds, label=text, capsize=3,
            marker=shapes[i % len(shapes)], linestyle=STYLES[i % len(STYLES)], **style,
        )  # fmt: skip
    # The axis starts below the budgets, which are compared, not at the first members.
    low, high = axes.dataLim.y0, axes.dataLim.y1
    if lowest < float("inf"):
        low = max(low, lowest - (high - lowest) / 2)
    axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    axes.set_xlabel(f"budget (1 = the recipe's {record['epochs']} epochs)")
    axes.set_ylabel("test accuracy of the ensemble (%)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="0.9", linewidth=0.6)
    axes.legend(frameon=False)
    title = f"{subject(results.problem)}: ensembles for a budget of epochs"
    figure.suptitle(f"{title}\nbars: std over choices of trainings; thin: within one training")
    return figure
