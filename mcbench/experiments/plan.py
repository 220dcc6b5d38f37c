"""`Plan`, what a benchmark is asked for, and `Results`, what came of it."""

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
    """What the user asked for, as text.

    Arguments:
        dataset, architecture, recipe: ``name[p=v]``; an empty recipe is the data set's own.
        methods: ``name[p=v]`` each.
        seeds: One per endpoint; all `pairs` of them are connected.
        protocol: How paths are evaluated.
        metrics: ``name[p=v]`` each; none means all the usual ones.
        executor: Who carries out the runs.
        to_recipe: The recipe of the endpoints B, as text; empty if it is that of A.
        same_seed: Pairs of one seed each, which B's recipe tells apart.
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
    """What came of a plan.

    Arguments:
        problem: The problem's identity.
        endpoints: Records of the trained endpoints by seed.
        runs: All runs that were asked for and whose endpoints exist.
        records: Their records by key, of those that are done.
        failures: Reasons by what failed: a run's key, or ``seed N``.
        recipes: Those of A and of B as text, if they are two.
    """

    problem: dict[str, Any]
    endpoints: dict[int, dict[str, Any]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    recipes: tuple[str, ...] = ()
