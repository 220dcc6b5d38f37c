"""`Record`, what a run gave: from the run to the store, tables, figures, entries and the site.

The models are the schema as well: of the store's files, of the records in the entry files of
leaderboards, and of the reference page. Here alone records are read and written.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcbench.errors import DamagedError, one_line
from mcbench.evaluation.evaluate import Curve
from mcbench.evaluation.protocol import Protocol
from mcbench.store.key import key_of
from mcbench.store.store import Store

Key = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Version = Annotated[str, Field(min_length=1, max_length=100)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Positive = Annotated[float, Field(ge=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Point = Annotated[float, Field(ge=0, le=1)]


T = TypeVar("T", bound="RunFields")


class Strict(BaseModel):
    """Values that do not change: no unknown fields, no conversions, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """From `to_json`.

        Raises:
            pydantic.ValidationError: If a field is missing, unknown, or of another type.
        """
        return cls.model_validate(stored)

    def to_json(self) -> dict[str, Any]:
        """As JSON has it: the fields that were given, and no others."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Identity(Strict):
    """A component: name, parameters, and the distribution that it is of."""

    name: Name
    parameters: dict[str, Any]
    distribution: Name
    version: Version


class DatasetIdentity(Identity):
    """A data set, and the hash of its content."""

    fingerprint: Sha256


class ProblemIdentity(Strict):
    """What a pair of endpoints is drawn from."""

    dataset: DatasetIdentity
    architecture: Identity
    recipe: Identity


class ProtocolFields(Strict):
    """How the path was evaluated: the fields of `mcbench.Protocol`."""

    points: Annotated[int, Field(ge=2, le=100_000)]
    refine: Annotated[int, Field(ge=0, le=1000)]
    augment: bool
    seed: Seed


class RunDescription(Strict):
    """All that determines the record; its hash is the run's content key."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    endpoints: Annotated[tuple[Key, Key], Field(strict=False)]
    method: Identity
    protocol: ProtocolFields
    dtype: Literal["float32"]


class BySplit(Strict):
    """Values by split; both are there."""

    train: list[float]
    test: list[float]


class PercentBySplit(Strict):
    """Percentages by split; both are there."""

    train: list[Percent]
    test: list[Percent]


class PercentOfSplit(Strict):
    """A percentage by split."""

    train: Percent
    test: Percent


class Nothing(Strict):
    """In place of accuracies, where the data have no classes."""


class Ensembles(Strict):
    """Accuracy of the ensemble of the path's ends, and of all points of the grid."""

    ends: PercentOfSplit
    path: PercentOfSplit


class CurveFields(Strict):
    """The fields of `mcbench.Curve`; ``with_start`` and ``square`` where they were measured."""

    t: Annotated[list[Point], Field(min_length=2)]
    grid: list[bool]
    position: list[Positive]
    loss: BySplit
    accuracy: PercentBySplit | Nothing
    straight: Positive
    ensembles: Ensembles | Nothing
    with_start: PercentBySplit | Nothing = Nothing()
    end: Literal["b", "permuted", "short"]
    square: list[Positive] = []


class Measured(Strict):
    """A metric's values by split or name, or why it does not apply; a value may be NaN."""

    version: Version
    values: dict[str, Annotated[float, Field(allow_inf_nan=True)]]
    inapplicable: str = ""


class Installed(Strict):
    """An installed distribution and the hash of its files."""

    version: Version
    sha256: Sha256


class Provenance(Strict):
    """Where and with what something was computed; ``distributions`` where they were hashed."""

    python: Version
    packages: dict[Name, str]
    system: Name
    device: Name
    threads: Annotated[int, Field(ge=1)]
    time: Time
    distributions: dict[Name, Installed] | None = None


class PartCost(Strict):
    """The fields of `mcbench.store.cost.Cost`: seconds, passes over the data, MiB."""

    seconds: Positive
    passes: Positive
    memory: Positive | None


class RunCost(Strict):
    """What a run took, whole and in parts; ``connect_seconds`` where the path was only timed."""

    seconds: Positive
    evaluations: Annotated[int, Field(ge=0)]
    path: PartCost | None = None
    fit: PartCost | None = None
    connect_seconds: Positive | None = None


class RunFields(Strict):
    """What was run, whatever came of it.

    ``problem`` is A's; ``to_recipe`` is B's recipe where it is another one. ``method`` is the
    method as the user wrote it.
    """

    run: RunDescription
    problem: ProblemIdentity
    to_recipe: Identity | None = None
    pair: Annotated[tuple[Seed, Seed], Field(strict=False)]
    method: str

    @property
    def key(self) -> str:
        """The content key of the run."""
        return key_of(self.run.to_json())

    @property
    def protocol(self) -> Protocol:
        """How the path was evaluated."""
        return Protocol(**self.run.protocol.to_json())


class Record(RunFields):
    """What a run gave; as good as the path itself, which can be built from it again.

    ``metrics`` are by the metric's text, ``notes`` are what the method said of its path.
    """

    measured: Annotated[CurveFields, Field(alias="curve")]
    metrics: dict[str, Measured]
    notes: dict[str, str] | None = None
    provenance: Provenance
    cost: RunCost

    @property
    def curve(self) -> Curve:
        """What was measured along the path; a copy."""
        return Curve.of(self.measured.to_json())

    def values_of(self, metric: str) -> dict[str, float]:
        """A metric's values by split or name; none if it was not measured."""
        return self.metrics[metric].values if metric in self.metrics else {}

    def with_metrics(self, added: dict[str, Measured]) -> Record:
        """The record with more metrics; those of the same name are replaced."""
        return self.model_copy(update={"metrics": {**self.metrics, **added}})


class Failure(RunFields):
    """Why a run failed; ``applies``: whether the method takes the network at all."""

    what: str
    reason: str
    applies: bool


def read(store: Store, key: str) -> Record | None:
    """The stored record of a run, or ``None`` if there is none.

    Raises:
        DamagedError: If its file is truncated, was altered, or has other fields than a record.
    """
    stored = store.read_record("runs", key)
    return None if stored is None else _of(Record, stored, key)


def write(store: Store, record: Record) -> None:
    """Store the record of a run."""
    store.write_record("runs", record.key, record.to_json())


def read_failure(store: Store, key: str) -> Failure | None:
    """The stored failure of a run; ``None`` if there is none, or it is an endpoint's.

    Raises:
        DamagedError: See `read`.
    """
    stored = store.read_record("failures", key)
    return _of(Failure, stored, key) if stored and "run" in stored else None


def _of(model: type[T], stored: dict[str, Any], key: str) -> T:
    try:
        return model.of(stored)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DamagedError(f"record {key} is damaged: {place}: {one_line(first['msg'])}") from None
