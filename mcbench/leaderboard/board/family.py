"""Families: boards that share all but the network, declared in one file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcbench.errors import UsageError, unknown
from mcbench.leaderboard.board.board import Board, reading

OWN = ("published", "methods")
"""What a ``[[board]]`` has beside a board's fields: numbers and methods by the row's label."""


def read(path: Path) -> list[Board]:
    """All boards of a TOML declaration.

    It has the fields of a board, which all of them share, and for each of them a ``[[board]]``
    with its own: these take the place of the shared ones, but its ``note`` comes after theirs.
    ``published`` has a row's numbers in the order of the columns, NaN where there is none;
    ``methods`` the method of a row where it is another than the shared one. A board's folder
    stands beside the file and has the board's name.

    Raises:
        UsageError: Naming the file and what is wrong in it.
    """
    with reading(path) as content:
        shared = {name: value for name, value in content.items() if name != "board"}
        boards: dict[str, Board] = {}
        for own in content["board"]:
            name = own["name"]
            if name in boards:
                raise UsageError(f"two boards are called '{name}'")
            boards[name] = Board.of(_whole(shared, own), path.parent / name)
        return list(boards.values())


def _whole(shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """A board's fields as a declaration of its own would have them."""
    whole = shared | {name: value for name, value in own.items() if name not in OWN}
    whole["note"] = "\n".join(filter(None, (shared.get("note", ""), own.get("note", ""))))
    labels = {row["label"] for row in whole["row"]}
    for field in OWN:
        for label in own.get(field, {}):
            if label not in labels:
                raise unknown(f"row of '{own['name']}'", label, labels)
    whole["row"] = [_row(row, own, list(whole["columns"])) for row in whole["row"]]
    return whole


def _row(row: dict[str, Any], own: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    label = row["label"]
    numbers = own.get("published", {}).get(label)
    row = row | ({"method": own["methods"][label]} if label in own.get("methods", {}) else {})
    if numbers is None:
        return row
    if not isinstance(numbers, list):
        raise UsageError(f"row '{label}' of '{own['name']}' is no list of numbers: {numbers!r}")
    if len(numbers) != len(columns):
        raise UsageError(
            f"row '{label}' of '{own['name']}' has {len(numbers)} numbers "
            f"for {len(columns)} columns: write nan where there is none"
        )
    return row | {"published": dict(_known(columns, numbers))}


def _known(columns: list[str], numbers: list[Any]) -> Iterator[tuple[str, list[float]]]:
    """Numbers with no error bar, of the columns that have one."""
    for column, number in zip(columns, numbers, strict=True):
        if not math.isnan(number):
            yield column, [float(number), math.nan]
