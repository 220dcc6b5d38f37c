"""Loss and accuracy along paths, with matplotlib and with plotly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from textwrap import fill
from typing import Any

import numpy as np

from mcbench.experiments.plan import Results
from mcbench.experiments.record import Record
from mcbench.figures.style import COLORS, DASHES, GREY, QUANTITIES, STYLES, columns, subject
from mcbench.landscape.straight_band import STRAIGHT_BAND, MarkedRecord
from mcbench.report.headline import headline
from mcbench.report.reading import by_method, end_points

WIDE = 120
"""Characters per line of a title: two recipes with parameters are long."""

FINE = 401
"""Points that means over pairs are drawn through."""

DECADES = 50
"""Ratio of the largest to the smallest loss above which the axis is logarithmic."""


@dataclass(frozen=True)
class Line:
    """One run's curve.

    Arguments:
        pair: The seeds of A and B.
        x: t, or arc length as a share of the whole.
        y: The quantity.
        marked: Indices of the path's pivots, without A and B.
    """

    pair: tuple[int, int]
    x: np.ndarray
    y: np.ndarray
    marked: list[int]


@dataclass(frozen=True)
class Panel:
    """One quantity along all paths.

    Arguments:
        title: The quantity, with its unit.
        lines: By method.
        means: Means over pairs by method, at `FINE` equidistant places.
        ends: The mean over the endpoints, for A and B separately where two recipes trained them.
        logarithmic: Whether the vertical axis is logarithmic.
    """

    title: str
    lines: dict[str, list[Line]]
    means: dict[str, np.ndarray]
    ends: dict[str, float]
    logarithmic: bool


def panels_of(results: Results, split: str, by_length: bool, ensemble: bool) -> list[Panel]:
    """Panels of accuracy and loss (or the ensemble's accuracy); without classes of the loss."""
    classes = all(record.curve.accuracy for record in results.records.values())
    quantities = ("accuracy", "with_start" if ensemble else "loss") if classes else ("loss",)
    panels = []
    for quantity in quantities:
        lines = {
            method: [_line(record, quantity, split, by_length) for record in records]
            for method, records in by_method(results).items()
            if records
        }
        common = np.linspace(0, 1, FINE)
        means = {
            method: np.mean([np.interp(common, line.x, line.y) for line in own], axis=0)
            for method, own in lines.items()
        }
        values = np.concatenate([line.y for own in lines.values() for line in own])
        ends = {}
        if quantity in ("accuracy", "loss"):
            rows = end_points(results, quantity)  # type: ignore[arg-type]
            ends = {k: float(np.mean([e[split] for e in v.values()])) for k, v in rows.items()}
        title = QUANTITIES[quantity].format(split=split) if classes else "loss"
        wide = quantity == "loss" and values.min() > 0 and values.max() > DECADES * values.min()
        panels.append(Panel(title, lines, means, ends, bool(wide)))
    return panels


def _line(record: Record, quantity: str, split: str, by_length: bool) -> Line:
    """One quantity of a record's curve."""
    curve = record.curve
    x = np.asarray(curve.position if by_length else curve.t)
    x = x / x[-1] if by_length and x[-1] else x
    marked = [curve.t.index(t) for t in record.joints] if isinstance(record, MarkedRecord) else []
    values: dict[str, list[float]] = getattr(curve, quantity)
    return Line(record.pair, x, np.asarray(values[split]), marked)


def line_styles(methods: list[str]) -> dict[str, dict[str, Any]]:
    """Colour and line style by method; colours repeat with the next line style.

    The straight band, drawn for comparison, is grey.
    """
    looks = cycle({"color": c, "linestyle": stroke} for stroke in STYLES for c in COLORS)
    own = (method for method in methods if method != STRAIGHT_BAND)
    styles = dict(zip(own, looks, strict=False))
    return styles | {STRAIGHT_BAND: {"color": GREY, "linestyle": "--"}}


def title_of(results: Results) -> str:
    """The title: the problem and the number of pairs, or the seeds of one pair."""
    pairs = {record.pair for record in results.records.values()}
    problem = subject(results.problem, " to ".join(results.recipes))
    if len(pairs) > 1:
        return fill(f"{problem}: {len(pairs)} pairs, thick: mean", WIDE)
    ((seed_a, seed_b),) = pairs
    return fill(f"{problem}: A is seed {seed_a}, B is seed {seed_b}", WIDE)


def legend_of(results: Results, split: str) -> tuple[str, dict[str, str]]:
    """The legend's title and labels by method: the number that `mcbench run` ranks by."""
    records = {method: rs for method, rs in by_method(results).items() if rs}
    first = next(iter(results.records.values()))
    shown = headline(first.protocol, bool(first.curve.accuracy))
    labels = {}
    for method, own in records.items():
        mean = float(np.mean([shown.value(record.curve, split) for record in own]))
        labels[method] = f"{method}: {shown.number(mean)}"
    several = max(len(own) for own in records.values()) > 1
    return shown.title(split) + (", mean over pairs" if several else ""), labels


def x_title(by_length: bool) -> str:
    """The title of the horizontal axis."""
    return "arc length / length of the path" if by_length else "t, from A (0) to B (1)"


def draw_paths(
    results: Results, split: str, by_length: bool = False, ensemble: bool = False
) -> Any:
    """Accuracy and loss along the path, one colour per method.

    Arguments:
        results: Results with at least one record; pivots of a `MarkedRecord` are marked.
        split: ``train`` or ``test``.
        by_length: Draw against arc length (as a share of the whole) instead of t.
        ensemble: Draw the accuracy of the ensemble of A and the point instead of the loss.

    Data without classes have a loss only.
    """
    from matplotlib.figure import Figure

    panels = panels_of(results, split, by_length, ensemble)
    figure = Figure(figsize=(5.2 * len(panels) + 0.4, 4.2), layout="constrained")
    styles = line_styles(list(panels[0].lines))
    title, names = legend_of(results, split)
    common = np.linspace(0, 1, FINE)
    for panel, axes in zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True):
        for (label, ends), stroke in zip(panel.ends.items(), STYLES, strict=False):
            axes.axhline(ends, color="0.6", linewidth=0.9, linestyle=stroke, zorder=1, label=label)
        for method, lines in panel.lines.items():
            for line in lines:
                style: dict[str, Any] = {"linewidth": 0.6, "alpha": 0.4}
                if len(lines) == 1:
                    style = {"linewidth": 1.8, "label": names[method]}
                axes.plot(line.x, line.y, **style, **styles[method])
                if line.marked:
                    axes.plot(
                        line.x[line.marked], line.y[line.marked], "o", markersize=5.5,
                        color=styles[method]["color"], markeredgecolor="white", zorder=4,
                    )  # fmt: skip
            if len(lines) > 1:
                mean = panel.means[method]
                axes.plot(common, mean, linewidth=2.2, label=names[method], **styles[method])
        if panel.logarithmic:
            axes.set_yscale("log")
        axes.set_xlabel(x_title(by_length))
        axes.set_xlim(-0.01, 1.01)
        axes.grid(color="0.92", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylabel(panel.title)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if any(line.marked for lines in panels[0].lines.values() for line in lines):
        from matplotlib.lines import Line2D

        pivot = Line2D([], [], marker="o", color="0.5", linestyle="", markeredgecolor="white")
        handles.append(pivot)
        labels.append("pivots")
    ncols = columns(labels, figure.get_figwidth())
    place: Any = {"loc": "outside lower center", "ncols": ncols, "frameon": False}
    figure.legend(handles, labels, title=title, **place)
    figure.suptitle(title_of(results), fontsize=11)
    return figure


def interactive_paths(
    results: Results, split: str, by_length: bool = False, ensemble: bool = False
) -> Any:
    """`draw_paths` with plotly: values under the pointer; a click on a name hides a method."""
    from plotly.subplots import make_subplots

    panels = panels_of(results, split, by_length, ensemble)
    figure = make_subplots(1, len(panels), horizontal_spacing=0.1)
    styles = line_styles(list(panels[0].lines))
    title, names = legend_of(results, split)
    common = np.linspace(0, 1, FINE)
    for column, panel in enumerate(panels, start=1):
        where = {"row": 1, "col": column}
        for method, lines in panel.lines.items():
            color = styles[method]["color"]
            stroke = {"color": color, "dash": DASHES[styles[method]["linestyle"]]}
            group: dict[str, Any] = {"legendgroup": method, "name": names[method]}
            alone = len(lines) == 1
            for line in lines:
                hover = f"pair {line.pair[0]}-{line.pair[1]}<br>%{{x:.3f}}: %{{y:.5g}}"
                figure.add_scatter(
                    x=line.x, y=line.y, mode="lines", line=stroke | {"width": 3 if alone else 1},
                    opacity=1 if alone else 0.45, showlegend=alone and column == 1,
                    hovertemplate=hover, **group, **where,
                )  # fmt: skip
                if line.marked:
                    figure.add_scatter(
                        x=line.x[line.marked], y=line.y[line.marked], mode="markers",
                        marker={"size": 9, "color": color, "line": {"width": 1, "color": "white"}},
                        showlegend=False, hovertemplate=hover, **group, **where,
                    )  # fmt: skip
            if not alone:
                figure.add_scatter(
                    x=common, y=panel.means[method], mode="lines", line=stroke | {"width": 3},
                    showlegend=column == 1, **group, **where,
                    hovertemplate="mean<br>%{x:.3f}: %{y:.5g}",
                )  # fmt: skip
        for ends in panel.ends.values():
            figure.add_hline(ends, line={"color": "#999999", "width": 1}, **where)
        figure.update_xaxes(title=x_title(by_length), range=[-0.01, 1.01], **where)
        figure.update_yaxes(
            title=panel.title, type="log" if panel.logarithmic else "linear", **where
        )
    figure.update_layout(template="simple_white", title=title_of(results), legend_title=title)
    return figure
