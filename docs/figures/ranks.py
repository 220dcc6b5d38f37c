"""Simulations of the ranks and intervals of tables; draws `ranks.png` and prints its numbers.

Values are y = m + p_ij + s (a_i + a_j + e_ij): a method's mean, an effect of the pair that all
methods share, and the method's own effects of endpoints and of pairs, normal or skewed. Run it
with ``python docs/figures/ranks.py``; it takes some minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np

from mcbench.stats.jackknife import Pair
from mcbench.stats.ranking import ranks
from mcbench.stats.summary import summarize

ENDPOINTS = (3, 4, 5, 6, 8, 10)

SPREADS: dict[str, Callable[[int], np.ndarray]] = {
    "equal variances": np.ones,
    "one method 100 times the others": lambda m: np.where(np.arange(m) == 0, 10.0, 1.0),
    "from 1 to 10,000 times": lambda m: np.logspace(-1, 1, m),
}
"""The methods' standard deviations."""

HELD = "95 % intervals that hold the true mean"
WRONG = "Wrong claims that a method is better"
SEEN = "Differences of 3 standard deviations found"

SHARES = {"endpoints": 1.0, "both": 0.5, "pairs": 0.0}
"""The share of a method's variance that comes from endpoints; the rest comes from pairs."""


def draw(
    means: np.ndarray,
    spread: np.ndarray,
    n: int,
    share: float,
    draws: np.random.Generator,
    skewed: bool = False,
) -> dict[str, dict[Pair, float]]:
    """Values of methods on all pairs of n endpoints.

    Effects of endpoints are normal, or exponential less their mean if they are skewed.
    """
    pairs = np.array(list(combinations(range(n), 2)))
    common = 2 * draws.normal(size=len(pairs))
    shape = (len(means), n)
    effects = draws.exponential(size=shape) - 1 if skewed else draws.normal(size=shape)
    ends = effects * (share / 2) ** 0.5
    own = draws.normal(size=(len(means), len(pairs))) * (1 - share) ** 0.5
    noise = ends[:, pairs[:, 0]] + ends[:, pairs[:, 1]] + own
    values = means[:, None] + common + spread[:, None] * noise
    keys = [tuple(pair) for pair in pairs.tolist()]
    return {f"m{i}": dict(zip(keys, row.tolist(), strict=True)) for i, row in enumerate(values)}


def coverage(
    n: int, share: float, repeats: int, skewed: bool = False, independent: bool = False
) -> float:
    """The share of 95 % intervals that hold the mean, of one method less what all share.

    Arguments:
        n: The number of endpoints.
        share: See `SHARES`.
        repeats: The number of tables.
        skewed: See `draw`.
        independent: Whether pairs are taken as independent values, which they are not.
    """
    draws = np.random.default_rng([n, int(10 * share)])
    held = 0
    for _ in range(repeats):
        values = draw(np.zeros(2), np.array([1.0, 0.0]), n, share, draws, skewed)
        own = {pair: x - values["m1"][pair] for pair, x in values["m0"].items()}
        interval = summarize(list(own.values()) if independent else own)
        held += interval.low <= 0 <= interval.high
    return held / repeats


def claims(
    n: int, methods: int, spread: np.ndarray, share: float, gap: float, repeats: int
) -> tuple[float, float]:
    """Claims that one method is better: the share that is wrong, and of differences, that found.

    Every second method is better by ``gap``; without one, the first number is the share of tables
    with any claim.
    """
    draws = np.random.default_rng([n, methods, int(10 * share), int(gap)])
    better = gap * (np.arange(methods) % 2)
    wrong, found = [], []
    for _ in range(repeats):
        table = ranks(draw(better, spread, n, share, draws), "higher")
        right = false = 0
        for a, b in combinations(range(methods), 2):
            if f"m{b}" in table[f"m{a}"].tied:
                continue
            up, down = (a, b) if table[f"m{a}"].low < table[f"m{b}"].low else (b, a)
            right += bool(better[up] > better[down])
            false += bool(better[up] <= better[down])
        wrong.append(false / max(1, right + false))
        differences = (methods // 2) * (methods - methods // 2)
        found.append(right / differences if gap else float("nan"))
    return float(np.mean(wrong)), float(np.mean(found))


def simulate(repeats: int) -> dict[str, dict[str, list[float]]]:
    """All curves by panel and label, over `ENDPOINTS`."""
    held, wrong, seen = {}, {}, {}
    for name, share in SHARES.items():
        held[f"effects of {name}"] = [coverage(n, share, repeats) for n in ENDPOINTS]
    held["effects of endpoints, skewed"] = [
        coverage(n, 1.0, repeats, skewed=True) for n in ENDPOINTS
    ]
    held["of endpoints, pairs taken as independent"] = [
        coverage(n, 1.0, repeats, independent=True) for n in ENDPOINTS
    ]
    for name, spread in SPREADS.items():
        none = [claims(n, 8, spread(8), 0.5, 0.0, repeats)[0] for n in ENDPOINTS]
        some = [claims(n, 8, spread(8), 0.5, 3.0, repeats) for n in ENDPOINTS]
        wrong[f"{name}, no differences"] = none
        wrong[f"{name}, half better"] = [false for false, _ in some]
        seen[name] = [found for _, found in some]
    return {HELD: held, WRONG: wrong, SEEN: seen}


def plot(panels: dict[str, dict[str, list[float]]], path: Path) -> None:
    """Draw the curves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 4.4), layout="constrained")
    for axes, (title, curves) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        for label, values in curves.items():
            style = "--" if "no differences" in label else "-"
            axes.plot(ENDPOINTS, [100 * v for v in values], style, marker="o", label=label)
        axes.set_title(title, fontsize=11)
        axes.set(xlabel="endpoints", ylabel="%")
        axes.legend(fontsize=8)
        axes.grid(color="0.92")
    figure.axes[0].axhline(95, color="0.4", linewidth=0.8)
    figure.axes[0].set_ylim(30, 101)
    figure.axes[1].axhline(5, color="0.4", linewidth=0.8)
    figure.axes[1].set_ylim(0, 12)
    figure.savefig(path, dpi=110)


def markdown(panels: dict[str, dict[str, list[float]]]) -> str:
    """The curves as tables, in percent."""
    tables = []
    for title, curves in panels.items():
        lines = [f"| {title} (%) | {' | '.join(map(str, ENDPOINTS))} |"]
        lines.append("| --- |" + " --- |" * len(ENDPOINTS))
        for label, values in curves.items():
            lines.append(f"| {label} | {' | '.join(f'{100 * v:.1f}' for v in values)} |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


if __name__ == "__main__":
    result = simulate(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
    plot(result, Path(__file__).with_suffix(".png"))
    print(markdown(result))
