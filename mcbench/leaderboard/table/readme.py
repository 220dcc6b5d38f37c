"""A board as Markdown, for a repository's README."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from mcbench.errors import UsageError
from mcbench.experiments.record import Provenance
from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.entry.sources import Sourced
from mcbench.leaderboard.entry.verification import entries
from mcbench.leaderboard.table.guests import with_guests
from mcbench.leaderboard.table.ranking import ordered, ranks_of
from mcbench.leaderboard.table.records import Records, records_of
from mcbench.leaderboard.table.summaries import difference, summaries
from mcbench.leaderboard.table.table import remarks, table
from mcbench.report.tables import Table, markdown_text, render


def section(board: Board, sources: list[Sourced], folder: Path) -> str:
    """Markdown of a board: table, differences to the published numbers, provenance.

    Arguments:
        sources: As `mcbench.leaderboard.entry.sources.sources_of` gives them.
        folder: The folder of the text; links to the entries start there.
    """
    board = with_guests(board)
    records = records_of(board, sources)
    board = ordered(board, ranks_of(board, records))
    shown = table(board, records)
    shown.note = "\n".join(filter(None, [shown.note, *remarks(board, sources)]))
    parts = [_introduction(board, records, folder), render([shown], "markdown")]
    against = differences(board, records)
    if against.rows:
        parts.append("## Against the published numbers\n\n" + render([against], "markdown"))
    if records:
        parts.append("## Provenance\n\n" + "\n".join(f"- {line}" for line in provenance(records)))
    return "\n\n".join(parts)


def insert(text: str, board: Board, part: str, where: str) -> str:
    """``text`` with ``part`` between the board's marks; an empty text gets a heading and marks.

    Raises:
        UsageError: If a text lacks the marks, or has them twice or in the wrong order.
    """
    first, last = marks(board)
    if not text:
        return f"# {markdown_text(board.name)}\n\n{first}\n\n{part}\n\n{last}\n"
    if (text.count(first), text.count(last)) != (1, 1) or text.index(first) > text.index(last):
        raise UsageError(
            f"{where} has no place for '{board.name}': add the lines '{first}' and '{last}'"
        )
    return f"{text[: text.index(first)]}{first}\n\n{part}\n\n{text[text.index(last) :]}"


def marks(board: Board) -> tuple[str, str]:
    """The lines before and after a board's part of a text."""
    name = re.sub(r"[^\w.-]", "-", board.name).replace("--", "-")
    command = f"mcbench leaderboard publish {name} --markdown"
    return f"<!-- written by: {command} -->", f"<!-- end of {name} -->"


def _introduction(board: Board, records: Records, folder: Path) -> str:
    lines = [f"{markdown_text(board.reference)}."]
    if not records:
        problem = markdown_text(board.problem)
        return f"{lines[0]} Problem: {problem}. Nothing has been measured yet."
    every = [record for pairs in records.values() for record in pairs.values()]
    versions = sorted({r.provenance.packages.get("mcbench", "?") for r in every})
    pairs = {record.pair for record in every}
    seeds = sorted({seed for pair in pairs for seed in pair})
    networks = {(bool(board.to_recipe) and side, s) for p in pairs for side, s in enumerate(p)}
    lines.append(
        markdown_text(
            f"Measured with mcbench {', '.join(versions)} on {board.problem}: "
            f"{len(networks)} networks (seeds {', '.join(map(str, seeds))}), "
            f"{len(pairs)} pair{'s' * (len(pairs) != 1)}."
        )
    )
    links = []
    for entry in entries(board):
        place = os.path.relpath(entry.path.resolve(), folder.resolve()).replace(os.sep, "/")
        links.append(f"[{markdown_text(entry.path.stem)}]({quote(place)})")
    if links:
        lines.append(
            "The records, with key and hash of every network, the curve of every path, versions "
            f"and hardware: {', '.join(links)}."
        )
    return "\n".join(lines)


def differences(board: Board, records: Records) -> Table:
    """Table of measured less published numbers, with their combined error bar."""
    heads = ["row"]
    for column in board.columns:
        heads += [f"{column}: measured - published", f"{column}: combined error bar"]
    title = "Differences; the combined error bar is the root of the sum of both squared std"
    shown = Table("differences", title, heads, keys=1)
    for row in board.rows:
        by_column = summaries(board, row, records)
        cells: dict[str, str] = {}
        for column in board.columns:
            gap, bar = difference(by_column.get(column), row.published.get(column))
            digits = board.digits(column) + 1
            if gap is not None:
                cells[f"{column}: measured - published"] = f"{gap:+.{digits}f}"
                error = "-" if bar is None else f"{bar:.{digits}f}"
                cells[f"{column}: combined error bar"] = error
        if cells:
            shown.add({"row": row.label, **cells}, {"row": row.label})
    return shown


def provenance(records: Records) -> list[str]:
    """Lines on hardware and versions, each with its number of records, and on the time."""
    every = [record.provenance for pairs in records.values() for record in pairs.values()]
    settings, times = Counter(map(_setting, every)), [source.time for source in every]
    lines = [f"{n} record{'s' * (n != 1)}: {text}" for text, n in sorted(settings.items())]
    lines.append(f"measured from {min(times)} to {max(times)}")
    return list(map(markdown_text, lines))


def _setting(source: Provenance) -> str:
    threads = source.threads
    packages = [f"{name} {v}" for name, v in sorted(source.packages.items()) if v]
    words = [source.device, f"{threads} thread{'s' * (threads != 1)}", source.system]
    return ", ".join([*words, f"Python {source.python}", *packages])
