"""Tables of the saddles between minima, and of the spanning tree that they form."""

from __future__ import annotations

import io
from typing import Any

from mcbench.experiments.spanning_tree import Exploration
from mcbench.plugins.identity import subject
from mcbench.report.tables import Table, plus_minus
from mcbench.stats.epochs import epochs_below
from mcbench.stats.summary import summarize


def saddles(exploration: Exploration) -> Table:
    """The minima and the saddles of a tree, in the columns of Draxler et al., 2018, table B.1.

    Minima are means over endpoints. Saddles are means over the tree's edges, of the highest loss
    and the highest error along each; ``ratio`` and ``difference`` are of these means.
    """
    columns = ["problem", "train loss: minima", "saddle", "ratio", "epoch", "test loss: minima",
               "saddle ", "test error (%): minima", "saddle  ", "difference"]  # fmt: skip
    title = (
        "Minima, and saddles between them: mean ± std over endpoints, and over the tree's edges"
    )
    table = Table("saddles", title, columns, keys=1)
    edges = [_edge(exploration, pair) for pair in exploration.tree]
    cells = {"problem": "/".join(subject(exploration.results.problem))}
    numbers: dict[str, Any] = dict(cells)
    minima = [{**v["loss"], "error": _error(v["accuracy"])} for v in exploration.minima.values()]
    columns_of_quantity = {
        "train": ("train loss: minima", "saddle"),
        "test": ("test loss: minima", "saddle "),
        "error": ("test error (%): minima", "saddle  "),
    }
    for quantity, headings in columns_of_quantity.items():
        kinds = zip(headings, ("minima", "saddle"), (minima, edges), strict=True)
        for heading, kind, rows in kinds:
            values = [row[quantity] for row in rows if row[quantity] is not None]
            if values:
                s = summarize(values)
                cells[heading] = plus_minus(s.mean, s.std, 2 if quantity == "error" else 4)
                numbers |= {f"{kind}:{quantity}": s.mean, f"{kind}:{quantity}:std": s.std}
    minimum, saddle = (numbers.get(f"{kind}:train") for kind in ("minima", "saddle"))
    if minimum and saddle is not None:
        numbers["ratio"] = saddle / minimum
        cells["ratio"] = f"{numbers['ratio']:.1f}"
    if "saddle:error" in numbers:
        numbers["difference"] = numbers["saddle:error"] - numbers["minima:error"]
        cells["difference"] = f"{numbers['difference']:.2f}"
    epochs = [edge["epoch"] for edge in edges if edge["epoch"] is not None]
    numbers |= {"epoch": sum(epochs) / len(epochs) if epochs else None, "edges": len(edges)}
    cells["epoch"] = f"{numbers['epoch']:.0f}" if epochs else "-"
    if epochs and len(epochs) < len(edges):
        cells["epoch"] += f" ({len(epochs)} of {len(edges)})"
    table.add(cells, numbers)
    table.note = (
        "epoch: the first whose training loss is below the saddle, else the last; mean over "
        "endpoints; '-': not kept."
    )
    return table


def edges(exploration: Exploration) -> Table:
    """The edges of a tree, the heaviest first."""
    columns = ["pair", "saddle", "at t", "epoch", "test loss", "test error (%)", "length ratio"]
    tried = len(exploration.results.runs)
    title = "The minimum spanning tree of saddle losses, the heaviest edge first"
    table = Table("edges", title, columns)
    for pair in exploration.tree:
        edge = _edge(exploration, pair)
        error = "-" if edge["error"] is None else f"{edge['error']:.2f}"
        cells = ["-".join(map(str, pair)), f"{edge['train']:.4f}", f"{edge['t']:.3f}",
                 f"{edge['epoch']:g}" if edge["epoch"] else "-", f"{edge['test']:.4f}", error,
                 f"{edge['length-ratio']:.2f}"]  # fmt: skip
        names = {"train": "saddle:train", "test": "saddle:test", "error": "saddle:error"}
        numbers = {names.get(name, name): value for name, value in edge.items()}
        about = {"seed a": pair[0], "seed b": pair[1]}
        table.add(dict(zip(columns, cells, strict=True)), about | numbers)
    table.note = (
        f"{tried} of {tried + exploration.left} pairs were tried, first those with endpoint "
        f"{exploration.first}, the lowest minimum."
    )
    return table


def tree_text(exploration: Exploration) -> str:
    """The tree as text: an endpoint below the one that it is joined with, beside the saddle."""
    from rich.console import Console
    from rich.tree import Tree

    def label(seed: int) -> str:
        return f"seed {seed}: loss {exploration.minima[seed]['loss']['train']:.4f}"

    console = Console(file=io.StringIO(), width=100, color_system=None)
    for root in exploration.roots:
        nodes = dict[int, Tree]()
        for seed, parent in exploration.walk(root):
            if parent < 0:
                nodes[seed] = Tree(label(seed))
                continue
            pair = min(seed, parent), max(seed, parent)
            saddle = _edge(exploration, pair)["train"]
            nodes[seed] = nodes[parent].add(f"saddle {saddle:.4f}, {label(seed)}")
        console.print(nodes[root])
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return f"Training losses of endpoints and of the saddles between them\n\n{text}"


def _edge(exploration: Exploration, pair: tuple[int, int]) -> dict[str, Any]:
    """Highest loss and error along an edge, their t, and the epoch of the endpoints below it."""
    record = exploration.record(pair)
    assert record is not None  # Failed runs are no edges.
    curve = record.curve
    highest = {split: max(values) for split, values in curve.loss.items()}
    losses = [exploration.results.endpoints[seed].get("losses", []) for seed in pair]
    return {
        **highest,
        "error": 100 - min(curve.accuracy["test"]) if curve.accuracy else None,
        "t": curve.t[curve.loss["train"].index(highest["train"])],
        "epoch": epochs_below(losses, highest["train"]),
        "length-ratio": curve.position[-1] / (curve.straight or float("nan")),
    }


def _error(accuracy: dict[str, float]) -> float | None:
    """The test error in percent; ``None`` where the data have no classes."""
    return 100 - accuracy["test"] if accuracy else None
