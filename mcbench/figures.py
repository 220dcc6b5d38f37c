"""Figures of evaluated paths, with matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mcbench.errors import UsageError
from mcbench.experiment import Results
from mcbench.report import by_method, end_accuracies

# Okabe & Ito's palette, which colour-blind readers can tell apart.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")


def draw_paths(results: Results, split: str, by_length: bool = False) -> Any:
    """Accuracy and loss along the path, one colour per method.

    Arguments:
        results: With at least one record.
        split: ``train`` or ``test``.
        by_length: Arc length (as a share of the whole) on the axis instead of t.
    """
    import numpy as np
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.4), layout="constrained")
    panels = dict(zip(("accuracy", "loss"), figure.subplots(1, 2), strict=True))
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
    ends = end_accuracies(results)
    best = float(np.mean([end[split] for end in ends.values()]))
    panels["accuracy"].axhline(best, color="0.4", linewidth=0.9, label="end points")
    for quantity, axes in panels.items():
        axes.set_xlabel("arc length / length of the path" if by_length else "t")
        axes.set_xlim(0, 1)
        axes.grid(color="0.9", linewidth=0.6)
        unit = {"accuracy": "%", "loss": "nats"}[quantity]
        axes.set_ylabel(f"{split} {quantity} ({unit})")
    panels["accuracy"].legend(frameon=False)
    pairs = max(map(len, by_method(results).values()))
    names = [results.problem[k]["name"] for k in ("dataset", "architecture", "recipe")]
    title = f"{names[0]}, {names[1]}, {names[2]}: {pairs} pair{'s' * (pairs != 1)}, thick: mean"
    figure.suptitle(title)
    return figure


def save(figure: Any, out: Path) -> list[Path]:
    """Write ``out`` as PNG and SVG, whatever its ending.

    Raises:
        UsageError: If it cannot be written.
    """
    stem = out.with_suffix("") if out.suffix in (".png", ".svg") else out
    paths = [stem.with_name(stem.name + suffix) for suffix in (".png", ".svg")]
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for path in paths:
            figure.savefig(path, dpi=150)
    except OSError as error:
        raise UsageError(f"cannot write {paths[0]}: {error.strerror or error}") from None
    return paths
