"""What methods say of their paths."""

from __future__ import annotations

from mcbench.experiments.plan import Results
from mcbench.report.reading import by_method
from mcbench.report.tables import Table


def notes(results: Results) -> Table:
    """What methods said of their paths (`mcbench.Workshop.note`), counted over pairs."""
    table = Table("notes", "What methods say of their paths", ["method", "says", "pairs"])
    for method, records in by_method(results).items():
        said: dict[str, dict[str, str]] = {}
        for record in records:
            for what, detail in (record.notes or {}).items():
                said.setdefault(what, {})["-".join(map(str, record.pair))] = detail
        for what, details in said.items():
            cells = {"method": method, "says": what, "pairs": f"{len(details)} of {len(records)}"}
            table.add(cells, {"method": method, "says": what, "details": details})
    return table
