"""A page for every component, and one for every kind, from their declarations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from docs.pages import text
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.table import ensembles
from mcbench.leaderboard.table.overview import overview
from mcbench.leaderboard.table.records import Records, collect
from mcbench.leaderboard.table.table import table as standing
from mcbench.plugins import parameters as spec
from mcbench.plugins.host import KINDS, host, plural
from mcbench.report.description import describe
from mcbench.report.tables import Table
from mcbench.testing import checks

TITLES = {
    "method": "Methods",
    "metric": "Metrics",
    "architecture": "Architectures",
    "dataset": "Data sets",
    "recipe": "Recipes",
    "ensemble": "Ensembles",
    "matching": "Matchings",
    "interpolation": "Interpolations",
    "adjustment": "Adjustments",
    "leaderboard": "Leaderboards",
    "ensemble-board": "Leaderboards of ensembles",
    "executor": "Executors",
}
"""Kinds that have pages; commands are on the page of the command line."""

ABOUT = {
    "method": "What they compute, and where they differ from published code: "
    "[methods](../../methods.md).",
    "metric": "What is measured along a path: [metrics](../../metrics.md). What the numbers hide: "
    "[traps](../../explanation/traps.md).",
    "dataset": "Where files are looked for, and your own images: [data](../../data.md).",
    "recipe": "What they are: [data](../../data.md#recipes).",
    "architecture": "Any `torch.nn.Module` can be one: [Write a plugin](../../plugins.md).",
    "matching": "A part of composed methods: [methods](../../methods.md#composed-methods).",
    "interpolation": "A part of composed methods: [methods](../../methods.md#composed-methods).",
    "adjustment": "A part of composed methods: [methods](../../methods.md#composed-methods).",
    "ensemble": "They are measured by `mcbench ensemble`.",
    "leaderboard": "How they are read and declared: [leaderboards](../../leaderboards.md).",
    "ensemble-board": "Published numbers of ensembles by budget, shown beside measured ones by "
    "`mcbench leaderboard show`: [leaderboards](../../leaderboards.md#leaderboards-of-ensembles).",
    "executor": "Who carries out the runs.",
}

CHECKS = "Properties that `mcbench plugin check` tests: [Check a plugin](../../testing.md)."

FACTS = {
    "reference": "source",
    "needs": "needs",
    "explicit": "explicit formula",
    "learnable": "learnable",
    "route": "route",
    "unit": "unit",
    "better": "better",
    "splits": "measured for",
    "recipe": "default recipe",
    "layout": "files",
    "from": "from",
}
"""Declarations that a page lists, with their headings."""


def pages() -> Iterator[tuple[str, str]]:
    """Names of files below the reference, and their Markdown."""
    for kind in TITLES:
        yield f"{plural(kind)}/index.md", index(kind)
        for name in host().names(kind):
            yield f"{plural(kind)}/{name}.md", page(kind, name)


def index(kind: str) -> str:
    """All components of a kind."""
    rows = []
    for name in host().names(kind):
        described = facts(kind, name)
        link = f"[{name}]({name}.md)"
        others = (text.cell(described.get(fact, "")) for fact in ("unit", "better", "from"))
        rows.append((link, text.cell(described["summary"]), *others))
    parts = [f"# {TITLES[kind]}", ABOUT[kind]]
    parts.append(text.table(["name", "what it is", "unit", "better", "from"], rows))
    if kind == "recipe":
        parts += ["## Side by side", _side_by_side(kind)]
    rows = [(text.cell(c.title), text.cell(c.property)) for c in checks(kind)]
    parts += ["## Checks", CHECKS, text.table(["check", "property"], rows)]
    return "\n\n".join(parts)


def _side_by_side(kind: str) -> str:
    """The parameters of all components of a kind."""
    components = {name: host().find(kind, name).component for name in host().names(kind)}
    names = dict.fromkeys(p for c in components.values() for p in spec.parameters(c))
    rows = [
        (
            text.code(p),
            *(text.code(spec.value_text(spec.values(c)[p])) for c in components.values()),
        )
        for p in names
    ]
    return text.table(["parameter", *components], rows)


def facts(kind: str, name: str) -> dict[str, Any]:
    """Declarations of a component, as texts."""
    provided = host().find(kind, name)
    described = describe(kind, provided)
    for fact in ("recipe", "layout"):
        described[fact] = getattr(provided.component, fact, "") if kind == "dataset" else ""
    if kind == "metric":
        described["splits"] = "train and test" if provided.component.splits else "the path"
    for fact, value in described.items():
        if isinstance(value, bool):
            described[fact] = "yes" if value else "no"
    described["needs"] = ", ".join(described["needs"])
    return described


def page(kind: str, name: str) -> str:
    """One component: what it is, when to use it, its formula, parameters, measured cost."""
    described = facts(kind, name)
    rows = [(title, text.cell(str(described.get(fact) or ""))) for fact, title in FACTS.items()]
    parts = [f"# {name}", text.prose(described["summary"])]
    parts.append(text.table(["declared", ""], [row for row in rows if row[1]]))
    if described.get("use"):
        parts += ["## When to use it", text.prose(described["use"])]
    if kind == "leaderboard":
        return "\n\n".join([*parts, *_board(host().find(kind, name).component)])
    if kind == "ensemble-board":
        return "\n\n".join([*parts, *_table(ensembles.table(host().get(kind, name), None))])
    if described["description"]:
        parts += ["## What it does", text.docstring(described["description"], ["Arguments"])]
    parts += _parts(kind, name)
    if described["parameters"]:
        parts += ["## Parameters", parameters(described["parameters"])]
    if kind == "method":
        parts += ["## On the command line", text.fenced(f"mcbench run -m {name}", "sh")]
        parts += _measured(name)
    return "\n\n".join(parts)


def parameters(declared: list[dict[str, Any]]) -> str:
    """A table of parameters."""
    rows = [
        (
            text.code(p["name"]),
            text.code(p["default"]),
            text.code(p["type"]),
            text.cell(p["help"])
            + (f"; one of {', '.join(map(text.code, p['one of']))}" if "one of" in p else ""),
        )
        for p in declared
    ]
    return text.table(["parameter", "default", "type", "meaning"], rows)


def _parts(kind: str, name: str) -> Iterator[str]:
    """The parts of a composed component: theirs are the formulas."""
    component = host().find(kind, name).component
    for field, declared in spec.parameters(component).items():
        if declared.part is None:
            continue
        part, _ = spec.parse(getattr(component, field))
        described = facts(declared.part, part)
        yield f"## The {field}: {part}"
        link = f"[{part}](../{plural(declared.part)}/{part}.md)"
        yield f"{link}; another can be named in its place."
        yield text.docstring(described["description"], ["Arguments", "Raises"])
        if described["parameters"]:
            yield f"Its parameters can be given to {text.code(name)}:"
            yield parameters(described["parameters"])


# Measured ----------------------------------------------------------------------------------


@cache
def _records(board: str) -> Records:
    """Records that come with a board, without those of a store."""
    return collect(host().get("leaderboard", board), None)


def _measured(method: str) -> Iterator[str]:
    """The method's rows on all boards, where it was measured."""
    yield "## Measured"
    measured = False
    for name in host().names("leaderboard"):
        board: Board = host().get("leaderboard", name)
        if method not in _records(name):
            continue
        measured = True
        count = len(_records(name)[method])
        yield f"### {name}\n\n{text.prose(board.title)}; {count} pairs."
        for make in (standing, overview):
            yield _row(make(board, _records(name)), method)
    if measured:
        yield "Columns: [how to read the table](../../leaderboards.md#read-the-table)."
    else:
        yield "No leaderboard has measured it with these parameters."


def _row(table: Table, method: str) -> str:
    """One row of a table, as a table of its own with a line for each column."""
    number = next(i for i, d in enumerate(table.data) if d.get("method") == method)
    cells = table.rows[number]
    heads = [h for h in table.columns if h not in ("method", "mcbench method") and cells.get(h)]
    return text.table(map(text.cell, heads), [[text.cell(cells[h]) for h in heads]])


def _board(board: Board) -> Iterator[str]:
    """A board: its problem, its note, its tables."""
    problem = {
        "dataset": board.dataset,
        "architecture": board.architecture,
        "recipe": board.recipe,
        "endpoints": str(board.endpoints),
        "protocol": ", ".join(f"{k}={spec.value_text(v)}" for k, v in board.protocol.items()),
    }
    yield text.table(["problem", ""], [(k, text.code(v)) for k, v in problem.items()])
    records = _records(board.name)
    makers: tuple[tuple[str, Callable[[Board, Records], Table]], ...] = (
        ("Measured beside published", standing),
        ("Methods", overview),
    )
    for title, make in makers:
        yield f"## {title}"
        yield from _table(make(board, records))


def _table(table: Table) -> Iterator[str]:
    """A table with its note."""
    cells = [[text.cell(row.get(h, "")) for h in table.columns] for row in table.rows]
    yield text.table(map(text.cell, table.columns), cells)
    yield from (text.prose(line) for line in table.note.splitlines() if line.strip())


def kinds_without_page() -> set[str]:
    """Kinds of components that this reference leaves out, commands aside."""
    return set(KINDS) - set(TITLES) - {"command"}
