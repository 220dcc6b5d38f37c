"""`Run`, problem x pair x method x protocol: the unit of caching and of failure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from mcbench.evaluation import Protocol
from mcbench.store import key_of

SCHEMA = 1
"""The version of the records; it is part of every key."""


def endpoint_key(problem: dict[str, Any], seed: int) -> str:
    """The content key of an endpoint, from its problem's identity and its seed."""
    return key_of({"schema": SCHEMA, "problem": problem, "seed": seed, "dtype": "float32"})


@dataclass(frozen=True)
class Run:
    """One method on one pair.

    Arguments:
        problem: The problem's identity (see `mcbench.Problem`).
        pair: The seeds of A and B.
        method: The method as the user writes it, ``name[p=v]``.
        identity: What of the method determines its path.
        protocol: How the path is evaluated.
    """

    problem: dict[str, Any]
    pair: tuple[int, int]
    method: str
    identity: dict[str, Any]
    protocol: Protocol

    @staticmethod
    def of(record: dict[str, Any]) -> Run:
        """The run that a record is of."""
        return Run(
            record["problem"],
            (record["pair"][0], record["pair"][1]),
            record["method"],
            record["run"]["method"],
            Protocol(**record["run"]["protocol"]),
        )

    @cached_property
    def ends(self) -> tuple[str, str]:
        """The content keys of A and B."""
        return endpoint_key(self.problem, self.pair[0]), endpoint_key(self.problem, self.pair[1])

    @cached_property
    def description(self) -> dict[str, Any]:
        """All that determines the record."""
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

    def failure(self, reason: str, applies: bool) -> dict[str, Any]:
        """The record of a failure; ``applies``: whether the method takes the network at all."""
        return {
            "what": f"{self.method} on pair {self.pair}",
            "reason": reason,
            "applies": applies,
            "run": self.description,
            "problem": self.problem,
            "pair": list(self.pair),
            "method": self.method,
        }
