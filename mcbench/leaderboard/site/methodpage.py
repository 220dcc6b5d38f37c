"""The page of a method: its declaration, and its rows on all boards."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from mcbench.errors import UsageError
from mcbench.leaderboard.site.boardpage import Line
from mcbench.leaderboard.site.curves import Figure, figure, pair_text
from mcbench.leaderboard.site.material import Material
from mcbench.methods import method
from mcbench.plugins.host import host
from mcbench.plugins.parameters import parameters, value_text
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
    """A method's declaration; ``problem`` says why it cannot be had, as of one not installed."""

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
    """The variables of the template for the method ``text``."""
    places = [
        Place(material, line, curves(material, text))
        for material, lines in boards
        for line in lines
        if line.method == text
    ]
    places.sort(key=lambda place: not place.line.measured)  # What was measured comes first.
    return {"method": text, "declared": declaration(text), "places": places}


def methods(materials: list[Material]) -> list[str]:
    """The methods of all boards, in the order of boards and rows."""
    return list(dict.fromkeys(text for m in materials for text in m.board.methods))


def curves(material: Material, text: str) -> Figure:
    """A line for each pair, on training and test data."""
    records = material.records.get(text, {})
    by_pair = {f"pair {pair_text(pair)}": [records[pair]] for pair in sorted(records)}
    return figure(by_pair, splits=("test", "train"), means=False)


def declaration(text: str) -> Declaration:
    """The declaration of the method ``name[p=v]``."""
    try:
        component = host().get("method", text)
        provided = host().find("method", component.name)
    except UsageError as error:
        return Declaration(problem=str(error))
    defaults = {n: value_text(p.default) for n, p in parameters(provided.component).items()}
    described = component.description or type(component).__doc__ or ""
    return Declaration(
        summary=method.summary(component),
        distribution=f"{provided.plugin.distribution} {provided.plugin.version}",
        reference=str(component.reference),
        description=inspect.cleandoc(described),
        needs=tuple(sorted(method.needs(component))),
        traits=method.traits(component),
        parameters=tuple(
            Parameter(name, value_text(p.default), defaults[name], type_text(p.type), p.help)
            for name, p in parameters(component).items()
        ),
    )
