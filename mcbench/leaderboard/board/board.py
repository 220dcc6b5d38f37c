"""`Board`, a leaderboard's declaration: problem, protocol, rows, the paper's own numbers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcbench.errors import UsageError, unknown
from mcbench.evaluation.protocol import Protocol
from mcbench.leaderboard.board.column import Column
from mcbench.leaderboard.board.family import members
from mcbench.plugins.host import host

if TYPE_CHECKING:
    from mcbench.experiments.plan import Plan


@dataclass(frozen=True)
class Published:
    """A paper's number and its error bar (NaN where it gives none)."""

    mean: float
    std: float


@dataclass(frozen=True)
class Row:
    """A row of a leaderboard.

    Arguments:
        label: The paper's name for it.
        method: ``name[p=v]``; empty where mcbench has no such method; ``endpoints`` for the
            endpoints themselves.
        published: The paper's numbers by column.
        note: A remark for readers of this row.
    """

    label: str
    method: str
    published: dict[str, Published] = field(default_factory=dict)
    note: str = ""


ENDPOINTS = "endpoints"

PARTS = ("dataset", "architecture", "recipe")
"""The parts of a problem."""

SEEDS = {False: "of two seeds, the lower one first", True: "of one seed"}
"""The seeds of a pair, by `Board.same_seed`."""


@dataclass(frozen=True)
class Board:
    """A leaderboard.

    Arguments:
        name: The board's name on the command line.
        title: One line.
        reference: The source of the published numbers.
        dataset, architecture, recipe: The problem, ``name[p=v]`` each.
        endpoints: How many endpoints ``mcbench run --leaderboard`` trains.
        protocol: Arguments of `mcbench.Protocol`.
        columns: By heading, the value shown, as ``worst-accuracy:test`` or ``100 -`` that.
        rows: In the order of the paper.
        note: How to read the table.
        folder: The folder of entries and rendered tables.
        to_recipe: The recipe of the endpoints B; empty if it is ``recipe``, that of A.
        same_seed: Whether both endpoints of a pair have the same seed.
    """

    name: str
    title: str
    reference: str
    dataset: str
    architecture: str
    recipe: str
    endpoints: int
    protocol: dict[str, Any]
    columns: dict[str, str]
    rows: tuple[Row, ...]
    note: str = ""
    folder: Path | None = None
    to_recipe: str = ""
    same_seed: bool = False

    @property
    def shown(self) -> dict[str, Column]:
        """The columns by their headings."""
        return {heading: Column.read(text) for heading, text in self.columns.items()}

    def digits(self, column: str) -> int:
        """Digits after the point: 2 for percentages, for others as many as were published."""
        if self.shown[column].unit == "%":
            return 2
        means = [row.published[column].mean for row in self.rows if column in row.published]
        return max([2, *(len(f"{x}".partition(".")[2]) for x in means)]) if means else 4

    @property
    def summary(self) -> str:
        """The title, for listings."""
        return self.title

    @staticmethod
    def read(path: Path) -> Board:
        """Read a TOML declaration.

        Raises:
            UsageError: Naming the file and what is wrong in it.
        """
        with reading(path) as content:
            return Board.of(content, path.parent)

    @staticmethod
    def read_family(path: Path) -> list[Board]:
        """Read a TOML declaration of several boards: see `mcbench.leaderboard.board.family`.

        A board's folder stands beside the file and has the board's name.

        Raises:
            UsageError: Naming the file and what is wrong in it.
        """
        with reading(path) as content:
            return [Board.of(one, path.parent / one["name"]) for one in members(content)]

    @staticmethod
    def of(content: dict[str, Any], folder: Path) -> Board:
        """Make a board of the fields of a declaration.

        Raises:
            UsageError: If a field is unknown or wrong.
            KeyError, TypeError: If a field is missing, or of another type.
        """
        names = {field.name for field in fields(Board)}
        check_fields(content, names - {"rows", "folder"} | {"row"})
        rows = tuple(
            Row(
                row["label"],
                row.get("method", ""),
                {c: Published(*v) for c, v in row.get("published", {}).items()},
                row.get("note", ""),
            )
            for row in content["row"]
        )
        rest = {name: value for name, value in content.items() if name != "row"}
        board = Board(**rest, rows=rows, folder=folder)
        board.check()
        return board

    def check(self) -> None:
        """Test what can be tested without looking names up.

        Raises:
            UsageError: If the protocol is wrong, a row has a column that the board lacks, or
                endpoints of two recipes share a row.
        """
        check_fields(self.protocol, {f.name for f in fields(Protocol)}, "field of the protocol")
        Protocol(**self.protocol)
        if self.same_seed and not self.to_recipe:
            raise UsageError("same_seed needs to_recipe: one seed of one recipe is one network")
        for row in self.rows:
            if row.method == ENDPOINTS and self.to_recipe:
                raise UsageError(
                    f"row '{row.label}' would be the mean over networks of two recipes: take "
                    "columns of A and of B, as accuracy-a:test and accuracy-b:test"
                )
            check_fields(row.published, self.columns, f"column of row '{row.label}'")

    @property
    def description(self) -> str:
        """Problem, protocol, columns and methods, for ``mcbench show``."""
        protocol = ", ".join(f"{name} {value}" for name, value in self.protocol.items())
        return "\n".join(
            [
                *([self.note, ""] if self.note else []),
                f"Problem: {self.problem}; {self.endpoints} endpoints.",
                f"Protocol: {protocol or 'as by default'}.",
                f"Columns: {', '.join(f'{k} ({v})' for k, v in self.columns.items())}.",
                f"Methods: {', '.join(self.methods)}.",
            ]
        )

    @property
    def problem(self) -> str:
        """Data set, network and recipes, as text."""
        recipes = f"{self.recipe} to {self.to_recipe}" if self.to_recipe else self.recipe
        seeds = ", joined by seed" if self.same_seed else ""
        return f"{self.dataset}, {self.architecture}, {recipes}{seeds}"

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of all rows, each once."""
        named = dict.fromkeys(row.method for row in self.rows)
        return tuple(method for method in named if method not in ("", ENDPOINTS))

    @property
    def has_classes(self) -> bool:
        """Whether the data have classes, so that records have accuracies; landscapes have none."""
        architecture = host().get("architecture", self.architecture)
        return bool(architecture.loss != "output")

    def plan(self, seeds: tuple[int, ...], methods: tuple[str, ...] = ()) -> Plan:
        """The plan that runs the board's methods, or ``methods``, under its protocol."""
        from mcbench.evaluation.metric import usual
        from mcbench.experiments.plan import Plan

        every = usual()
        own = [s.metric for s in self.shown.values() if s.component is not None]
        return Plan(
            dataset=self.dataset,
            architecture=self.architecture,
            recipe=self.recipe,
            methods=methods or self.methods,
            seeds=seeds,
            protocol=Protocol(**self.protocol),
            metrics=tuple(dict.fromkeys([*every, *own])),
            to_recipe=self.to_recipe,
            same_seed=self.same_seed,
        )

    def signature(self) -> dict[str, Any]:
        """Problem, protocol and kind of pairs of the board's records, without versions."""
        return {
            **{kind: identity_of(kind, getattr(self, kind)) for kind in PARTS},
            "to_recipe": identity_of("recipe", self.to_recipe) if self.to_recipe else None,
            "protocol": asdict(Protocol(**self.protocol)),
            "pairs": SEEDS[self.same_seed],
        }


@contextmanager
def reading(path: Path) -> Iterator[dict[str, Any]]:
    """The content of a declaration; errors inside the ``with`` block name the file.

    Raises:
        UsageError: Naming the file and what is wrong in it.
    """
    try:
        yield tomllib.loads(path.read_text())
    except KeyError as error:
        raise UsageError(f"leaderboard declaration {path}: {error} is missing") from None
    except (OSError, tomllib.TOMLDecodeError, TypeError, AttributeError, UsageError) as error:
        raise UsageError(f"leaderboard declaration {path}: {error}") from None


def check_fields(fields: Iterable[str], allowed: Iterable[str], what: str = "field") -> None:
    """Test that all fields are allowed.

    Raises:
        UsageError: Naming the first that is not, and those that are.
    """
    for name in sorted(set(fields) - set(allowed)):
        raise unknown(what, name, allowed)


def identity_of(kind: str, text: str) -> dict[str, Any]:
    """Name and parameters of ``name[p=v]``, without versions."""
    return unversioned(kind, host().identity(kind, host().get(kind, text)))


def unversioned(kind: str, identity: dict[str, Any]) -> dict[str, Any]:
    """An identity's names and parameters, without distributions and versions.

    A parameter that is newer than the identity, which lacks it, gets the default declared now.
    """
    from mcbench.plugins.parameters import parameters

    name, recorded = identity["name"], identity["parameters"]
    claims = host().provided(kind).get(name, [])
    declared = parameters(claims[0].component) if len(claims) == 1 else {}
    values = {}
    for key in [*declared, *(k for k in recorded if k not in declared)]:
        part = declared[key].part if key in declared else None
        if key in recorded:
            value = recorded[key]
        else:
            own = declared[key]
            value = json.loads(json.dumps(own.unset if own.later else own.default))
            if part:
                value = host().identity(part, host().get(part, value))
        values[key] = unversioned(part, value) if part else value
    return {"name": name, "parameters": values}
