"""The files of the site: pages, downloads and assets."""

from __future__ import annotations

from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.site import boardpage, entrypage, methodpage
from mcbench.leaderboard.site.material import Material, gather
from mcbench.leaderboard.site.names import slug
from mcbench.leaderboard.site.render import assets, render
from mcbench.leaderboard.table.table import table
from mcbench.report.tables import render as render_tables
from mcbench.store.store import Store

DOWNLOADS = {"csv": "csv", "json": "json", "tex": "latex"}
"""Endings of the files beside a board's page, and their formats."""


def site(boards: list[Board], store: Store | None) -> dict[str, bytes]:
    """All files by their relative path.

    Links are relative, so the site works from a file and from any server. The same boards,
    entries and versions give the same bytes.

    Arguments:
        boards: In the order of the first page, on which those come first that were measured.
        store: The user's own records; ``None`` for those in entries alone.
    """
    return rendered([gather(board, store) for board in boards])


def rendered(materials: list[Material]) -> dict[str, bytes]:
    """The files of what was sources_of."""
    shown = [(material, boardpage.page(material)) for material in materials]
    shown.sort(key=lambda one: not one[0].records)  # What was measured comes first.
    methods = methodpage.methods(materials)
    files = assets()
    files["index.html"] = render("index.html", "", boards=shown, methods=methods, slug=slug)
    for material, context in shown:
        files |= _board(material, context)
    lines = [(material, context["lines"]) for material, context in shown]
    for text in methods:
        context = methodpage.page(text, lines)
        files[f"methods/{slug(text)}.html"] = render("method.html", "../", slug=slug, **context)
    return files


def _board(material: Material, context: dict[str, object]) -> dict[str, bytes]:
    """A board's page, its downloads, its entries."""
    name = slug(material.board.name)
    files = {f"boards/{name}.html": render("board.html", "../", slug=slug, **context)}
    tables = [table(material.board, material.records, material.failed)]
    for ending, style in DOWNLOADS.items():
        files[f"boards/{name}.{ending}"] = render_tables(tables, style).encode()
    for entry in material.entries:
        page = entrypage.page(material, entry)
        place = f"entries/{boardpage.entry_name(material, entry)}"
        files[f"{place}.html"] = render("entry.html", "../", slug=slug, **page)
        if entry.content:
            files[f"{place}.json"] = entry.content
    return files
