"""Overview of a board's methods: their declared traits and their measured costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcbench.errors import UsageError
from mcbench.experiments.record import Record
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.table.records import Records
from mcbench.methods import method
from mcbench.plugins.host import host
from mcbench.report.reading import ends_of
from mcbench.report.tables import Table
from mcbench.stats.summary import summarize


def overview(board: Board, records: Records) -> Table:
    """A table with a row for every method of the board; cells without measurements are empty.

    Laid out as the overview of Anokhin & Yarotsky, ICML 2020, with numbers where it says low,
    medium and high.
    """
    title = f"Methods of {board.name}: route, computation, loss"
    table = Table("overview", title, ["method", *_DECLARED, *_MEASURED], keys=1)
    for row in board.rows:
        if row.method not in board.methods:
            continue
        try:
            traits = method.traits(host().get("method", row.method))
        except UsageError:  # It is not installed; what was measured is there all the same.
            traits = method.Traits()
        measured = list(records.get(row.method, {}).values())
        signs = {None: "", True: "+", False: "-"}
        cells = {"method": row.label, "route": traits.route}
        cells |= {"explicit formula": signs[traits.explicit], "learnable": signs[traits.learnable]}
        data: dict[str, Any] = {"row": row.label, "method": row.method}
        data |= {"explicit": traits.explicit, "learnable": traits.learnable, "route": traits.route}
        for head, (key, read, style) in _MEASURED.items():
            values = [v for v in map(read, measured) if v is not None]
            if values:
                data[key] = summarize(values).mean
                data[f"{key}_count"] = len(values)
                cells[head] = style.format(data[key])
        table.add(cells, data)
    table.note = (
        "Means over the pairs that were measured. Explicit formula: points are a closed formula "
        "of A and B.\nLearnable: something is trained, for each path or once on a pool of other "
        "networks (fit).\nLength: of the path by the distance of its ends. Seconds, passes over "
        "the training data and the highest memory use\nare what the method took to connect and to "
        "give the board's points, without their evaluation.\nAccuracy lost: test accuracy of the "
        "ends less the worst, in percentage points: on the grid, or\n"
        "as the search found it."
    )
    return table


def _cost(part: str, name: str) -> Callable[[Record], float | None]:
    def read(record: Record) -> float | None:
        value: float | None = getattr(getattr(record.cost, part), name, None)  # No part: None.
        return value

    return read


def _length(record: Record) -> float | None:
    curve = record.measured
    return curve.position[-1] / curve.straight if curve.straight else 1.0


def _lost(record: Record) -> float | None:
    curve = record.curve
    if not curve.accuracy:
        return None
    ends = [end["test"] for end in ends_of(record, record.run.endpoints).values()]
    return sum(ends) / len(ends) - min(curve.evenly(curve.accuracy["test"]))


_DECLARED = ("explicit formula", "learnable", "route")

_MEASURED: dict[str, tuple[str, Callable[[Record], float | None], str]] = {
    "length": ("length_ratio", _length, "{:.2f}"),
    "s/path": ("seconds", _cost("path", "seconds"), "{:,.1f}"),
    "data passes": ("passes", _cost("path", "passes"), "{:,.1f}"),
    "MiB": ("memory", _cost("path", "memory"), "{:,.0f}"),
    "fit s": ("fit_seconds", _cost("fit", "seconds"), "{:,.0f}"),
    "fit passes": ("fit_passes", _cost("fit", "passes"), "{:,.1f}"),
    "accuracy lost": ("accuracy_lost", _lost, "{:.2f}"),
}
