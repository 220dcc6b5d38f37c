"""Families: boards that share most fields, declared in one file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mcbench.errors import UsageError, unknown

OWN = ("published", "methods")
"""Fields of a ``[[board]]`` beside those of a board: numbers and methods by the row's label."""


def members(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The declarations of all boards of a family, each as if it had a file of its own.

    A family has the fields of a board, which all of them share, and for each of them a
    ``[[board]]`` with its own: these take the place of the shared ones, but its ``note`` comes
    after theirs. ``published`` has a row's numbers in the order of the columns, NaN where there
    is none; ``methods`` the method of a row where it is another than the shared one.

    Raises:
        UsageError: If two boards have one name, or numbers do not fit columns.
    """
    shared = {name: value for name, value in content.items() if name != "board"}
    names: set[str] = set()
    for own in content["board"]:
        if own["name"] in names:
            raise UsageError(f"two boards have the name '{own['name']}': rename one")
        names.add(own["name"])
        yield _whole(shared, own)


def _whole(shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The fields of a board, as if it had a declaration of its own."""
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
        raise UsageError(
            f"row '{label}' of '{own['name']}' needs a list of numbers, not {numbers!r}"
        )
    if len(numbers) != len(columns):
        raise UsageError(
            f"row '{label}' of '{own['name']}' has {len(numbers)} numbers "
            f"for {len(columns)} columns: write nan where there is none"
        )
    given = {c: x for c, x in zip(columns, numbers, strict=True) if not math.isnan(x)}
    return row | {"published": {column: [float(x), math.nan] for column, x in given.items()}}
