"""`Record`, the stored result of a run, for the store, tables, figures, entries and the site.

The models are also the schema of the store's files, of the records in leaderboard entries, and of
the reference page. Records are read and written here only.
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
    """Immutable values: no unknown fields, no conversions, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """Read the JSON of `to_json`.

        Raises:
            pydantic.ValidationError: If a field is missing, unknown, or of another type.
        """
        return cls.model_validate(stored)

    def to_json(self) -> dict[str, Any]:
        """JSON of the fields that were given, and no others."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Identity(Strict):
    """A component: name, parameters, and the distribution that provides it."""

    name: Name
    parameters: dict[str, Any]
    distribution: Name
    version: Version


class DatasetIdentity(Identity):
    """A data set, and the hash of its content."""

    fingerprint: Sha256


class ProblemIdentity(Strict):
    """Data set, architecture and recipe of the endpoints."""

    dataset: DatasetIdentity
    architecture: Identity
    recipe: Identity


class ProtocolFields(Strict):
    """The fields of `mcbench.Protocol`: how the path was evaluated."""

    points: Annotated[int, Field(ge=2, le=100_000)]
    refine: Annotated[int, Field(ge=0, le=1000)]
    augment: bool
    seed: Seed


class RunDescription(Strict):
    """Everything that determines the record; its hash is the run's content key."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    endpoints: Annotated[tuple[Key, Key], Field(strict=False)]
    method: Identity
    protocol: ProtocolFields
    dtype: Literal["float32"]


class BySplit(Strict):
    """Values on both splits."""

    train: list[float]
    test: list[float]


class PercentBySplit(Strict):
    """Percentages on both splits."""

    train: list[Percent]
    test: list[Percent]


class PercentOfSplit(Strict):
    """One percentage on each split."""

    train: Percent
    test: Percent


class Nothing(Strict):
    """No accuracies, where the data have no classes."""


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
    """Machine and software of a computation; ``distributions`` where they were hashed."""

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
    """Cost of a run and of its parts; ``connect_seconds`` where the path was only timed."""

    seconds: Positive
    evaluations: Annotated[int, Field(ge=0)]
    path: PartCost | None = None
    fit: PartCost | None = None
    connect_seconds: Positive | None = None


class RunFields(Strict):
    """Fields of a run that its record and its failure share.

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
    """Result of a run; its path can be built from it again.

    ``metrics`` by the metric's text; ``notes`` of the method on its path.
    """

    measured: Annotated[CurveFields, Field(alias="curve")]
    metrics: dict[str, Measured]
    notes: dict[str, str] | None = None
    provenance: Provenance
    cost: RunCost

    @property
    def curve(self) -> Curve:
        """A copy of the measured curve."""
        return Curve.of(self.measured.to_json())

    def values_of(self, metric: str) -> dict[str, float]:
        """A metric's values by split or name; none if it was not measured."""
        return self.metrics[metric].values if metric in self.metrics else {}

    def with_metrics(self, added: dict[str, Measured]) -> Record:
        """The record with more metrics; those of the same name are replaced."""
        return self.model_copy(update={"metrics": {**self.metrics, **added}})


class Failure(RunFields):
    """Reason why a run failed; ``applies``: whether the method takes the network at all."""

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


def intact(store: Store, key: str) -> Record | None:
    """The stored record of a run; a damaged one is logged and removed, and gives ``None``."""
    try:
        return read(store, key)
    except DamagedError as error:
        store.discard("runs", key, error)
        return None


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
