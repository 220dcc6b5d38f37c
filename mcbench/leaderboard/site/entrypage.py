"""The page of an entry: its author, records, settings, endpoints and curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mcbench.experiments.record import Record
from mcbench.leaderboard.site.boardpage import entry_name
from mcbench.leaderboard.site.curves import Figure, figure, pair_text
from mcbench.leaderboard.site.material import UNVERIFIED, Material, Submission
from mcbench.leaderboard.site.names import slug
from mcbench.report.reading import columns_of


@dataclass(frozen=True)
class Shown:
    """A line of the entry's records.

    Arguments:
        row: Label and anchor of the board's row that it counts for; ``None`` where it counts for
            none.
        why: The reason why it counts for none.
        values: Text and number for each of the board's columns.
    """

    method: str
    pair: str
    key: str
    row: tuple[str, str] | None
    why: str
    state: tuple[str, str]
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


def page(material: Material, entry: Submission) -> dict[str, Any]:
    """The variables of the template."""
    settings: dict[tuple[tuple[str, str], ...], int] = {}
    for record in entry.records.values():
        settings.setdefault(setting(record), len(settings) + 1)
    numbers = [settings[setting(record)] for record in entry.records.values()]
    return {
        "board": material.board,
        "entry": entry,
        "name": entry_name(material, entry),
        "about": about(entry),
        "columns": list(material.board.columns),
        "records": [
            _record(material, entry, key, settings[setting(record)])
            for key, record in entry.records.items()
        ],
        "verification": sorted((str(k), _plain(v)) for k, v in entry.verification.items()),
        "settings": [Setting(n, s, numbers.count(n)) for s, n in settings.items()],
        "endpoints": endpoints(entry),
        "problems": problems(entry),
        "total": sum(record.cost.seconds for record in entry.records.values()),
        "times": _times(entry),
        "figure": curves(entry),
    }


def setting(record: Record) -> tuple[tuple[str, str], ...]:
    """Versions and hardware as names and values, without the time."""
    source = record.provenance.to_json()
    machine = {k: v for k, v in source.items() if k not in ("time", "packages")}
    versions = source["packages"]
    return tuple(sorted((str(k), _plain(v)) for k, v in {**machine, **versions}.items()))


def endpoints(entry: Submission) -> list[tuple[int, str]]:
    """Seeds and keys of the networks."""
    return sorted(
        {
            (seed, key)
            for record in entry.records.values()
            for seed, key in zip(record.pair, record.run.endpoints, strict=True)
        }
    )


def problems(entry: Submission) -> list[str]:
    """The problems of the records, by name."""
    names = set()
    for record in entry.records.values():
        problem, other = record.problem, record.to_recipe
        parts = [part.name for part in (problem.dataset, problem.architecture, problem.recipe)]
        names.add(", ".join(parts) + (f" to {other.name}" if other else ""))
    return sorted(names)


def curves(entry: Submission) -> Figure:
    """A colour for each method, a thin line for each pair, a thick one for their mean."""
    by_method: dict[str, list[Record]] = {}
    for record in entry.records.values():
        by_method.setdefault(record.method, []).append(record)
    return figure(by_method, splits=("test", "train"))


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


def _record(material: Material, entry: Submission, key: str, number: int) -> Shown:
    record = entry.records[key]
    row, why = _row(material, record, key)
    values = columns_of(record)
    shown = material.board.shown
    shown_values = [(column, shown[column].of(values)) for column in shown]
    plugin = record.run.method
    return Shown(
        method=record.method,
        pair=pair_text(record.pair),
        key=key,
        row=row,
        why=why,
        state=verified(entry, key),
        values=tuple(
            ("" if v is None else f"{v:.{material.board.digits(c)}f}", v) for c, v in shown_values
        ),
        end=record.measured.end,
        seconds=record.cost.seconds,
        plugin=f"{plugin.distribution} {plugin.version}",
        setting=number,
        time=record.provenance.time,
    )


def _row(material: Material, record: Record, key: str) -> tuple[tuple[str, str] | None, str]:
    """The row that the record counts for, or why there is none."""
    labels = {row.method: row.label for row in material.board.rows}
    for method, pairs in material.records.items():
        if pairs.get(record.pair) == record:
            return (labels[method], f"row-{slug(labels[method])}"), ""
    if key in material.sources and material.sources[key].record != record:
        return None, "another record of the same run counts"
    return None, "none: another method, problem, protocol or version counts"


def _times(entry: Submission) -> tuple[str, str]:
    times = sorted(r.provenance.time for r in entry.records.values())
    return (times[0], times[-1]) if times else ("", "")


def _plain(value: Any) -> str:
    """A JSON value as one line of text."""
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return str(value)
