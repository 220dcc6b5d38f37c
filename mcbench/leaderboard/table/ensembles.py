"""`EnsembleBoard`, a leaderboard of ensembles: test error by budget, measured and published."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from shlex import join
from typing import Any

from mcbench.errors import UsageError
from mcbench.leaderboard.board.board import (
    PARTS,
    Published,
    check_fields,
    identity_of,
    reading,
    unversioned,
)
from mcbench.leaderboard.entry.files import undamaged
from mcbench.report.tables import Table, plus_minus
from mcbench.stats.summary import Summary, summarize
from mcbench.store.key import canonical
from mcbench.store.store import Store

SHARED = {"reference", "budgets", "endpoints", "note", "board"}
OWN = {"name", "title", "dataset", "architecture", "recipe", "row", "note"}
ROW = {"label", "ensemble", "published", "note"}


@dataclass(frozen=True)
class EnsembleRow:
    """A row of a leaderboard of ensembles.

    Arguments:
        label: The paper's name for it.
        ensemble: ``name[p=v]``.
        published: The paper's numbers by budget, for the first budgets.
        note: A remark for readers of this row.
    """

    label: str
    ensemble: str
    published: tuple[Published, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class EnsembleBoard:
    """A leaderboard of ensembles: test error by the budget of training.

    Arguments:
        name: The board's name on the command line.
        title: One line.
        reference: The source of the published numbers.
        dataset, architecture, recipe: The problem, ``name[p=v]`` each.
        budgets: Epochs in multiples of the recipe's.
        endpoints: The number of trainings.
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
        """The title, for listings."""
        return self.title

    @property
    def description(self) -> str:
        """Problem, budgets and ensembles, for ``mcbench show``."""
        return "\n".join(
            [
                *([self.note, ""] if self.note else []),
                f"Problem: {self.dataset}, {self.architecture}, {self.recipe}.",
                f"Budgets: {', '.join(f'{b}B' for b in self.budgets)}; "
                f"{self.endpoints} trainings.",
                f"Ensembles: {', '.join(row.ensemble for row in self.rows)}.",
            ]
        )

    @property
    def command(self) -> str:
        """The command that measures the board."""
        words = ["mcbench", "ensemble", "-d", self.dataset, "-a", self.architecture]
        words += ["-r", self.recipe, "--endpoints", str(self.endpoints)]
        words += ["--budgets", ",".join(map(str, self.budgets))]
        for row in self.rows:
            words += ["-e", row.ensemble]
        return join(words)

    def signature(self) -> dict[str, Any]:
        """Names and parameters of the problem of the board's records, without versions."""
        return {kind: identity_of(kind, getattr(self, kind)) for kind in PARTS}


def read(path: Path) -> list[EnsembleBoard]:
    """Read the boards of a TOML file: their shared fields, and a ``[[board]]`` for each.

    Raises:
        UsageError: Naming the file and what is wrong in it.
    """
    with reading(path) as content:
        check_fields(content, SHARED)
        return [_board(content, own) for own in content["board"]]


def _board(shared: dict[str, Any], own: dict[str, Any]) -> EnsembleBoard:
    check_fields(own, OWN)
    budgets = tuple(shared["budgets"])
    notes = (part.get("note", "").strip() for part in (shared, own))
    return EnsembleBoard(
        **{name: own[name] for name in ("name", "title", *PARTS)},
        **{name: shared[name] for name in ("reference", "endpoints")},
        budgets=budgets,
        rows=tuple(_row(row, len(budgets)) for row in own["row"]),
        note="\n".join(filter(None, notes)),
    )


def _row(row: dict[str, Any], budgets: int) -> EnsembleRow:
    """A row; a published number stands alone or in a list with its error bar."""
    check_fields(row, ROW)
    numbers = [x if isinstance(x, list) else [x, math.nan] for x in row.get("published", ())]
    if len(numbers) > budgets:
        raise UsageError(f"row '{row['label']}' has {len(numbers)} numbers for {budgets} budgets")
    published = tuple(Published(*map(float, pair)) for pair in numbers)
    return EnsembleRow(row["label"], row["ensemble"], published, row.get("note", ""))


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
            ours = _error(record, budget)
            cells[f"{budget}B"] = plus_minus(ours.mean, ours.std) if ours else "not run"
            if ours:
                data |= {f"{budget}B": ours.mean, f"{budget}B:std": ours.std}
            for paper in row.published[i : i + 1]:
                cells[f"{budget}B published"] = plus_minus(paper.mean, paper.std)
                data |= {f"{budget}B:published": paper.mean, f"{budget}B:published:std": paper.std}
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
    """Collect a record for each ensemble of the board: that of most trainings, then the latest.

    Raises:
        UsageError: If a part of the board's problem is not installed.
    """
    signature = board.signature()
    texts = [row.ensemble for row in board.rows]
    wanted = {canonical(identity_of("ensemble", text)): text for text in texts}
    latest: dict[str, dict[str, Any]] = {}
    for record in undamaged(store, "ensembles", lambda s, key: s.read_record("ensembles", key)):
        if "budgets" not in record:
            continue
        try:
            parts = {kind: unversioned(kind, record["problem"][kind]) for kind in signature}
            identity = unversioned("ensemble", record["description"]["ensemble"])
        except (UsageError, KeyError, TypeError, AttributeError):
            continue  # Of other versions or plugins.
        ensemble = wanted.get(canonical(identity))
        budgets = {pool["budget"] for pool in record["budgets"]}
        if parts == signature and ensemble and budgets >= set(board.budgets):
            before = latest.get(ensemble)
            if before is None or _weight(before) <= _weight(record):
                latest[ensemble] = record
    return latest


def _weight(record: dict[str, Any]) -> tuple[int, str]:
    return len(record["description"]["endpoints"]), record["provenance"]["time"]
