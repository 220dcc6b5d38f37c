"""From results to tables."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, TypeVar

from mcbench.comparison import ranks
from mcbench.ensembling import EnsembleResults
from mcbench.experiment import Experiment, Results
from mcbench.statistics import summarize
from mcbench.tables import Table, plus_minus

T = TypeVar("T")

END_POINTS = "End Points"
WORST = {"train": "worst-accuracy:train", "test": "worst-accuracy:test"}


def columns_of(record: dict[str, Any]) -> dict[str, float]:
    """A record's measured values under names such as ``worst-accuracy:test``."""
    return {
        ":".join(filter(None, (metric, name))): value
        for metric, entry in record["metrics"].items()
        for name, value in entry["values"].items()
    }


def by_method(results: Results) -> dict[str, list[dict[str, Any]]]:
    """The records of each method, over all pairs; methods without any are listed as empty."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for run in results.runs:
        records = grouped.setdefault(run.method, [])
        if run.key in results.records:
            records.append(results.records[run.key])
    return grouped


def ranking(experiment: Experiment, results: Results) -> Table:
    """Methods by the worst test accuracy along the path, beside the end points."""
    grouped = by_method(results)
    counts = {len(records) for records in grouped.values() if records}
    heads = ["method", "train", "test", "rank", "95% interval", "refined test", "path ends at"]
    heads.append("s/pair")
    over = f"{max(counts, default=0)} pair{'s' * (counts != {1})}"
    if len(counts) > 1:  # Means over other pairs: a method that fails on hard ones looks better.
        heads.insert(1, "pairs")
        over = "the pairs that did not fail"
    title = f"Worst accuracy (%) along the path: mean ± std over {over}"
    table = Table("ranking", title, heads, keys=1)
    rows = []
    places = ranks({m: _tests(records) for m, records in grouped.items()}, "higher")
    for method, records in grouped.items():
        if records:
            rows.append(_row(method, records))
            if method in places and len(places) > 1:
                place = places[method]
                rows[-1][1]["rank"] = str(place)
                rows[-1][2].update(rank=place.position, rank_low=place.low, rank_high=place.high)
        else:
            rows.append((float("-inf"), {"method": method, "train": "failed"}, {"method": method}))
    for _, cells, numbers in sorted(rows, key=lambda row: -row[0]):
        table.add(cells, numbers)
    for label, ends in end_points(results).items():
        train, test = (summarize([e[s] for e in ends.values()]) for s in ("train", "test"))
        cells = {
            "method": label,
            "train": plus_minus(train.mean, train.std),
            "test": plus_minus(test.mean, test.std),
            "95% interval": f"[{test.low:.2f}, {test.high:.2f}]",
        }
        numbers = {"method": label, "count": test.count}
        for split, column in WORST.items():
            s = {"train": train, "test": test}[split]
            numbers |= {column: s.mean, f"{column}:std": s.std}
        numbers |= {f"{WORST['test']}:low": test.low, f"{WORST['test']}:high": test.high}
        table.add(cells, numbers)
    if results.recipes:
        table.note = "Paths lead from A, {}, to B, {}.".format(*results.recipes)
    return table


def _tests(records: list[dict[str, Any]]) -> dict[tuple[Hashable, Hashable], float]:
    """Worst test accuracies by pair of endpoints."""
    column = WORST["test"]
    return {
        (r["run"]["endpoints"][0], r["run"]["endpoints"][1]): columns_of(r)[column]
        for r in records
        if column in columns_of(r)
    }


def _row(
    method: str, records: list[dict[str, Any]]
) -> tuple[float, dict[str, str], dict[str, Any]]:
    values = [columns_of(r) for r in records]
    cells = {"method": method, "pairs": str(len(records)), "path ends at": _end(records)}
    numbers: dict[str, Any] = {"method": method, "end": _end(records), "count": len(records)}
    key = float("nan")
    for split, column in WORST.items():
        if all(column in v for v in values):
            s = summarize([v[column] for v in values])
            cells[split] = plus_minus(s.mean, s.std)
            numbers |= {column: s.mean, f"{column}:std": s.std}
            if split == "test":
                key = s.mean
                cells["95% interval"] = f"[{s.low:.2f}, {s.high:.2f}]" if s.count > 1 else "-"
                numbers |= {f"{column}:low": s.low, f"{column}:high": s.high}
    refined = "worst-accuracy-refined:test"
    if all(refined in v for v in values):
        s = summarize([v[refined] for v in values])
        cells["refined test"] = plus_minus(s.mean, s.std)
        numbers[refined] = s.mean
    seconds = summarize([r["cost"]["seconds"] for r in records]).mean
    cells["s/pair"] = f"{seconds:.1f}"
    numbers["seconds"] = seconds
    return (key if key == key else float("-inf")), cells, numbers


def _end(records: list[dict[str, Any]]) -> str:
    ends = {record["curve"]["end"] for record in records}
    return " or ".join(
        {"b": "B", "permuted": "permuted B", "short": "short of B"}[end] for end in sorted(ends)
    )


def end_points(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    """`end_accuracies` by row: one of all endpoints, or one each of A and B of two recipes."""
    ends = end_accuracies(results)
    if not results.recipes:
        return {END_POINTS: ends} if ends else {}
    rows = {}
    for side, letter in enumerate("AB"):
        keys = {run.ends[side] for run in results.runs}
        known = {key: values for key, values in ends.items() if key in keys}
        if known:
            rows[f"{END_POINTS} {letter}"] = known
    return rows


def end_accuracies(results: Results) -> dict[str, dict[str, float]]:
    """Accuracy of every endpoint by its content key, as the paths' ends measured it."""
    ends: dict[str, dict[str, float]] = {}
    for record in results.records.values():
        ends |= ends_of(record, record["run"]["endpoints"])
    return ends


def ends_of(record: dict[str, Any], names: Sequence[T]) -> dict[T, dict[str, float]]:
    """Accuracies of A and B, under their ``names``, as one record's curve has them.

    A path that stops short of B says nothing of it.
    """
    sides = (0, -1) if record["curve"]["end"] != "short" else (0,)
    accuracy = record["curve"]["accuracy"]
    return {
        name: {split: values[i] for split, values in accuracy.items()}
        for name, i in zip(names, sides, strict=False)
    }


def metrics(experiment: Experiment, results: Results) -> Table:
    """The metrics that were asked for, a row for each value, the methods side by side."""
    grouped = {m: rs for m, rs in by_method(results).items() if rs}
    heads = ["metric", "unit", "better", *grouped]
    table = Table("metrics", "All metrics: mean ± std over pairs", heads, keys=3)
    for text, metric in experiment.metrics.items():
        measured = {m: [_values(r, text) for r in rs] for m, rs in grouped.items()}
        for name in dict.fromkeys(n for values in measured.values() for v in values for n in v):
            title = " ".join(filter(None, (text, name.replace(":", " "))))
            cells = {"metric": title, "unit": metric.unit, "better": metric.better}
            column = ":".join(filter(None, (text, name)))
            numbers: dict[str, Any] = {**cells, "metric": column}
            for method, values in measured.items():
                known = [v[name] for v in values if name in v]
                if known:
                    s = summarize(known)
                    cells[method] = _formatted(s.mean, s.std, metric.unit)
                    numbers |= {method: s.mean, f"{method}:std": s.std}
            table.add(cells, numbers)
    return table


def _values(record: dict[str, Any], metric: str) -> dict[str, float]:
    values: dict[str, float] = record["metrics"].get(metric, {}).get("values", {})
    return values


def _formatted(mean: float, std: float, unit: str) -> str:
    if unit == "%":
        return plus_minus(mean, std)
    if mean >= 1000:
        return f"{mean:,.0f} ± {std:,.0f}" if std > 0 else f"{mean:,.0f}"
    return plus_minus(mean, std, 4 if mean < 10 else 1)


def ensembles(results: EnsembleResults) -> Table:
    """Test accuracy by the number of networks; storage and operations of the whole ensemble."""
    largest = max(len(record["sizes"]) for record in results.records.values())
    columns = ["ensemble", *map(str, range(1, largest + 1)), "loss"]
    columns += ["parameters", "of indep.", "operations", "of indep. "]
    title = "Test accuracy (%) by the number of networks; loss, storage, operations of all"
    table = Table("ensembles", title, columns, keys=1)
    for text, record in results.records.items():
        whole = record["sizes"][-1]
        cells = {"ensemble": text, "loss": f"{whole['loss']:.4f}"}
        cells |= {str(i): f"{v['accuracy']:.2f}" for i, v in enumerate(record["sizes"], 1)}
        for name, share in (("parameters", "of indep."), ("operations", "of indep. ")):
            cells[name] = f"{whole[name]:,.0f}"
            cells[share] = f"{100 * whole[name] / whole[f'independent-{name}']:.1f}%"
        table.rows.append(cells)
        for count, values in enumerate(record["sizes"], start=1):
            table.data.append({"ensemble": text, "networks": count, **values})
    table.note = (
        "Operations: floating-point operations of a forward pass of one input. "
        "Of indep.: relative to as many independent networks."
    )
    return table
