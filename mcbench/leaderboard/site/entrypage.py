"""What an entry's page shows: who measured what, with what, and its curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mcbench.leaderboard.site.boardpage import entry_name
from mcbench.leaderboard.site.curves import Figure, figure, pair_text
from mcbench.leaderboard.site.material import Entry, Material, run_key
from mcbench.leaderboard.site.names import slug
from mcbench.report import columns_of


@dataclass(frozen=True)
class Record:
    """A line of the entry's records.

    Arguments:
        row: The label and anchor of the board's row that it counts for; empty where it counts for
            none, and ``why`` says why.
        values: Of the board's columns.
    """

    method: str
    pair: str
    key: str
    row: tuple[str, str] | None
    why: str
    state: str
    values: tuple[tuple[str, float | None], ...]
    end: str
    seconds: float
    plugin: str
    setting: int
    time: str


@dataclass(frozen=True)
class Setting:
    """Versions and hardware that several records share."""

    number: int
    lines: tuple[tuple[str, str], ...]
    count: int


def page(material: Material, entry: Entry) -> dict[str, Any]:
    """All that the template needs."""
    settings: dict[tuple[tuple[str, str], ...], int] = {}
    for record in entry.records:
        settings.setdefault(setting(record), len(settings) + 1)
    numbers = [settings[setting(record)] for record in entry.records]
    return {
        "board": material.board,
        "entry": entry,
        "name": entry_name(material, entry),
        "about": sorted((str(k), _plain(v)) for k, v in entry.about.items()),
        "columns": list(material.board.columns),
        "records": [_record(material, r, settings[setting(r)]) for r in entry.records],
        "settings": [Setting(n, s, numbers.count(n)) for s, n in settings.items()],
        "endpoints": endpoints(entry),
        "problems": problems(entry),
        "total": sum(float(record["cost"]["seconds"]) for record in entry.records),
        "times": _times(entry),
        "figure": curves(entry),
    }


def setting(record: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Versions and hardware as names and values, without the time."""
    known = {k: v for k, v in record["provenance"].items() if k not in ("time", "packages")}
    versions = record["provenance"]["packages"]
    return tuple(sorted((str(k), _plain(v)) for k, v in {**known, **versions}.items()))


def endpoints(entry: Entry) -> list[tuple[int, str]]:
    """Seeds and keys of the networks."""
    found = {
        (seed, str(key))
        for record in entry.records
        for seed, key in zip(record["pair"], record["run"]["endpoints"], strict=True)
    }
    return sorted(found)


def problems(entry: Entry) -> list[str]:
    """What the records were computed on, by name."""
    names = {
        ", ".join(record["problem"][k]["name"] for k in ("dataset", "architecture", "recipe"))
        for record in entry.records
    }
    return sorted(names)


def curves(entry: Entry) -> Figure:
    """A colour for each method, a thin line for each pair, a thick one for their mean."""
    by_method: dict[str, list[dict[str, Any]]] = {}
    for record in entry.records:
        by_method.setdefault(record["method"], []).append(record)
    return figure(by_method, splits=("test", "train"))


def _record(material: Material, record: dict[str, Any], number: int) -> Record:
    key, plugin = run_key(record), record["run"]["method"]
    row, why = _row(material, record, key)
    values = columns_of(record)
    known = [values.get(source) for source in material.board.columns.values()]
    return Record(
        method=record["method"],
        pair=pair_text(record["pair"]),
        key=key,
        row=row,
        why=why,
        state=material.states.get(key, "not verified"),
        values=tuple((f"{v:.2f}", v) if isinstance(v, int | float) else ("", None) for v in known),
        end=str(record["curve"].get("end", "")),
        seconds=float(record["cost"]["seconds"]),
        plugin=" ".join(str(plugin.get(k, "")) for k in ("distribution", "version")),
        setting=number,
        time=str(record["provenance"].get("time", "")),
    )


def _row(
    material: Material, record: dict[str, Any], key: str
) -> tuple[tuple[str, str] | None, str]:
    """The row that the record counts for, or why there is none."""
    pair = tuple(record["pair"])
    labels = {row.method: row.label for row in material.board.rows}
    for method, pairs in material.records.items():
        if pair in pairs and run_key(pairs[pair]) == key:
            same = pairs[pair] == record
            label = labels[method]
            return ((label, f"row-{slug(label)}"), "") if same else (None, "another counts")
    return None, "not of this board's rows, problem and protocol, or another counts"


def _times(entry: Entry) -> tuple[str, str]:
    times = sorted(str(r["provenance"].get("time", "")) for r in entry.records)
    return (times[0], times[-1]) if times else ("", "")


def _plain(value: Any) -> str:
    """Any JSON as one line of text."""
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return str(value)
