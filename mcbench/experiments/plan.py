"""`Plan`, a benchmark as the user asks for it, and `Results`, its records and failures."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.run import Run

if TYPE_CHECKING:
    from mcbench.experiments.record import Record


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The user's request, as text.

    Arguments:
        dataset, architecture, recipe: ``name[p=v]``; an empty recipe means the data set's own.
        methods: ``name[p=v]`` each.
        seeds: One per endpoint; all `pairs` of them are connected.
        protocol: How paths are evaluated.
        metrics: ``name[p=v]`` each; none means the usual ones.
        executor: The component that carries out the runs.
        to_recipe: The recipe of the endpoints B, as text; empty if it is that of A.
        same_seed: Whether A and B of a pair have the same seed and differ in their recipe.
    """

    dataset: str = "digits"
    architecture: str = "mlp2"
    recipe: str = ""
    methods: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2, 3)
    protocol: Protocol = field(default_factory=Protocol)
    metrics: tuple[str, ...] = ()
    executor: str = "local"
    to_recipe: str = ""
    same_seed: bool = False

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The seeds of A and B: all (i, j) with i < j, or all (i, i)."""
        seeds = sorted(self.seeds)
        return [(s, s) for s in seeds] if self.same_seed else [*combinations(seeds, 2)]


@dataclass
class Results:
    """Endpoints, runs, records and failures of a plan.

    Arguments:
        problem: The problem's identity.
        endpoints: Records of the trained endpoints by seed.
        runs: The runs of the plan whose endpoints exist.
        records: The records of finished runs by key.
        failures: Reasons by what failed: a run's key, or ``seed N``.
        recipes: A's and B's recipe as text, if they differ.
    """

    problem: dict[str, Any]
    endpoints: dict[int, dict[str, Any]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    recipes: tuple[str, ...] = ()
