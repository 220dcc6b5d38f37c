"""The page of a method: its declaration, and its rows on all boards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mcbench.errors import UsageError
from mcbench.leaderboard.site.curves import Figure, figure, pair_text
from mcbench.leaderboard.site.material import Material
from mcbench.plugins.host import host
from mcbench.report.description import describe


def page(text: str, boards: list[tuple[Material, dict[str, Any]]]) -> dict[str, Any]:
    """The variables of the template for the method ``text``, given those of the boards' pages."""
    places = [
        (material.board, line, _curves(material, text))
        for material, context in boards
        for line in context["lines"]
        if line["row"].method == text
    ]
    places.sort(key=lambda place: not place[1]["measured"])  # What was measured comes first.
    return {"method": text, "declared": declaration(text), "places": places}


def _curves(material: Material, text: str) -> Figure:
    """A line for each pair, on training and test data."""
    records = material.records.get(text, {})
    by_pair = {f"pair {pair_text(pair)}": [records[pair]] for pair in sorted(records)}
    return figure(by_pair, splits=("test", "train"), means=False)


def declaration(text: str) -> dict[str, Any]:
    """The declaration of the method ``name[p=v]``: see `mcbench.report.description.describe`.

    ``defaults`` has the parameters that the text may change; ``problem`` says why a method cannot
    be had, as one that is not installed.
    """
    try:
        component = host().get("method", text)
        provided = host().find("method", component.name)
    except UsageError as error:
        return {"problem": str(error)}
    defaults = {p["name"]: p["default"] for p in describe("method", provided)["parameters"]}
    declared = describe("method", replace(provided, component=component))
    return {"problem": "", "defaults": defaults, **declared}
