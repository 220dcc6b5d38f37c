"""Tables of ensembles: by their number of networks, and by budget of epochs."""

from __future__ import annotations

from mcbench.ensembles.evaluate import EnsembleResults
from mcbench.report.tables import Table, plus_minus
from mcbench.stats.summary import summarize


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


def budgets(results: EnsembleResults) -> Table:
    """Test accuracy: a row per ensemble, a column per budget (table 1 of Garipov et al., 2018).

    Arguments:
        results: Results with budgets and at least one record.
    """
    records = results.records
    first = next(iter(records.values()))
    heads = [f"{pool['budget']}B" for pool in first["budgets"]]
    columns = ["ensemble", *heads, f"loss {heads[-1]}", "networks", "epochs", "s/training"]
    title = "Test accuracy (%) by the budget of training"
    table = Table("budgets", title, columns, keys=1)
    count = len(first["growth"][-1]["accuracy"])
    for text, record in records.items():
        epochs = record["growth"][-1]["epochs"]
        cells = {"ensemble": text, "networks": str(record["members"]), "epochs": f"{epochs:g}"}
        seconds = record["cost"]["collect"]["seconds"] / count
        cells["s/training"] = f"{seconds:.1f}" if seconds >= 0.05 else "-"
        for pool in record["budgets"]:
            data = {"ensemble": text, "budget": pool["budget"], "trainings": pool["trainings"]}
            data |= {"networks": pool["trainings"] * record["members"], "epochs": pool["epochs"]}
            data["choices"] = len(pool["accuracy"])
            cell = "over budget"
            if pool["accuracy"]:
                accuracy, loss = (summarize(pool[name]) for name in ("accuracy", "loss"))
                data |= {"accuracy": accuracy.mean, "accuracy:std": accuracy.std}
                data |= {"loss": loss.mean, "loss:std": loss.std}
                cell = plus_minus(accuracy.mean, accuracy.std)
                cells[columns[len(heads) + 1]] = plus_minus(loss.mean, loss.std, 4)
            cells[f"{pool['budget']}B"] = cell
            table.data.append(data)
        table.rows.append(cells)
    table.note = (
        f"1B: {first['epochs']} epochs, as the recipe has. Networks, epochs: of one training; as "
        "many trainings as fit\ninto the budget are pooled. Mean ± sample std over all choices of "
        f"them out of {count}, which overlap.\ns/training: without the endpoint, or the partly "
        "trained network, that it starts from."
    )
    return table
