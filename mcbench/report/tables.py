"""Tables: rows of plain values, rendered for terminals, papers and programs."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from mcbench.errors import one_line

WORDS = "no method|not installed|not run|failed|does not apply|not measured"
"""The words that may replace a number in a cell."""

FORMATS = ("table", "markdown", "latex", "csv", "json")


@dataclass
class Table:
    """A table.

    Arguments:
        name: Its key in JSON.
        title: What it shows.
        columns: Headings, in order.
        keys: Number of columns that name the row: in a narrow terminal the table is split into
            parts, each with these. 0: texts are folded instead.
        rows: Cells as text, by heading; ``data`` has them as numbers.
        data: The same rows for programs (CSV and JSON).
        note: Text below the table.
        best: Cells in bold, by row and heading.
    """

    name: str
    title: str
    columns: list[str]
    rows: list[dict[str, str]] = field(default_factory=list)
    data: list[dict[str, Any]] = field(default_factory=list)
    note: str = ""
    keys: int = 0
    best: set[tuple[int, str]] = field(default_factory=set)

    def add(self, cells: dict[str, str], data: dict[str, Any], best: Collection[str] = ()) -> None:
        """Add a row, as text and as numbers; cells under the headings ``best`` are bold."""
        self.best |= {(len(self.rows), heading) for heading in best}
        self.rows.append(cells)
        self.data.append(data)


def plus_minus(mean: float, std: float, digits: int = 2) -> str:
    """``mean ± std``, or the mean alone where there is no std."""
    if mean != mean:
        return "-"
    return f"{mean:.{digits}f}" + (f" ± {std:.{digits}f}" if std == std else "")


def render(tables: list[Table], style: str, document: dict[str, Any] | None = None) -> str:
    """Tables as text.

    Arguments:
        tables: The tables.
        style: One of `FORMATS`. ``table`` is for terminals, with escape sequences for bold type;
            ``csv`` is one table: rows of several have the name of theirs in a column ``table``.
        document: More entries of the JSON document that the tables are in.
    """
    if style == "json":
        contents = {**(document or {}), **{t.name: t.data for t in tables}}
        return json.dumps(finite(contents), indent=2)
    if style == "csv":
        return _csv(tables)
    if style == "table":
        return "\n".join(map(_terminal, tables))
    return "\n\n".join(map(_latex if style == "latex" else _markdown, tables))


def finite(value: Any) -> Any:
    """The same JSON with None instead of NaN and infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _flat(value: Any) -> Any:
    """A value as one cell of CSV: lists and dictionaries as text."""
    if isinstance(value, dict):
        value = [f"{k}={v}" for k, v in value.items()]
    return "; ".join(map(str, value)) if isinstance(value, list) else value


def _csv(tables: list[Table]) -> str:
    out = io.StringIO()
    several = len(tables) > 1
    rows = [({"table": t.name} if several else {}) | row for t in tables for row in t.data]
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({k: _flat(v) for k, v in finite(row).items()} for row in rows)
    return out.getvalue()


def _markdown(table: Table) -> str:
    from tabulate import tabulate

    def cell(i: int, column: str) -> str:
        text = markdown_text(table.rows[i].get(column, ""))
        return f"**{text}**" if text and (i, column) in table.best else text

    heads = [markdown_text(column) for column in table.columns]
    cells = [[cell(i, column) for column in table.columns] for i in range(len(table.rows))]
    body = tabulate(cells, heads, tablefmt="github", disable_numparse=True)
    # Two spaces: a line break in Markdown.
    note_text = "  \n".join(markdown_text(line) for line in table.note.splitlines())
    title = f"**{markdown_text(table.title)}**"
    return f"{title}\n\n{body}" + (f"\n\n{note_text}" if note_text else "")


def _latex(table: Table) -> str:
    """A floating table in the style of booktabs; the note in comments below it."""
    from pandas import DataFrame

    cells = [[row.get(column, "") for column in table.columns] for row in table.rows]
    frame = DataFrame(cells, columns=table.columns, dtype=str)
    bold = [
        ["textbf:--rwrap" if (i, column) in table.best else "" for column in table.columns]
        for i in range(len(cells))
    ]
    styles = DataFrame(bold, columns=table.columns, dtype=str)
    styler = frame.style.format(latex_text).format_index(latex_text, axis="columns")
    text: str = styler.hide(axis="index").apply(lambda _: styles, axis=None).to_latex(
        hrules=True,
        position="htbp",
        position_float="centering",
        column_format="".join("r" if _is_numeric(table, c) else "l" for c in table.columns),
        caption=latex_text(table.title),
        label=f"tab:{table.name}",
    )  # fmt: skip
    return "\n".join([text.rstrip(), *(f"% {line}" for line in table.note.splitlines())])


def markdown_text(text: str) -> str:
    """Text escaped for one line or cell of Markdown: no tag, link, column or block."""
    text = re.sub(r"&(?=#?\w+;)", "&amp;", one_line(text)).replace("<", "&lt;")
    text = re.sub(r"([\\`*|])", r"\\\1", text)
    return re.sub(r"\](?=[(:\[])", r"]\\", text)


def latex_text(text: str) -> str:
    """Text escaped for LaTeX."""
    return one_line(text).translate(_LATEX)


_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "&%_#${}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"±": r"$\pm$", "<": r"$<$", ">": r"$>$"}
)


def _terminal(table: Table) -> str:
    width = max(80, shutil.get_terminal_size((120, 24)).columns)
    parts = [_part(table, columns, width) for columns in _parts(table, width)]
    return "\n".join([table.title, *parts, *([table.note] if table.note else [])]) + "\n"


def _parts(table: Table, width: int) -> list[list[str]]:
    """The columns in groups that fit into ``width``, each with the keys first."""
    if not table.keys:
        return [table.columns]
    widths = {
        c: max(len(cell) for cell in (c, *(row.get(c, "") for row in table.rows))) + 3
        for c in table.columns
    }
    keys = table.columns[: table.keys]
    groups: list[list[str]] = [[]]
    for column in table.columns[table.keys :]:
        if groups[-1] and sum(widths[c] for c in [*keys, *groups[-1], column]) >= width:
            groups.append([])
        groups[-1].append(column)
    return [[*keys, *group] for group in groups]


def _part(table: Table, columns: list[str], width: int) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    rich_table = RichTable(box=box.SIMPLE_HEAD, header_style="")
    for column in columns:
        numeric = _is_numeric(table, column)
        justify: Any = "right" if numeric else "left"
        rich_table.add_column(Text(column), justify=justify, overflow="fold", no_wrap=numeric)
    for i, row in enumerate(table.rows):
        styles = ("bold" if (i, c) in table.best else "" for c in columns)
        rich_table.add_row(
            *(Text(row.get(c, ""), s) for c, s in zip(columns, styles, strict=True))
        )
    colors: Any = "standard" if table.best else None
    console = Console(
        file=io.StringIO(), width=width, color_system=colors, force_terminal=bool(colors),
    )  # fmt: skip
    console.print(rich_table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines())


def _is_numeric(table: Table, column: str) -> bool:
    """Whether a column, other than the first, has numbers, intervals or ranks, or none yet."""
    pattern = rf"[-+\d.,±=\[\] ]*(%| nets)?|\d+(-\d+)? [a-z]+|{WORDS}"
    return column != table.columns[0] and all(
        re.fullmatch(pattern, row.get(column, "")) for row in table.rows
    )
