"""`EnsembleBoard`, published accuracies of ensembles by budget, beside measured ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import join
from typing import Any

from mcbench.errors import DamagedError, UsageError, unknown
from mcbench.leaderboard.board.board import PARTS, Published, plain, reading, typed
from mcbench.plugins.host import host
from mcbench.report.tables import Table, plus_minus
from mcbench.stats.summary import Summary, summarize
from mcbench.store.key import canonical
from mcbench.store.store import Store

SHARED = {"reference", "budgets", "endpoints", "note", "board"}
OWN = {"name", "title", "dataset", "architecture", "recipe", "row", "note"}


@dataclass(frozen=True)
class EnsembleRow:
    """A row of such a board.

    Arguments:
        label: As the paper names it.
        ensemble: ``name[p=v]``.
        published: The paper's numbers, budget by budget; fewer where it has no more.
        note: What a reader has to know of this row.
    """

    label: str
    ensemble: str
    published: tuple[Published, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class EnsembleBoard:
    """A leaderboard of ensembles: test error by the budget of training.

    Arguments:
        name: Its name on the command line.
        title: One line.
        reference: The source of the published numbers.
        dataset, architecture, recipe: The problem, ``name[p=v]`` each.
        budgets: Times the epochs of the recipe.
        endpoints: How many trainings the paper's numbers, or ours, are made of.
        rows: In the order of the paper.
        note: How to read the table.
    """

    name: str
    title: str
    reference: str
    dataset: str
    architecture: str
    recipe: str
    budgets: tuple[int, ...]
    endpoints: int
    rows: tuple[EnsembleRow, ...]
    note: str = ""

    @property
    def summary(self) -> str:
        """For listings."""
        return self.title

    @property
    def description(self) -> str:
        """What it fixes, for ``mcbench show``."""
        lines = [self.note, ""] if self.note else []
        return "\n".join(
            [
                *lines,
                f"Problem: {self.dataset}, {self.architecture}, {self.recipe}.",
                f"Budgets: {', '.join(f'{b}B' for b in self.budgets)}; "
                f"{self.endpoints} trainings.",
                f"Ensembles: {', '.join(row.ensemble for row in self.rows)}.",
            ]
        )

    @property
    def command(self) -> str:
        """What measures it."""
        words = ["mcbench", "ensemble", "-d", self.dataset, "-a", self.architecture]
        words += ["-r", self.recipe, "--endpoints", str(self.endpoints)]
        words += ["--budgets", ",".join(map(str, self.budgets))]
        for row in self.rows:
            words += ["-e", row.ensemble]
        return join(words)

    def signature(self) -> dict[str, Any]:
        """What a record must have been computed on: names and parameters, without versions."""
        return {kind: typed(kind, getattr(self, kind)) for kind in PARTS}


def read(path: Path) -> list[EnsembleBoard]:
    """The boards of a TOML file: what they share, and a ``[[board]]`` for each.

    Raises:
        UsageError: Naming the file and what is wrong in it.
    """
    with reading(path) as content:
        _known(content, SHARED)
        return [_board(content, own) for own in content["board"]]


def _known(fields: dict[str, Any], allowed: set[str]) -> None:
    for stray in sorted(set(fields) - allowed):
        raise unknown("field", stray, allowed)


def _board(shared: dict[str, Any], own: dict[str, Any]) -> EnsembleBoard:
    _known(own, OWN)
    budgets = tuple(shared["budgets"])
    rows = []
    for row in own["row"]:
        _known(row, {"label", "ensemble", "published", "note"})
        published = tuple(Published(*_pair(v)) for v in row.get("published", ()))
        if len(published) > len(budgets):
            raise UsageError(f"row '{row['label']}' has more numbers than there are budgets")
        rows.append(EnsembleRow(row["label"], row["ensemble"], published, row.get("note", "")))
    return EnsembleBoard(
        own["name"],
        own["title"],
        shared["reference"],
        own["dataset"],
        own["architecture"],
        own["recipe"],
        budgets,
        shared["endpoints"],
        tuple(rows),
        "\n".join(filter(None, [shared.get("note", "").strip(), own.get("note", "").strip()])),
    )


def _pair(value: Any) -> tuple[float, float]:
    """A number, or a number and its error bar (else NaN)."""
    mean, std = value if isinstance(value, list) else (value, float("nan"))
    return float(mean), float(std)


def table(board: EnsembleBoard, store: Store | None) -> Table:
    """Measured beside published, as test error (%)."""
    heads = ["method", "ensemble"]
    for budget in board.budgets:
        heads += [f"{budget}B", f"{budget}B published"]
    title = f"{board.title} ({board.reference})"
    shown = Table("leaderboard", title, [*heads, "trainings", "epochs"], keys=1)
    notes = board.note.splitlines()
    try:
        measured = collect(board, store)
    except UsageError as error:
        measured = {}
        notes.append(f"Nothing can be measured here: {error}")
    for row in board.rows:
        record = measured.get(row.ensemble)
        cells = {"method": row.label, "ensemble": row.ensemble}
        data: dict[str, Any] = {"row": row.label, "ensemble": row.ensemble}
        if record:
            growth = record["growth"][-1]
            cells |= {"trainings": str(len(growth["accuracy"])), "epochs": f"{growth['epochs']:g}"}
            data |= {"trainings": len(growth["accuracy"]), "epochs": growth["epochs"]}
        for i, budget in enumerate(board.budgets):
            found = _error(record, budget)
            cells[f"{budget}B"] = plus_minus(found.mean, found.std) if found else "not run"
            if found:
                data |= {f"{budget}B": found.mean, f"{budget}B:std": found.std}
            if i < len(row.published):
                known = row.published[i]
                cells[f"{budget}B published"] = plus_minus(known.mean, known.std)
                data |= {f"{budget}B:published": known.mean, f"{budget}B:published:std": known.std}
        shown.add(cells, data)
        notes += [f"{row.label}: {row.note}"] if row.note else []
    if len(measured) < len({row.ensemble for row in board.rows}):
        notes.append(f"Measure what is missing with: {board.command}")
    shown.note = "\n".join(notes)
    return shown


def _error(record: dict[str, Any] | None, budget: int) -> Summary | None:
    """Test error (%) over the choices of trainings that fit into a budget."""
    for pool in record["budgets"] if record else ():
        if pool["budget"] == budget and pool["accuracy"]:
            return summarize([100 - value for value in pool["accuracy"]])
    return None


def collect(board: EnsembleBoard, store: Store | None) -> dict[str, dict[str, Any]]:
    """The records of the board's ensembles: of each the one of most trainings, then the latest.

    Raises:
        UsageError: If a part of the board's problem is not there.
    """
    signature = board.signature()
    wanted = {}
    for row in board.rows:
        component = host().get("ensemble", row.ensemble)
        identity = plain("ensemble", host().identity("ensemble", component))
        wanted[canonical(identity)] = row.ensemble
    found: dict[str, dict[str, Any]] = {}
    for record in _records(store):
        try:
            parts = {kind: plain(kind, record["problem"][kind]) for kind in signature}
            identity = plain("ensemble", record["description"]["ensemble"])
        except (UsageError, KeyError, TypeError, AttributeError):
            continue  # Of other versions or plugins.
        ensemble = wanted.get(canonical(identity))
        budgets = {pool["budget"] for pool in record["budgets"]}
        if parts == signature and ensemble and budgets >= set(board.budgets):
            known = found.get(ensemble)
            if known is None or _weight(known) <= _weight(record):
                found[ensemble] = record
    return found


def _weight(record: dict[str, Any]) -> tuple[int, str]:
    return len(record["description"]["endpoints"]), record["provenance"]["time"]


def _records(store: Store | None) -> list[dict[str, Any]]:
    """The stored records of ensembles that have budgets; a damaged one is left out."""
    found = []
    for entry in store.entries("ensembles") if store else ():
        try:
            record = store.read_record("ensembles", entry.key) if store else None
        except DamagedError:
            continue
        if record and "budgets" in record:
            found.append(record)
    return found
