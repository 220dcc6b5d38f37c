"""Figures of evaluated paths, with matplotlib."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any

from mcbench.ensembling import EnsembleResults
from mcbench.errors import UsageError
from mcbench.experiment import Results
from mcbench.report import by_method, end_points

# Okabe & Ito's palette, which colour-blind readers can tell apart.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
QUANTITIES = {
    "accuracy": "{split} accuracy (%)",
    "loss": "{split} loss (nats)",
    "with_start": "A and the point averaged: {split} accuracy (%)",
}
STYLES = ("-", "--", "-.", ":")


def draw_paths(
    results: Results, split: str, by_length: bool = False, ensemble: bool = False
) -> Any:
    """Accuracy and loss along the path, one colour per method.

    Arguments:
        results: With at least one record.
        split: ``train`` or ``test``.
        by_length: Arc length (as a share of the whole) on the axis instead of t.
        ensemble: The accuracy of the ensemble of A and the point instead of the loss.

    Where the data have no classes there is the loss alone.
    """
    import numpy as np
    from matplotlib.figure import Figure

    classes = all(record["curve"]["accuracy"] for record in results.records.values())
    shown = ("accuracy", "with_start" if ensemble else "loss") if classes else ("loss",)
    figure = Figure(figsize=(5.5 * len(shown), 4.4), layout="constrained")
    panels = dict(zip(shown, figure.subplots(1, len(shown), squeeze=False)[0], strict=True))
    common = np.linspace(0, 1, 401)
    for i, (method, records) in enumerate(by_method(results).items()):
        look: dict[str, Any] = {"color": COLORS[i % len(COLORS)]}
        look["linestyle"] = STYLES[i // len(COLORS) % len(STYLES)]
        for quantity, axes in panels.items():
            lines = []
            for record in records:
                curve = record["curve"]
                x = np.asarray(curve["position"] if by_length else curve["t"])
                x = x / x[-1] if by_length and x[-1] else x
                y = curve[quantity][split]
                axes.plot(x, y, linewidth=0.6, alpha=0.35, **look)
                lines.append(np.interp(common, x, y))
            if lines:
                axes.plot(common, np.mean(lines, axis=0), linewidth=2.2, label=method, **look)
    ends_by_row = end_points(results, "accuracy" if classes else "loss")
    for (label, ends), style in zip(ends_by_row.items(), STYLES, strict=False):
        best = float(np.mean([end[split] for end in ends.values()]))
        look = {"color": "0.4", "linewidth": 0.9, "linestyle": style}
        panels[shown[0]].axhline(best, label=label, **look)
    for quantity, axes in panels.items():
        axes.set_xlabel("arc length / length of the path" if by_length else "t")
        axes.set_xlim(0, 1)
        axes.grid(color="0.9", linewidth=0.6)
        axes.set_ylabel(QUANTITIES[quantity].format(split=split) if classes else "loss")
    panels[shown[0]].legend(frameon=False)
    pairs = max(map(len, by_method(results).values()))
    names = [results.problem[k]["name"] for k in ("dataset", "architecture", "recipe")]
    names[2] = " to ".join(results.recipes) or names[2]
    title = f"{names[0]}, {names[1]}, {names[2]}: {pairs} pair{'s' * (pairs != 1)}, thick: mean"
    figure.suptitle(fill(title, 130))  # Two recipes with parameters are long.
    return figure


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
        look: dict[str, Any] = {"color": color, "marker": "o", "markersize": 4}
        look |= {"linestyle": STYLES[i % len(STYLES)], "zorder": 3 - i / 100}
        sizes = record["sizes"]
        accuracy = [values["accuracy"] for values in sizes]
        by_count.plot(range(1, len(sizes) + 1), accuracy, label=text, **look)
        stored = [values["parameters"] / sizes[0]["parameters"] for values in sizes]
        by_storage.plot(stored, accuracy, **look)
    by_count.set_xlabel("number of networks")
    by_count.xaxis.set_major_locator(MaxNLocator(integer=True))
    by_count.set_ylabel("test accuracy of the ensemble (%)")
    by_storage.set_xlabel("stored parameters (one network = 1)")
    for axes in (by_count, by_storage):
        axes.grid(color="0.9", linewidth=0.6)
    figure.legend(*by_count.get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    names = [results.problem[k]["name"] for k in ("dataset", "architecture", "recipe")]
    figure.suptitle(f"{names[0]}, {names[1]}, {names[2]}: ensembles")
    return figure


def files(out: Path) -> list[Path]:
    """The PNG and the SVG that ``out`` names, whatever its ending.

    Raises:
        UsageError: If it names none.
    """
    stem = out.with_suffix("") if out.suffix in (".png", ".svg") else out
    if not stem.name:
        raise UsageError(f"'{out}' names no file: write a name that .png and .svg are added to")
    return [stem.with_name(stem.name + suffix) for suffix in (".png", ".svg")]


def save(figure: Any, out: Path) -> list[Path]:
    """Write the `files` of ``out``.

    Raises:
        UsageError: If they cannot be written.
    """
    paths = files(out)
    try:
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        for path in paths:
            figure.savefig(path, dpi=150)
    except OSError as error:
        raise UsageError(f"cannot write {paths[0]}: {error.strerror or error}") from None
    return paths
