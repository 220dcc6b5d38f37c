"""`Experiment`, a whole benchmark: train what is missing, connect, evaluate, measure."""

from __future__ import annotations

import pathlib
from collections.abc import Container, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

from mcbench.errors import StructureError, UsageError
from mcbench.evaluation.metric import usual
from mcbench.experiments.connector import Connector
from mcbench.experiments.endpoints import Endpoints, threads
from mcbench.experiments.metrics import Metrics
from mcbench.experiments.plan import Plan, Results
from mcbench.experiments.problems import Problems
from mcbench.experiments.run import Run
from mcbench.experiments.runner import Runner
from mcbench.plugins.host import host
from mcbench.problem.dataset import Data
from mcbench.problem.endpoint import Endpoint
from mcbench.store.store import Store


class Experiment:
    """A plan with its components and data, ready to run.

    Arguments:
        plan: What the user asked for.
        store: Holds the results.
        data_dir: The folder that is searched for data first.
        device: ``cpu``, ``cuda``, ...; ``auto`` takes a GPU if there is one.
        loaded: The plan's data and their fingerprint, if they are loaded already.

    Attributes:
        endpoints, endpoints_b: Endpoints of A's recipe and of B's; the same object if B has no
            other recipe.
        problem: The problem of the endpoints A, which methods are given.
        runner: Computes the runs, one by one.

    Raises:
        UsageError: If a name is unknown, a seed is repeated, or two recipes cannot be compared.
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
        self.metrics = {text: host().get("metric", text) for text in plan.metrics or usual()}
        self.executor = host().get("executor", plan.executor)
        repeated = sorted({seed for seed in plan.seeds if plan.seeds.count(seed) > 1})
        if repeated:
            raise UsageError(f"seed {repeated[0]} is given more than once: name each seed once")
        self.recipe = self._problems.recipe
        self.endpoints = self.endpoints_b = self.endpoints_by(self.recipe)
        if self._problems.two:
            self.endpoints_b = self.endpoints_by(plan.to_recipe)
        self.problem = self.endpoints.problem
        self.connector = Connector(self.problem, store, self.methods)
        self.runner = Runner(self.connector, Metrics(self.metrics, store), store)

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
        """One thread inside the ``with`` block if the networks are small."""
        return threads(self.problem)

    def endpoint(self, seed: int) -> Endpoint:
        """A trained endpoint A, on the problem's device."""
        return self.endpoints.load(seed)

    def train(self, seeds: Sequence[int] | None = None) -> Results:
        """Train the missing endpoints A, of the plan's seeds or of ``seeds``."""
        trained = self.endpoints.train(self.plan.seeds if seeds is None else seeds)
        return Results(self.problem.identity, trained.records, failures=trained.failures)

    def run(self) -> Results:
        """Train, then compute every run that the store does not have."""
        results, seeds_b = self._train_ends()
        pairs = self.plan.pairs
        runs = self.runs([(a, b) for a, b in pairs if a in results.endpoints and b in seeds_b])
        with self.threads():
            self.compute(runs, results)
        return results

    def compute(self, runs: list[Run], results: Results) -> None:
        """Compute the runs that the store does not have, and add all to the results.

        The pools that their methods are fitted on are trained before.
        """
        seeds: set[int] = set()
        for text in {run.method for run in runs if not self.store.has("runs", run.key)}:
            with suppress(StructureError):  # The run fails with the same error.
                seeds |= set(self.connector.pool(text))
        results.failures |= self.endpoints.train(sorted(seeds)).failures
        results.runs += runs
        for result in self.executor.map(self.runner.compute, runs):
            results.failures |= result.failures
            if result.record is not None:
                results.records[result.run.key] = result.record

    def _train_ends(self) -> tuple[Results, Container[int]]:
        """Train the endpoints A and B: the results of A, and the seeds whose B exists."""
        if self.endpoints_b is self.endpoints:
            results = self.train()
            return results, results.endpoints
        seeds_a, seeds_b = map(list, zip(*self.plan.pairs, strict=True))
        results, trained_b = self.train(seeds_a), self.endpoints_b.train(seeds_b)
        results.recipes = self.recipe, self.plan.to_recipe
        failures = results.failures, trained_b.failures
        results.failures = {
            f"{what} of {recipe}": why
            for recipe, side in zip(results.recipes, failures, strict=True)
            for what, why in side.items()
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
