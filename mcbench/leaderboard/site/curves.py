"""Curves along paths, laid out for an SVG: lines, ticks, and the points that answer a pointer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mcbench.evaluation.evaluate import Curve
from mcbench.experiments.record import Record
from mcbench.figures.style import COLORS, QUANTITIES

WIDTH, HEIGHT = 440, 290
LEFT, RIGHT, TOP, BOTTOM = 60, 10, 10, 40
DASHES = ("", "7 3", "7 3 2 3", "2 3")
"""Dashes: one for each round through the colours, as in `mcbench.figures`."""

Points = list[tuple[float, float]]


Line = tuple[int, str, Points, bool]
"""The number of the line's group (a method or a pair); its pair, or ``mean``; its points; whether
it is drawn thick: a mean, or a line that is in no mean."""

MEAN = "mean"
LARGEST = 1e15


@dataclass(frozen=True)
class Stroke:
    """A line as it is drawn: ``d`` of its path, and its points as ``x,y,t,value``."""

    group: int
    pair: str
    strong: bool
    d: str
    data: str


@dataclass(frozen=True)
class Chart:
    """A chart: lines in a frame with two axes, whose ticks are pairs of place and label."""

    title: str
    unit: str
    strokes: list[Stroke]
    x: list[tuple[float, str]]
    y: list[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Figure:
    """Charts that share a legend: name, colour and dash of each group, and the pairs."""

    groups: list[tuple[str, int, str]]
    pairs: list[str]
    charts: list[Chart]


def points(curve: Curve, quantity: str, split: str) -> Points:
    """Accuracy or loss along a path; points that cannot be drawn are left out."""
    measured = curve.accuracy if quantity == "accuracy" else curve.loss
    values = zip(curve.t, measured.get(split, ()), strict=False)
    return [(float(t), float(v)) for t, v in values if 0 <= t <= 1 and abs(v) < LARGEST]


def mean_of(lines: Sequence[Points]) -> Points:
    """The mean of curves, at all t of any of them; between its points a curve is straight."""
    import numpy as np

    ts = sorted({t for line in lines for t, _ in line})
    values = [np.interp(ts, [t for t, _ in line], [x for _, x in line]) for line in lines]
    return list(zip(ts, np.mean(values, axis=0).tolist(), strict=True))


def figure(
    records: dict[str, list[Record]],
    splits: Iterable[str] = ("test",),
    means: bool = True,
    pairs: bool = True,
) -> Figure:
    """Figure of accuracy and loss of records by group.

    Arguments:
        records: The records of each group: of a method, or of a pair.
        splits: The splits; each has a chart of each quantity.
        means: Whether to draw the mean over a group's records, where there are several.
        pairs: Whether to draw the line of each record.
    """
    charts = []
    for split in splits:
        for quantity in ("accuracy", "loss"):
            lines: list[Line] = []
            for group, members in enumerate(records.values()):
                own = [(pair_text(r.pair), points(r.curve, quantity, split)) for r in members]
                own = [(pair, line) for pair, line in own if line]
                mean = means and len(own) > 1
                if pairs or not mean:
                    lines += [(group, pair, line, not mean) for pair, line in own]
                if mean:
                    lines.append((group, MEAN, mean_of([line for _, line in own]), True))
            if lines:
                charts.append(_chart(QUANTITIES[quantity].format(split=split), lines))
    groups = [
        (name, i % len(COLORS), DASHES[i // len(COLORS) % len(DASHES)])
        for i, name in enumerate(records)
    ]
    shown = pairs and means
    drawn = sorted({r.pair for members in records.values() for r in members if shown})
    return Figure(groups, list(map(pair_text, drawn)), charts)


def pair_text(pair: Sequence[int]) -> str:
    """A pair as pages name it, ``0-1``: by the seeds of its networks."""
    return f"{pair[0]}-{pair[1]}"


def _chart(title: str, lines: list[Line]) -> Chart:
    from matplotlib.ticker import MaxNLocator

    values = [v for _, _, line, _ in lines for _, v in line]
    ticks = list(map(float, MaxNLocator(nbins=6).tick_values(min(values), max(values))))
    low, high = min(ticks[0], *values), max(ticks[-1], *values)
    low, high = (low, high) if high > low else (low - 1, high + 1)

    def x(t: float) -> float:
        return LEFT + t * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    strokes = []
    for group, pair, line, strong in sorted(lines, key=lambda line: line[3]):  # Means on top.
        placed = [(f"{x(t):.1f}", f"{y(v):.1f}", f"{t:.4g}", f"{v:.5g}") for t, v in line]
        d = "M" + "L".join(f"{a} {b}" for a, b, *_ in placed)
        strokes.append(Stroke(group, pair, strong, d, " ".join(map(",".join, placed))))
    across = [(round(x(t / 4), 1), f"{t / 4:g}") for t in range(5)]
    digits = max(len(f"{v:.6g}".partition(".")[2]) for v in ticks)
    up = [(round(y(v), 1), f"{v:.{digits}f}") for v in ticks]
    return Chart(title, title.rpartition("(")[2].rstrip(")"), strokes, across, up)
