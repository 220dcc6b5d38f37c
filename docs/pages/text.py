"""Markdown from docstrings, tables and single words of the code."""

from __future__ import annotations

import html
import inspect
import re
import textwrap
from collections.abc import Iterable

MARKED = re.compile(r":math:`([^`]+)`|``([^`]+)``|`([^`]+)`")
SECTION = re.compile(r"^(Arguments|Returns|Raises|Examples?):{1,2}$")
ITEM = re.compile(r"^(\*{0,2}\w[\w, *]*): +(.*)", re.S)


def plain(text: str) -> str:
    """Text in which nothing is markup."""
    return html.escape(text, quote=False).replace("$", "&#36;").replace("*", "&#42;")


def prose(text: str) -> str:
    """Text of a docstring: code in backticks, formulas as ``:math:``, the rest plain."""
    parts, end = [], 0
    for mark in MARKED.finditer(text):
        parts.append(plain(text[end : mark.start()]))
        formula, *code = mark.groups()
        parts.append(f"${formula}$" if formula else f"`{code[0] or code[1]}`")
        end = mark.end()
    return "".join([*parts, plain(text[end:])])


def cell(text: str) -> str:
    """Text of a docstring in a table, on one line and without its bars."""
    return " ".join(prose(text).split()).replace("|", "&#124;")


def code(text: str) -> str:
    """Code that stands anywhere, also in a table."""
    return f"<code>{plain(text).replace('|', '&#124;')}</code>" if text else ""


def fenced(text: str, language: str = "") -> str:
    """A code block."""
    return f"```{language}\n{text.strip()}\n```"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are Markdown; columns in which no row has anything are left out."""
    names = list(heads)
    lines = [list(row) for row in rows]
    used = [i for i, _ in enumerate(names) if not lines or any(row[i] for row in lines)]
    cells = [[names[i] for i in used], ["---"] * len(used)]
    cells += [[row[i] for i in used] for row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def docstring(text: str, without: Iterable[str] = ()) -> str:
    """A docstring as Markdown: paragraphs, arguments and errors as lists, examples as code.

    Sections named in ``without`` are left out.
    """
    parts: list[str] = []
    lines = inspect.cleandoc(text).splitlines()
    while lines:
        head = SECTION.match(lines[0])
        if head:
            count = next(
                (i for i, x in enumerate(lines[1:], 1) if x.strip() and not x.startswith(" ")),
                len(lines),
            )
            if head[1] not in without:
                body = textwrap.dedent("\n".join(lines[1:count])).strip()
                parts.append(_section(head[1], body))
        else:
            count = next((i for i, x in enumerate(lines) if not x.strip()), len(lines)) or 1
            parts.append(prose("\n".join(lines[:count])))
        lines = lines[count:]
    return "\n\n".join(part for part in parts if part.strip())


def _section(title: str, body: str) -> str:
    if title.startswith("Example"):
        return f"**{title}**\n\n" + fenced(body, "pycon" if ">>>" in body else "python")
    items = []
    for entry in re.split(r"\n(?=\S)", body):
        item = ITEM.match(entry)
        words = " ".join((item[2] if item else entry).split())
        items.append(f"- {code(item[1])}: {prose(words)}" if item else f"- {prose(words)}")
    return f"**{title}**\n\n" + "\n".join(items)
