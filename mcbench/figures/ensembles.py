"""Accuracy of ensembles by their number of networks and their storage."""

from __future__ import annotations

from typing import Any

from mcbench.ensembles.evaluate import EnsembleResults
from mcbench.figures.style import COLORS, STYLES, subject


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
