"""The entry file's schema: what fields there are, of which types. Nothing else is allowed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mcbench.experiments.record import (
    Installed,
    Key,
    Name,
    Positive,
    Provenance,
    Record,
    Seed,
    Sha256,
    Strict,
)

SCHEMA = 1
"""The version of the entry file."""

Text = Annotated[str, Field(max_length=1000)]


class RecordItem(Strict):
    """A record with its content key and its hash; ``path``: the hash of its points, if sent."""

    key: Key
    sha256: Sha256
    record: Record
    path: Sha256 | None = None


class EndpointCost(Strict):
    """The cost of an endpoint's training."""

    seconds: Positive


class EndpointItem(Strict):
    """An endpoint; ``sha256`` is of its tensors, and ``None`` if the store lacked them."""

    seed: Seed
    sha256: Sha256 | None
    provenance: Provenance | None = None
    cost: EndpointCost | None = None


class PathsFile(Strict):
    """The file of the paths' points, beside the entry."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


class ProblemTexts(Strict):
    """The problem as text, ``name[p=v]`` each."""

    dataset: Text
    architecture: Text
    recipe: Text
    to_recipe: Text = ""


class Content(Strict):
    """The content of an entry, which its hash covers."""

    leaderboard: Name
    name: Annotated[str, Field(max_length=100)]
    note: Text
    problem: ProblemTexts
    distributions: dict[Name, Installed]
    endpoints: dict[Key, EndpointItem]
    records: Annotated[list[RecordItem], Field(min_length=1, max_length=100_000)]
    paths: PathsFile | None = None


class EntryFile(Strict):
    """The entry file: schema, hash and content."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    sha256: Sha256
    content: Content
