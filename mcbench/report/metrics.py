"""Table of all metrics, the methods side by side."""

from __future__ import annotations

from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Results
from mcbench.report.reading import by_method, metric_unit
from mcbench.report.tables import Table, plus_minus
from mcbench.stats.jackknife import Pair
from mcbench.stats.summary import summarize


def metrics(experiment: Experiment, results: Results) -> Table:
    """The metrics of an experiment, a row for each value, the methods side by side."""
    grouped = {m: rs for m, rs in by_method(results).items() if rs}
    heads = ["metric", "unit", "better", *grouped]
    table = Table("metrics", "All metrics: mean ± std over pairs", heads, keys=3)
    for text, metric in experiment.metrics.items():
        unit = metric_unit(metric, bool(experiment.problem.data.classes))
        measured: dict[str, dict[Pair, dict[str, float]]] = {
            m: {r.run.endpoints: r.values_of(text) for r in rs} for m, rs in grouped.items()
        }
        rows = (values for by_pair in measured.values() for values in by_pair.values())
        for name in dict.fromkeys(name for values in rows for name in values):
            title = " ".join(filter(None, (text, name.replace(":", " "))))
            cells = {"metric": title, "unit": unit, "better": metric.better}
            column = ":".join(filter(None, (text, name)))
            summaries = {}
            for method, by_pair in measured.items():
                values = {pair: v[name] for pair, v in by_pair.items() if name in v}
                if values:
                    s = summarize(values)
                    cells[method] = _formatted(s.mean, s.std, metric.unit)
                    summaries[method] = {
                        "mean": s.mean, "std": s.std, "low": s.low, "high": s.high,
                        "count": s.count,
                    }  # fmt: skip
            table.add(
                cells,
                {"metric": column, "unit": unit, "better": metric.better, "methods": summaries},
            )
    return table


def _formatted(mean: float, std: float, unit: str) -> str:
    """Mean and deviation with the digits that suit their size and unit."""
    if unit == "%":
        return plus_minus(mean, std)
    if mean >= 1000:
        return f"{mean:,.0f} ± {std:,.0f}" if std > 0 else f"{mean:,.0f}"
    return plus_minus(mean, std, 4 if mean < 10 else 1)
