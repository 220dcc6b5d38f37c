"""The minimum spanning tree of saddle losses over several endpoints.

Draxler et al., ICML 2018, sec. 3.4: a network of paths in which any two minima are connected by
the lowest way that was found. The saddle of a path is its highest loss on the training data, on
the grid and at refined points.
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
    """What came of an exploration.

    Arguments:
        results: Endpoints, runs in the order in which they were tried, records and failures.
        minima: Of each endpoint its losses and accuracies by split, by seed.
        first: The endpoint of the lowest training loss, which was connected with all others.
        tree: The pairs of the tree, the heaviest first. Pairs whose runs failed are not in it.
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


def explore(experiment: Experiment, budget: int | None = None) -> Exploration:
    """Find the tree with the method and the endpoints of a plan.

    The endpoint of the lowest training loss is connected with all others. Then, again and again,
    the tree's heaviest edge is removed, a pair across the cut that was not tried is connected, and
    the lighter of the two stays. Where all such pairs were tried, the next edge is taken. All runs
    are those that `Experiment.run` makes, and are found again.

    Arguments:
        experiment: Its plan has one method.
        budget: So many pairs at most after those with the first endpoint; none: all.
    """
    (method,) = experiment.plan.methods
    results = experiment.train()
    found = Exploration(results)
    seeds = sorted(results.endpoints)
    with experiment.threads():
        for seed in seeds:
            params = experiment.endpoint(seed).params
            found.minima[seed] = measure(params, experiment.problem, experiment.plan.protocol)
        if len(seeds) < 2:
            return found
        heights = {seed: values["loss"]["train"] for seed, values in found.minima.items()}
        found.first = min(seeds, key=lambda seed: heights[seed])
        every = {
            run.pair: run
            for run in experiment.runs(list(combinations(seeds, 2)))
            if run.method == method
        }
        saddles: dict[Pair, float] = {}
        _try([every[ordered(found.first, s)] for s in seeds if s != found.first],
             experiment, results, saddles)  # fmt: skip
        tried = 0
        while budget is None or tried < budget:
            pair = suggest(seeds, saddles, heights)
            if pair is None:
                break
            _try([every[pair]], experiment, results, saddles)
            tried += 1
    edges = spanning_tree(seeds, saddles)
    found.tree = [pair for pair in reversed(edges) if saddles[pair] < float("inf")]
    found.left = len(every) - len(saddles)
    return found


def _try(
    runs: list[Run], experiment: Experiment, results: Results, saddles: dict[Pair, float]
) -> None:
    """Compute runs, or find them; a failed one has no saddle but an infinite barrier."""
    results.failures |= experiment.train_pools(runs)
    for run, record, reason in experiment.executor.map(experiment.compute, runs):
        results.runs.append(run)
        saddles[run.pair] = float("inf")
        if record is None:
            results.failures[run.key] = reason
        else:
            results.records[run.key] = record
            saddles[run.pair] = max(record.curve.loss["train"])


def ordered(a: int, b: int) -> Pair:
    """A pair as runs have it."""
    return min(a, b), max(a, b)


def spanning_tree(seeds: Sequence[int], weights: dict[Pair, float]) -> list[Pair]:
    """The minimum spanning tree (Kruskal), the lightest edge first; a forest if edges lack."""
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

    Of the pairs across the cut that the heaviest edge leaves, it is the one of the lowest minima:
    the smallest sum of their losses.
    """
    tree = spanning_tree(seeds, saddles)
    for edge in reversed(tree):
        pairs = [pair for pair in _across(edge, tree, seeds) if pair not in saddles]
        if pairs:
            return min(pairs, key=lambda pair: (sum(heights[s] for s in pair), pair))
    return None


def _across(edge: Pair, tree: list[Pair], seeds: Sequence[int]) -> Iterator[Pair]:
    """The pairs that a tree without one of its edges leaves unconnected."""
    side, waiting = {edge[0]}, [edge[0]]
    while waiting:
        here = waiting.pop()
        for pair in tree:
            if here in pair and pair != edge:
                there = pair[0] if pair[1] == here else pair[1]
                if there not in side:
                    side.add(there)
                    waiting.append(there)
    yield from (pair for pair in combinations(sorted(seeds), 2) if len(side & set(pair)) == 1)
