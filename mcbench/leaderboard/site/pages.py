"""The files of the site: pages made of templates, in which all values are escaped; downloads."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from mcbench.leaderboard.board.board import Board
from mcbench.leaderboard.site import boardpage, entrypage, methodpage
from mcbench.leaderboard.site.material import Material, gather
from mcbench.leaderboard.site.names import slug
from mcbench.leaderboard.table.table import table
from mcbench.report.tables import plus_minus
from mcbench.report.tables import render as render_tables
from mcbench.store.store import Store

if TYPE_CHECKING:
    from jinja2 import Environment

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
    """All files of the site of some boards."""
    shown = [(material, boardpage.page(material)) for material in materials]
    shown.sort(key=lambda one: not one[0].records)  # What was measured comes first.
    methods = list(dict.fromkeys(text for one in materials for text in one.board.methods))
    files = {"index.html": _page("index.html", "", boards=shown, methods=methods)}
    for name in ("assets/site.css", "assets/site.js"):
        files[name] = (resources.files("mcbench.leaderboard.site") / name).read_bytes()
    for material, context in shown:
        files |= _board(material, context)
    for text in methods:
        context = methodpage.page(text, shown)
        files[f"methods/{slug(text)}.html"] = _page("method.html", "../", **context)
    return files


def _board(material: Material, context: dict[str, Any]) -> dict[str, bytes]:
    """A board's page, its downloads, its entries."""
    name = slug(material.board.name)
    files = {f"boards/{name}.html": _page("board.html", "../", **context)}
    tables = [table(material.board, material.records, material.failed)]
    for ending, style in DOWNLOADS.items():
        files[f"boards/{name}.{ending}"] = render_tables(tables, style).encode()
    for entry in material.entries:
        place = f"entries/{material.page_name(entry)}"
        files[f"{place}.html"] = _page("entry.html", "../", **entrypage.page(material, entry))
        if entry.content:
            files[f"{place}.json"] = entry.content
    return files


def _page(template: str, root: str, **context: Any) -> bytes:  # Templates take any value.
    """A page. ``root`` leads from its folder to the site's top, as ``../``."""
    text = _environment().get_template(template).render(root=root, **context)
    return text.encode("utf-8", "replace")


@cache
def _environment() -> Environment:
    """The environment of the templates; an undefined name is an error, not an empty text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from mcbench.version import VERSION

    templates = Environment(
        loader=PackageLoader("mcbench.leaderboard.site", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.globals |= {"version": VERSION, "slug": slug, "plus_minus": plus_minus}
    templates.filters["zip"] = zip
    return templates
