"""The minimum spanning tree of saddle losses over several endpoints.

Draxler et al., ICML 2018, sec. 3.4: the paths between minima whose highest saddle is lowest. The
saddle of a path is its highest training loss, on the grid and at refined points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from mcbench.evaluation.losses import measure
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Results
from mcbench.experiments.record import Record
from mcbench.experiments.run import Run

Pair = tuple[int, int]
"""Seeds of two endpoints, the lower one first."""


@dataclass
class Exploration:
    """The spanning tree of an experiment and the runs it was found with.

    Arguments:
        results: Endpoints, runs in the order in which they were tried, records and failures.
        minima: Losses and accuracies by split of each endpoint, by seed.
        first: The endpoint of the lowest training loss, which was connected with all others.
        tree: The pairs of the tree, the heaviest first, without pairs whose runs failed.
        left: How many pairs were not tried.
    """

    results: Results
    minima: dict[int, dict[str, Any]] = field(default_factory=dict)
    first: int = -1
    tree: list[Pair] = field(default_factory=list)
    left: int = 0

    def record(self, pair: Pair) -> Record | None:
        """The record of a pair's run, if it did not fail."""
        run = next(run for run in self.results.runs if run.pair == pair)
        return self.results.records.get(run.key)

    @property
    def roots(self) -> list[int]:
        """An endpoint of each part of the tree: the first one, then the lowest of other parts."""
        roots, seen = [], set[int]()
        low = sorted(self.minima, key=lambda seed: self.minima[seed]["loss"]["train"])
        for seed in low:
            if seed not in seen:
                roots.append(seed)
                seen |= {one for one, _ in self.walk(seed)}
        return roots

    def walk(self, seed: int, parent: int = -1) -> Iterator[tuple[int, int]]:
        """The endpoints of a part of the tree from one on, each with its neighbour before it."""
        yield seed, parent
        for pair in sorted(self.tree):
            if seed in pair and parent not in pair:
                yield from self.walk(pair[pair[0] == seed], seed)


def explore(experiment: Experiment, budget: int | None = None) -> Exploration:
    """Find the minimum spanning tree with the method and the endpoints of a plan.

    The endpoint of the lowest training loss is connected with all others. Then, repeatedly, the
    tree's heaviest edge is removed, an untried pair across the cut is connected, and the lighter
    of the two stays. Where all such pairs were tried, the next edge is taken. The runs are those
    of `Experiment.run`, and are taken from the store where it has them.

    Arguments:
        experiment: An experiment with one method.
        budget: Most pairs to try after those with the first endpoint; ``None`` means all.
    """
    results = experiment.train()
    exploration = Exploration(results)
    seeds = sorted(results.endpoints)
    with experiment.threads():
        for seed in seeds:
            params = experiment.endpoint(seed).params
            exploration.minima[seed] = measure(
                params, experiment.problem, experiment.plan.protocol
            )
        if len(seeds) < 2:
            return exploration
        heights = {seed: values["loss"]["train"] for seed, values in exploration.minima.items()}
        exploration.first = min(seeds, key=lambda seed: heights[seed])
        runs = {run.pair: run for run in experiment.runs(list(combinations(seeds, 2)))}
        saddles: dict[Pair, float] = {}
        star = [run for pair, run in runs.items() if exploration.first in pair]
        _try(star, experiment, results, saddles)
        most = len(runs) if budget is None else len(saddles) + budget
        while len(saddles) < most and (pair := suggest(seeds, saddles, heights)):
            _try([runs[pair]], experiment, results, saddles)
    edges = spanning_tree(seeds, saddles)
    exploration.tree = [pair for pair in reversed(edges) if saddles[pair] < float("inf")]
    exploration.left = len(runs) - len(saddles)
    return exploration


def _try(
    runs: list[Run], experiment: Experiment, results: Results, saddles: dict[Pair, float]
) -> None:
    """Compute runs and their saddles; the saddle of a failed run is infinite."""
    experiment.compute(runs, results)
    for run in runs:
        record = results.records.get(run.key)
        saddles[run.pair] = max(record.curve.loss["train"]) if record else float("inf")


def spanning_tree(seeds: Sequence[int], weights: dict[Pair, float]) -> list[Pair]:
    """The minimum spanning tree (Kruskal), the lightest edge first; a forest if unconnected."""
    part = {seed: seed for seed in seeds}
    tree = []
    for pair in sorted(weights, key=lambda pair: (weights[pair], pair)):
        one, two = (part[seed] for seed in pair)
        if one != two:
            tree.append(pair)
            part = {seed: one if p == two else p for seed, p in part.items()}
    return tree


def suggest(
    seeds: Sequence[int], saddles: dict[Pair, float], heights: dict[int, float]
) -> Pair | None:
    """The pair to try next; ``None`` if all were tried.

    Without its heaviest edge the tree falls into two parts. Of the untried pairs that connect
    them, it is the one of the smallest summed loss; without any, the next edge is removed.
    """
    tree = spanning_tree(seeds, saddles)
    for edge in reversed(tree):
        pairs = [pair for pair in _across(edge, tree, seeds) if pair not in saddles]
        if pairs:
            return min(pairs, key=lambda pair: (sum(heights[s] for s in pair), pair))
    return None


def _across(edge: Pair, tree: list[Pair], seeds: Sequence[int]) -> list[Pair]:
    """The pairs that a tree without one of its edges leaves unconnected."""
    parts = {seed: {seed} for seed in seeds}
    for one, two in (pair for pair in tree if pair != edge):
        union = parts[one] | parts[two]
        parts |= dict.fromkeys(union, union)
    side = parts[edge[0]]
    return [pair for pair in combinations(sorted(seeds), 2) if len(side & set(pair)) == 1]
