"""`Run`, problem x pair x method x protocol: the unit of caching and of failure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mcbench.evaluation.protocol import Protocol
from mcbench.store.key import key_of

if TYPE_CHECKING:
    from mcbench.experiments.record import RunFields

SCHEMA = 1
"""The version of the records; it is part of every key."""


def endpoint_key(problem: dict[str, Any], seed: int) -> str:
    """The content key of an endpoint, from its problem's identity and its seed."""
    return key_of({"schema": SCHEMA, "problem": problem, "seed": seed, "dtype": "float32"})


def problems(
    problem: dict[str, Any], to_recipe: dict[str, Any] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The identities of A's and B's problems, which differ at most in the recipe.

    Arguments:
        problem: The identity of A's problem.
        to_recipe: The identity of B's recipe; ``None`` if it is A's.
    """
    return problem, {**problem, "recipe": to_recipe} if to_recipe else problem


@dataclass(frozen=True)
class Run:
    """One method on one pair of endpoints.

    Arguments:
        problem: The identity of the problem (see `mcbench.Problem`); A's, if B has another recipe.
        pair: The seeds of A and B.
        method: The method as the user writes it, ``name[p=v]``.
        identity: Name, parameters, distribution and version of the method.
        protocol: How the path is evaluated.
        to_recipe: The identity of B's recipe; ``None`` if it is A's.
    """

    problem: dict[str, Any]
    pair: tuple[int, int]
    method: str
    identity: dict[str, Any]
    protocol: Protocol
    to_recipe: dict[str, Any] | None = None

    @staticmethod
    def of(record: RunFields) -> Run:
        """The run of a record or of a failure."""
        return Run(
            record.problem.to_json(),
            record.pair,
            record.method,
            record.run.method.to_json(),
            record.protocol,
            record.to_recipe.to_json() if record.to_recipe else None,
        )

    @property
    def title(self) -> str:
        """The run for people: ``ot-wa 0-1``."""
        return f"{self.method} {self.pair[0]}-{self.pair[1]}"

    @cached_property
    def problems(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The identities of A's and B's problems."""
        return problems(self.problem, self.to_recipe)

    @cached_property
    def ends(self) -> tuple[str, str]:
        """The content keys of A and B."""
        a, b = map(endpoint_key, self.problems, self.pair)
        return a, b

    @cached_property
    def description(self) -> dict[str, Any]:
        """Everything that determines the record."""
        return {
            "schema": SCHEMA,
            "endpoints": list(self.ends),
            "method": self.identity,
            "protocol": asdict(self.protocol),
            "dtype": "float32",
        }

    @cached_property
    def key(self) -> str:
        """The content key of the record."""
        return key_of(self.description)

    @property
    def fields(self) -> dict[str, Any]:
        """The run's fields in a record or a failure; `of` reads them back."""
        fields = {
            "run": self.description,
            "problem": self.problem,
            "pair": list(self.pair),
            "method": self.method,
        }
        return fields | ({"to_recipe": self.to_recipe} if self.to_recipe else {})

    def failure(self, reason: str, applies: bool) -> dict[str, Any]:
        """The record of a failure; ``applies``: whether the method takes the network at all."""
        what = f"{self.method} on pair {self.pair}"
        return {"what": what, "reason": reason, "applies": applies, **self.fields}
