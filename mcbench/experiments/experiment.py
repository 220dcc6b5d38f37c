"""The whole of a benchmark: train what is missing, connect, evaluate, measure."""

from __future__ import annotations

import pathlib
from collections.abc import Container, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

from mcbench.errors import StructureError, UsageError
from mcbench.evaluation.metric import usual
from mcbench.experiments.computation import Computation
from mcbench.experiments.connect import Connector
from mcbench.experiments.endpoints import Endpoints, threads
from mcbench.experiments.measure import Metrics
from mcbench.experiments.plan import Plan, Results
from mcbench.experiments.problems import Problems
from mcbench.experiments.record import Record
from mcbench.experiments.run import Run
from mcbench.plugins.host import host
from mcbench.problem.dataset import Data
from mcbench.problem.endpoint import Endpoint
from mcbench.store.store import Store


class Experiment:
    """A plan made ready: names resolved, data loaded. Wrong names end here.

    Arguments:
        plan: What is asked for.
        store: Where results are.
        data_dir: Where data are looked for first.
        device: ``cpu``, ``cuda``, ...; ``auto`` takes a GPU if there is one.
        loaded: The plan's data set and its fingerprint, where they are loaded already.

    Attributes:
        endpoints, endpoints_b: Those of A's recipe and of B's; the same, unless B has another.
        problem: What the endpoints A are of, and what methods are given.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        data_dir: pathlib.Path | None = None,
        device: str = "auto",
        loaded: tuple[Data, str] | None = None,
    ) -> None:
        self.plan, self.store, self.data_dir = plan, store, data_dir
        self._problems = Problems(plan, store, data_dir, device, loaded)
        self.methods = {text: host().get("method", text) for text in plan.methods}
        chosen = plan.metrics or usual()
        self.metrics = {text: host().get("metric", text) for text in chosen}
        self.executor = host().get("executor", plan.executor)
        if len(set(plan.seeds)) < len(plan.seeds):
            raise UsageError("a seed stands twice: each endpoint needs its own")
        self.recipe = self._problems.recipe
        self.endpoints = self.endpoints_b = self.endpoints_by(self.recipe)
        if self._problems.two:
            self.endpoints_b = self.endpoints_by(plan.to_recipe)
        self.problem = self.endpoints.problem
        self.connector = Connector(self.problem, store, self.methods)
        self._measured = Metrics(self.metrics, store)
        self._computation = Computation(self.connector, self._measured, store)

    def endpoints_by(self, recipe: str) -> Endpoints:
        """The endpoints that a recipe trains on the same data."""
        return Endpoints(self._problems.of(recipe), self.store)

    def by(self, recipe: str) -> Experiment:
        """An experiment on endpoints of the same seeds, trained by another recipe.

        The data are not loaded again.
        """
        plan = replace(self.plan, recipe=recipe, methods=(), to_recipe="", same_seed=False)
        return Experiment(
            plan, self.store, self.data_dir, str(self.problem.device), self._problems.loaded
        )

    def threads(self) -> AbstractContextManager[None]:
        """As many threads as the networks are large enough for."""
        return threads(self.problem)

    def endpoint(self, seed: int) -> Endpoint:
        """A trained endpoint A, on the problem's device."""
        return self.endpoints.load(seed)

    def train(self, seeds: Sequence[int] | None = None) -> Results:
        """Train the endpoints A that are missing; the plan's, or those of ``seeds``."""
        trained = self.endpoints.train(self.plan.seeds if seeds is None else seeds)
        return Results(self.problem.identity, trained.records, failures=trained.failures)

    def train_pools(self, runs: list[Run]) -> dict[str, str]:
        """Train the endpoints that methods of runs to come are fitted on; failures by seed."""
        waiting = {run.method for run in runs if not self.store.has("runs", run.key)}
        seeds: set[int] = set()
        for text in waiting:
            with suppress(StructureError):  # The run says why it fails.
                seeds |= set(self.connector.pool(text))
        return self.endpoints.train(sorted(seeds)).failures

    def run(self) -> Results:
        """Train, then compute every run that the store does not have."""
        results, seeds_b = self._train_ends()
        pairs = self.plan.pairs
        results.runs = self.runs(
            [(a, b) for a, b in pairs if a in results.endpoints and b in seeds_b]
        )
        with self.threads():
            results.failures |= self.train_pools(results.runs)
            for run, record, reason in self.executor.map(self.compute, results.runs):
                if record is not None:
                    results.records[run.key] = record
                else:
                    results.failures[run.key] = reason
        results.failures |= self._measured.failures
        return results

    def _train_ends(self) -> tuple[Results, Container[int]]:
        """What came of training endpoints A and B, and the seeds of those B that exist."""
        if self.endpoints_b is self.endpoints:
            results = self.train()
            return results, results.endpoints
        first, other = map(list, zip(*self.plan.pairs, strict=True))
        results, trained_b = self.train(first), self.endpoints_b.train(other)
        results.recipes = self.recipe, self.plan.to_recipe
        failures = results.failures, trained_b.failures
        results.failures = {
            f"{what} of {recipe}": why
            for recipe, of_side in zip(results.recipes, failures, strict=True)
            for what, why in of_side.items()
        }
        return results, trained_b.records

    def runs(self, pairs: Sequence[tuple[int, int]]) -> list[Run]:
        """Every method on every pair of seeds."""
        identities = {text: host().identity("method", m) for text, m in self.methods.items()}
        recipe = self.endpoints_b.problem.identity["recipe"]
        to_recipe = None if self.endpoints_b is self.endpoints else recipe
        problem, protocol = self.problem.identity, self.plan.protocol
        return [
            Run(problem, pair, text, identities[text], protocol, to_recipe)
            for text in self.methods
            for pair in pairs
        ]

    def compute(self, run: Run) -> tuple[Run, Record | None, str]:
        """A run's record from the store, completed or computed; or ``None`` and why it failed."""
        return self._computation.record(run)
