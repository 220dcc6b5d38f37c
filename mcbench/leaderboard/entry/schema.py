"""The entry file's schema: what fields there are, of which types. Nothing else is allowed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = 1
"""The version of the entry file."""

Key = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Text = Annotated[str, Field(max_length=1000)]
Version = Annotated[str, Field(min_length=1, max_length=100)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Positive = Annotated[float, Field(ge=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Point = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """No unknown fields, no conversions, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Identity(Strict):
    """A component: `mcbench.plugins.host.Host.identity`."""

    name: Name
    parameters: dict[str, Any]
    distribution: Name
    version: Version


class DatasetIdentity(Identity):
    """A data set and its content's hash."""

    fingerprint: Sha256


class ProblemIdentity(Strict):
    """`mcbench.Problem.identity`."""

    dataset: DatasetIdentity
    architecture: Identity
    recipe: Identity


class ProtocolOf(Strict):
    """`mcbench.Protocol`."""

    points: Annotated[int, Field(ge=2, le=100_000)]
    refine: Annotated[int, Field(ge=0, le=1000)]
    augment: bool
    seed: Seed


class RunOf(Strict):
    """`mcbench.experiments.run.Run.description`."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    endpoints: Annotated[list[Key], Field(min_length=2, max_length=2)]
    method: Identity
    protocol: ProtocolOf
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
    """Of accuracies, where the data have no classes."""


class Ensembles(Strict):
    """Of the path's ends and of all points of the grid."""

    ends: PercentOfSplit
    path: PercentOfSplit


class CurveOf(Strict):
    """`mcbench.Curve`; ``with_start`` and ``square`` are not in records of older versions."""

    t: Annotated[list[Point], Field(min_length=2)]
    grid: list[bool]
    position: list[Positive]
    loss: BySplit
    accuracy: PercentBySplit | Nothing
    straight: Positive
    ensembles: Ensembles | Nothing
    with_start: PercentBySplit | Nothing | None = None
    end: Literal["b", "permuted", "short"]
    square: list[Positive] | None = None


class MetricOf(Strict):
    """A metric's values by split or name, or why it does not apply."""

    version: Version
    values: dict[str, float]
    inapplicable: Text = ""


class DistributionOf(Strict):
    """An installed distribution and the hash of its files."""

    version: Version
    sha256: Sha256


class ProvenanceOf(Strict):
    """Where and with what a record was computed."""

    python: Version
    packages: dict[Name, Text]
    system: Name
    device: Name
    threads: Annotated[int, Field(ge=1)]
    time: Time
    distributions: dict[Name, DistributionOf] | None = None


class CostOf(Strict):
    """`mcbench.store.cost.Cost`."""

    seconds: Positive
    passes: Positive
    memory: Positive | None


class CostsOf(Strict):
    """What a run took; ``connect_seconds`` is in records of older versions."""

    seconds: Positive
    evaluations: Annotated[int, Field(ge=0)]
    path: CostOf | None = None
    fit: CostOf | None = None
    connect_seconds: Positive | None = None


class RecordOf(Strict):
    """A run's record, which is the recipe of its path too: method, endpoints, seeds.

    ``problem`` is A's; ``to_recipe`` is B's recipe where it is another one.
    """

    run: RunOf
    problem: ProblemIdentity
    to_recipe: Identity | None = None
    pair: Annotated[list[Seed], Field(min_length=2, max_length=2)]
    method: Text
    curve: CurveOf
    metrics: dict[Name, MetricOf]
    notes: dict[Name, Text] | None = None
    provenance: ProvenanceOf
    cost: CostsOf


class RecordItem(Strict):
    """A record with its content key and its hash; ``path``: the hash of its points, if sent."""

    key: Key
    sha256: Sha256
    record: RecordOf
    path: Sha256 | None = None


class EndpointCost(Strict):
    """What an endpoint's training took."""

    seconds: Positive


class EndpointItem(Strict):
    """An endpoint; ``sha256`` is of its tensors, and none if they were not at hand."""

    seed: Seed
    sha256: Sha256 | None
    provenance: ProvenanceOf | None = None
    cost: EndpointCost | None = None


class PathsFile(Strict):
    """The file of the paths' points, beside the entry."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


class ProblemTexts(Strict):
    """The problem as one types it, ``name[p=v]`` each."""

    dataset: Text
    architecture: Text
    recipe: Text
    to_recipe: Text = ""


class Content(Strict):
    """What an entry's hash is of."""

    leaderboard: Name
    name: Annotated[str, Field(max_length=100)]
    note: Text
    problem: ProblemTexts
    distributions: dict[Name, DistributionOf]
    endpoints: dict[Key, EndpointItem]
    records: Annotated[list[RecordItem], Field(min_length=1, max_length=100_000)]
    paths: PathsFile | None = None


class EntryFile(Strict):
    """The whole file."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    sha256: Sha256
    content: Content
