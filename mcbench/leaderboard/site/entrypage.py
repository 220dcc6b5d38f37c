"""The page of an entry: its author, records, settings, endpoints and curves."""

from __future__ import annotations

from collections import Counter
from typing import Any

from mcbench.experiments.record import Record
from mcbench.leaderboard.site.curves import figure
from mcbench.leaderboard.site.material import UNVERIFIED, Material, Submission
from mcbench.report.reading import columns_of

Setting = tuple[tuple[str, str], ...]
"""Versions and hardware, as names and values."""


def page(material: Material, entry: Submission) -> dict[str, Any]:
    """The variables of the template; of the figure, a thick line is the mean over pairs."""
    by_method: dict[str, list[Record]] = {}
    settings: Counter[Setting] = Counter()  # In the order of the records.
    for record in entry.records.values():
        by_method.setdefault(record.method, []).append(record)
        settings[_setting(record)] += 1
    numbers = {setting: number for number, setting in enumerate(settings, 1)}
    return {
        "board": material.board,
        "entry": entry,
        "name": material.page_name(entry),
        "about": about(entry),
        "records": [
            {
                "key": key,
                "record": record,
                "measured": columns_of(record),
                "counts": _row(material, record, key),
                "verdict": verified(entry, key),
                "setting": numbers[_setting(record)],
            }
            for key, record in entry.records.items()
        ],
        "verification": sorted((str(k), _plain(v)) for k, v in entry.verification.items()),
        "settings": [(numbers[setting], setting, n) for setting, n in settings.items()],
        "endpoints": sorted(
            {
                end
                for record in entry.records.values()
                for end in zip(record.pair, record.run.endpoints, strict=True)
            }
        ),
        "problems": sorted(set(map(_problem, entry.records.values()))),
        "figure": figure(by_method, splits=("test", "train")),
    }


def _setting(record: Record) -> Setting:
    source = record.provenance.to_json()
    versions = source.pop("packages")
    del source["time"]
    return tuple(sorted((str(k), _plain(v)) for k, v in {**source, **versions}.items()))


def _problem(record: Record) -> str:
    problem, other = record.problem, record.to_recipe
    names = f"{problem.dataset.name}, {problem.architecture.name}, {problem.recipe.name}"
    return f"{names} to {other.name}" if other else names


def about(entry: Submission) -> list[tuple[str, str]]:
    """The entry's statements on itself, but for its endpoints, which have a table."""
    content = entry.about
    lines = [("who", content.get("name")), ("note", content.get("note"))]
    lines += [(str(k), v) for k, v in content.get("problem", {}).items()]
    lines += [
        (name, f"{one['version']}, hash {one['sha256']}")
        for name, one in content.get("distributions", {}).items()
    ]
    return [(name, _plain(value)) for name, value in lines if value]


def verified(entry: Submission, key: str) -> tuple[str, str]:
    """The state of a record and details on it."""
    verdict = entry.verdicts.get(key)
    if verdict is None:
        return UNVERIFIED, ""
    words = ["bit for bit"] if verdict.exact and verdict.state == "confirmed" else []
    if verdict.points:
        words.append(f"{verdict.points} points" + (" as sent" if not verdict.rebuilt else ""))
    if verdict.loss is not None and verdict.accuracy is not None and not verdict.exact:
        words.append(f"loss by {verdict.loss:.2g}, accuracy by {verdict.accuracy:.2g}")
    return verdict.state, "; ".join(filter(None, [*words, verdict.reason]))


def _row(material: Material, record: Record, key: str) -> tuple[str, str]:
    """The label of the row that the record counts for, or else why there is none."""
    labels = {row.method: row.label for row in material.board.rows}
    for method, pairs in material.records.items():
        if pairs.get(record.pair) == record:
            return labels[method], ""
    if key in material.sources and material.sources[key].record != record:
        return "", "another record of the same run counts"
    return "", "none: another method, problem, protocol or version counts"


def _plain(value: Any) -> str:
    """A JSON value as one line of text."""
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return str(value)
