"""Table of all metrics, the methods side by side."""

from __future__ import annotations

from typing import Any

from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Results
from mcbench.report.reading import by_method
from mcbench.report.tables import Table, plus_minus
from mcbench.stats.summary import summarize


def metrics(experiment: Experiment, results: Results) -> Table:
    """The metrics of an experiment, a row for each value, the methods side by side."""
    grouped = {m: rs for m, rs in by_method(results).items() if rs}
    heads = ["metric", "unit", "better", *grouped]
    table = Table("metrics", "All metrics: mean ± std over pairs", heads, keys=3)
    classes = experiment.problem.data.classes
    for text, metric in experiment.metrics.items():
        # A loss without classes is no cross-entropy, and has no unit.
        unit = metric.unit if classes or metric.unit != "nats" else ""
        measured = {m: [r.values_of(text) for r in rs] for m, rs in grouped.items()}
        for name in dict.fromkeys(n for values in measured.values() for v in values for n in v):
            title = " ".join(filter(None, (text, name.replace(":", " "))))
            cells = {"metric": title, "unit": unit, "better": metric.better}
            column = ":".join(filter(None, (text, name)))
            numbers: dict[str, Any] = {**cells, "metric": column}
            for method, values in measured.items():
                if any(name in v for v in values):
                    s = summarize([v[name] for v in values if name in v])
                    cells[method] = _formatted(s.mean, s.std, metric.unit)
                    numbers |= {method: s.mean, f"{method}:std": s.std}
            table.add(cells, numbers)
    return table


def _formatted(mean: float, std: float, unit: str) -> str:
    """Mean and deviation with the digits that suit their size and unit."""
    if unit == "%":
        return plus_minus(mean, std)
    if mean >= 1000:
        return f"{mean:,.0f} ± {std:,.0f}" if std > 0 else f"{mean:,.0f}"
    return plus_minus(mean, std, 4 if mean < 10 else 1)
