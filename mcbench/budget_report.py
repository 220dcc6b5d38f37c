"""Accuracy per budget as a table and as a figure."""

from __future__ import annotations

from typing import Any

from mcbench.ensembling import EnsembleResults
from mcbench.statistics import summarize
from mcbench.tables import Table, plus_minus


def table(results: EnsembleResults) -> Table:
    """A row per ensemble, a column per budget, as table 1 of Garipov et al., NeurIPS 2018.

    Arguments:
        results: Of `mcbench.ensembling.Ensembling` with budgets, at least one record.
    """
    records = results.records
    first = next(iter(records.values()))
    heads = [f"{pool['budget']}B" for pool in first["budgets"]]
    columns = ["ensemble", *heads, f"loss {heads[-1]}", "networks", "epochs", "s/training"]
    title = "Test accuracy (%) by the budget of training"
    shown = Table("budgets", title, columns, keys=1)
    count = len(first["growth"][-1]["accuracy"])
    for text, record in records.items():
        spent = record["growth"][-1]["epochs"]
        cells = {"ensemble": text, "networks": str(record["members"]), "epochs": f"{spent:g}"}
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
            shown.data.append(data)
        shown.rows.append(cells)
    shown.note = (
        f"1B: {first['epochs']} epochs, as the recipe has. Networks, epochs: of one training; as "
        "many trainings as fit\ninto the budget are pooled. Mean ± sample std over all choices of "
        f"them out of {count}, which overlap.\ns/training: without the endpoint, or the partly "
        "trained network, that it starts from."
    )
    return shown


def draw(results: EnsembleResults) -> Any:
    """Accuracy against the epochs that were spent, one line per ensemble.

    Within one training it grows member by member (thin, mean over trainings); marks are budgets,
    with the sample standard deviation over the choices of trainings.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from mcbench.figures import COLORS, STYLES

    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    axes = figure.subplots()
    shapes = "osD^vPX"
    count, lowest = len(results.records), float("inf")
    for i, (text, record) in enumerate(results.records.items()):
        look: dict[str, Any] = {"color": COLORS[i % len(COLORS)]}
        whole = record["epochs"]
        growth = [(p["epochs"] / whole, summarize(p["accuracy"]).mean) for p in record["growth"]]
        axes.plot(*zip(*growth, strict=True), linewidth=1, alpha=0.7, **look)
        pools = [pool for pool in record["budgets"] if pool["accuracy"]]
        if not pools:
            continue
        summaries = [summarize(pool["accuracy"]) for pool in pools]
        lowest = min(lowest, *(s.mean - (0 if s.std != s.std else s.std) for s in summaries))
        # Side by side: marks of one budget would hide each other.
        shift = 0.03 * (i - (count - 1) / 2)
        axes.errorbar(
            [pool["budget"] + shift for pool in pools],
            [s.mean for s in summaries],
            [0 if s.std != s.std else s.std for s in summaries],
            label=text,
            marker=shapes[i % len(shapes)],
            linestyle=STYLES[i % len(STYLES)],
            capsize=3,
            **look,
        )
    # Of the first members the last steps up are shown: the budgets are what is compared.
    low, high = axes.dataLim.y0, axes.dataLim.y1
    if lowest < float("inf"):
        low = max(low, lowest - (high - lowest) / 2)
    axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    axes.set_xlabel(f"budget (1 = the recipe's {record['epochs']} epochs)")
    axes.set_ylabel("test accuracy of the ensemble (%)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="0.9", linewidth=0.6)
    axes.legend(frameon=False)
    names = [results.problem[k]["name"] for k in ("dataset", "architecture", "recipe")]
    title = f"{names[0]}, {names[1]}, {names[2]}: ensembles for a budget of epochs"
    figure.suptitle(f"{title}\nbars: std over choices of trainings; thin: within one training")
    return figure
