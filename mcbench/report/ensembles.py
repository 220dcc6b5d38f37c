"""Table of ensembles by their number of networks."""

from __future__ import annotations

from mcbench.ensembles.evaluate import EnsembleResults
from mcbench.report.tables import Table


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
    for text, record in results.records.items():
        each = record["sizes"][0].get("members", 1)
        if each > 1:
            table.note += f"\n{text}: {each} networks from the training of each."
    return table
