"""Table of the notes that methods made on their paths."""

from __future__ import annotations

from mcbench.experiments.plan import Results
from mcbench.report.reading import by_method
from mcbench.report.tables import Table


def notes(results: Results) -> Table:
    """Notes of methods on their paths (`mcbench.Workshop.note`), counted over pairs."""
    table = Table("notes", "What methods say of their paths", ["method", "says", "pairs"])
    for method, records in by_method(results).items():
        by_note: dict[str, dict[str, str]] = {}
        for record in records:
            for note, detail in (record.notes or {}).items():
                by_note.setdefault(note, {})["-".join(map(str, record.pair))] = detail
        for note, details in by_note.items():
            cells = {"method": method, "says": note, "pairs": f"{len(details)} of {len(records)}"}
            table.add(cells, {"method": method, "says": note, "details": details})
    return table
