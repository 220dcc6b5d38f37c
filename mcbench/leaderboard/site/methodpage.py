"""What a method's page shows."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from mcbench.errors import UsageError
from mcbench.leaderboard.board.board import ENDPOINTS
from mcbench.leaderboard.site.boardpage import Line
from mcbench.leaderboard.site.curves import Figure, figure, pair_text
from mcbench.leaderboard.site.material import Material
from mcbench.methods import method
from mcbench.plugins import parameters
from mcbench.plugins.host import host
from mcbench.report.description import type_text


@dataclass(frozen=True)
class Parameter:
    """A parameter as it is set in this method."""

    name: str
    value: str
    default: str
    type: str
    help: str


@dataclass(frozen=True)
class Declaration:
    """What a method says of itself; ``problem`` where it is not installed."""

    problem: str = ""
    summary: str = ""
    distribution: str = ""
    reference: str = ""
    description: str = ""
    needs: tuple[str, ...] = ()
    traits: method.Traits = method.Traits()
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True)
class Place:
    """A board that has the method, and its row there."""

    material: Material
    line: Line
    figure: Figure


def page(text: str, boards: list[tuple[Material, list[Line]]]) -> dict[str, Any]:
    """All that the template needs of the method ``text``."""
    places = [
        Place(material, line, curves(material, text))
        for material, lines in boards
        for line in lines
        if line.method == text
    ]
    places.sort(key=lambda place: not place.line.measured)  # What was measured comes first.
    return {"method": text, "declared": declaration(text), "places": places}


def methods(materials: list[Material]) -> list[str]:
    """The methods of all boards, in the order in which they come."""
    found = [row.method for m in materials for row in m.board.rows]
    return [text for text in dict.fromkeys(found) if text not in ("", ENDPOINTS)]


def curves(material: Material, text: str) -> Figure:
    """A line for each pair, on training and test data."""
    records = material.records.get(text, {})
    by_pair = {f"pair {pair_text(pair)}": [records[pair]] for pair in sorted(records)}
    return figure(by_pair, splits=("test", "train"), means=False)


def declaration(text: str) -> Declaration:
    """What the method of this name and these parameters declares."""
    try:
        component = host().get("method", text)
        found = host().find("method", component.name)
    except UsageError as error:
        return Declaration(problem=str(error))
    described = component.description or type(component).__doc__ or ""
    return Declaration(
        summary=method.summary(component),
        distribution=f"{found.plugin.distribution} {found.plugin.version}",
        reference=str(component.reference),
        description=inspect.cleandoc(described),
        needs=tuple(sorted(method.needs(component))),
        traits=method.traits(component),
        parameters=tuple(
            Parameter(
                name=p.name,
                value=parameters.value_text(p.default),
                default=parameters.value_text(
                    parameters.parameters(found.component)[p.name].default
                ),
                type=type_text(p.type),
                help=p.help,
            )
            for p in parameters.parameters(component).values()
        ),
    )
