"""The whole of a benchmark: train what is missing, connect, evaluate, measure."""

from __future__ import annotations

import logging
import pathlib
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

import torch

from mcbench.errors import StructureError, UsageError, reason_of
from mcbench.evaluation.evaluate import evaluate
from mcbench.evaluation.losses import Progress
from mcbench.evaluation.metric import Evaluation, usual
from mcbench.experiments import record as records
from mcbench.experiments.connect import Connector
from mcbench.experiments.plan import Plan, Results
from mcbench.experiments.record import Measured, Record
from mcbench.experiments.run import Run, endpoint_key
from mcbench.paths.params import move
from mcbench.plugins.host import host
from mcbench.problem import loading
from mcbench.problem.dataset import Data
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import SPLITS, Problem
from mcbench.problem.recipe import Recipe
from mcbench.store.checkpoint import Workshop
from mcbench.store.distribution import installed, named
from mcbench.store.provenance import provenance
from mcbench.store.store import Store, key_of, save_seconds
from mcbench.training import training

log = logging.getLogger("mcbench")


class Experiment:
    """A plan made ready: names resolved, data loaded. Wrong names end here.

    Arguments:
        plan: What is asked for.
        store: Where results are.
        data_dir: Where data are looked for first.
        device: ``cpu``, ``cuda``, ...; ``auto`` takes a GPU if there is one.
        loaded: The plan's data set and its fingerprint, where they are loaded already.

    Attributes:
        problem: What the endpoints are of, and what methods are given; A's, if B has another
            recipe.
        to: The experiment that trains the endpoints B: this one, unless B has another recipe.
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
        dataset = host().get("dataset", plan.dataset)
        architecture = host().get("architecture", plan.architecture)
        self.recipe = plan.recipe or dataset.recipe
        recipe = host().get("recipe", self.recipe)
        self.methods = {text: host().get("method", text) for text in plan.methods}
        chosen = plan.metrics or usual()
        self.metrics = {text: host().get("metric", text) for text in chosen}
        self.executor = host().get("executor", plan.executor)
        if len(set(plan.seeds)) < len(plan.seeds):
            raise UsageError("a seed stands twice: each endpoint needs its own")
        if plan.protocol.augment and not recipe.augment:
            raise UsageError(f"recipe '{recipe.name}' has no augmentation to evaluate on")
        others = self._other_recipe(recipe)
        self.metric_failures: dict[str, str] = {}
        self._of_pairs: dict[tuple[str, tuple[str, str]], dict[str, float]] = {}
        self._loaded = loaded or loading.load(dataset, data_dir, store)
        identity = {
            "dataset": host().identity("dataset", dataset) | {"fingerprint": self._loaded[1]},
            "architecture": host().identity("architecture", architecture),
            "recipe": host().identity("recipe", recipe),
        }
        self.problem = Problem(
            self._loaded[0], architecture, recipe, device_of(device), plan.protocol.seed, identity
        )
        self.connector = Connector(self.problem, store, self.methods)
        self.to = self.by(plan.to_recipe) if others else self

    def by(self, recipe: str) -> Experiment:
        """The experiment that trains endpoints of the same seeds by another recipe.

        The data are not loaded again.
        """
        plan = replace(self.plan, recipe=recipe, methods=(), to_recipe="", same_seed=False)
        device = str(self.problem.device)
        return Experiment(plan, self.store, self.data_dir, device, self._loaded)

    def _other_recipe(self, recipe: Recipe) -> bool:
        """Whether B has another recipe than A; the two must go together."""
        plan = self.plan
        other = host().get("recipe", plan.to_recipe) if plan.to_recipe else recipe
        recipe.check_scale(other, (self.recipe, plan.to_recipe), "joined by a path")
        differs = host().identity("recipe", other) != host().identity("recipe", recipe)
        if plan.same_seed and not differs:
            raise UsageError(
                "a pair of one seed joins networks of two recipes: name B's with --to-recipe"
            )
        return differs

    # Endpoints -----------------------------------------------------------------------------

    def train(self, seeds: Sequence[int] | None = None) -> Results:
        """Train the endpoints that the store does not have; the plan's, or those of ``seeds``."""
        with self.threads():
            return self._train_all(self.plan.seeds if seeds is None else seeds)

    def train_pools(self, runs: list[Run]) -> dict[str, str]:
        """Train the endpoints that methods of runs to come are fitted on; failures by seed."""
        waiting = {run.method for run in runs if not self.store.has("runs", run.key)}
        seeds: set[int] = set()
        for text in waiting:
            with suppress(StructureError):  # The run says why it fails.
                seeds |= set(self.connector.pool(text))
        return self._train_all(sorted(seeds)).failures if seeds else {}

    def _train_all(self, seeds: Sequence[int]) -> Results:
        results = Results(self.problem.identity)
        keys = {seed: endpoint_key(self.problem.identity, seed) for seed in seeds}
        missing = [s for s, k in keys.items() if not self._found(s, k, results)]
        with ExitStack() as locks:
            for seed in sorted(missing, key=keys.__getitem__):
                locks.enter_context(self.store.lock(keys[seed]))
            # Another process may have trained some while this one waited.
            missing = [s for s in missing if not self._found(s, keys[s], results)]
            if missing:
                self._train(missing, keys, results)
        results.endpoints = dict(sorted(results.endpoints.items()))
        return results

    @contextmanager
    def threads(self) -> Iterator[None]:
        """One thread for small networks: more only wait for each other, long on a busy machine."""
        before = torch.get_num_threads()
        if self.problem.device.type == "cpu" and training.trains_together(self.problem):
            torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def _found(self, seed: int, key: str, results: Results) -> bool:
        known = self.store.intact(self.store.read_tensors, "endpoints", key)
        if known is not None:
            results.endpoints[seed] = known[1]
        return known is not None

    def _train(self, seeds: list[int], keys: dict[int, str], results: Results) -> None:
        states = {}
        for seed in seeds:
            key = keys[seed]
            known = self.store.intact(self.store.read_tensors, "partial", key)
            if known is not None:
                record = known[1]
                states[seed] = training.State(record["epoch"], known[0], record.get("losses", []))

        def save(seed: int, state: training.State) -> None:
            record = {"epoch": state.epoch, "losses": state.losses}
            self.store.write_tensors("partial", keys[seed], state.tensors, record)

        def report(group: tuple[int, ...], epoch: int, epochs: int, loss: float) -> None:
            host().notify(
                "mcbench_epoch_finished", seeds=group, keys=tuple(keys[seed] for seed in group),
                epoch=epoch, epochs=epochs, loss=loss,
            )  # fmt: skip

        host().notify(
            "mcbench_training_started", problem=self.problem.identity, seeds=tuple(seeds),
            keys=tuple(keys[seed] for seed in seeds),
        )  # fmt: skip
        for outcome in training.train(self.problem, seeds, states, save, report):
            key = keys[outcome.seed]
            if outcome.error is not None or outcome.params is None:
                results.failures[f"seed {outcome.seed}"] = str(outcome.error)
                host().notify(
                    "mcbench_training_failed", seed=outcome.seed, key=key, error=outcome.error
                )
                failure = {
                    "what": f"endpoint of seed {outcome.seed}",
                    "reason": str(outcome.error),
                }
                self.store.write_record("failures", key, failure)
                continue
            record = {
                "problem": self.problem.identity,
                "seed": outcome.seed,
                "losses": outcome.losses,
                "provenance": provenance(self.problem.device),
                "cost": {"seconds": outcome.seconds},
            }
            self.store.write_tensors("endpoints", key, outcome.params, record)
            self.store.remove("partial", key)
            self.store.remove("failures", key)
            results.endpoints[outcome.seed] = record
            trained = Endpoint(outcome.params, outcome.seed, key, record)
            host().notify("mcbench_endpoint_trained", endpoint=trained)

    def endpoint(self, seed: int) -> Endpoint:
        """A trained endpoint, on the problem's device."""
        return self.connector.endpoint(seed)

    # Runs ----------------------------------------------------------------------------------

    def run(self) -> Results:
        """Train, then compute every run that the store does not have."""
        if self.to is self:
            results = came = self.train()
        else:
            results, came = self._train_ends()
        pairs = self.plan.pairs
        results.runs = self.runs(
            [(a, b) for a, b in pairs if a in results.endpoints and b in came.endpoints]
        )
        with self.threads():
            results.failures |= self.train_pools(results.runs)
            for run, record, reason in self.executor.map(self.compute, results.runs):
                if record is not None:
                    results.records[run.key] = record
                else:
                    results.failures[run.key] = reason
        results.failures |= self.metric_failures
        return results

    def _train_ends(self) -> tuple[Results, Results]:
        """What came of training endpoints A and B, by two recipes; the first tells of both."""
        first, other = map(list, zip(*self.plan.pairs, strict=True))
        results, came = self.train(first), self.to.train(other)
        results.recipes = self.recipe, self.to.recipe
        results.failures = {
            f"{what} of {recipe}": why
            for recipe, of_side in zip(results.recipes, (results, came), strict=True)
            for what, why in of_side.failures.items()
        }
        return results, came

    def runs(self, pairs: Sequence[tuple[int, int]]) -> list[Run]:
        """Every method on every pair of seeds."""
        identities = {text: host().identity("method", m) for text, m in self.methods.items()}
        problem, recipe = self.problem.identity, self.to.problem.identity["recipe"]
        to_recipe = None if self.to is self else recipe
        return [
            Run(problem, pair, text, identities[text], self.plan.protocol, to_recipe)
            for text in self.methods
            for pair in pairs
        ]

    def compute(self, run: Run) -> tuple[Run, Record | None, str]:
        """A run's record from the store, completed or computed; or ``None`` and why it failed."""
        record = self._known(run)
        if record is not None and not self._missing(record):
            return run, record, ""
        with self.store.lock(run.key):
            record = self._known(run)
            try:
                if record is None:
                    host().notify("mcbench_run_started", run=run)
                    record = self._evaluate(run)
                if self._missing(record):
                    record = self._measure(run, record)
                    records.write(self.store, record)
            except UsageError:
                raise
            except Exception as error:
                reason = reason_of(error)
                log.debug("run %s failed", run.key, exc_info=True)
                failure = run.failure(reason, applies=not isinstance(error, StructureError))
                self.store.write_record("failures", run.key, failure)
                host().notify("mcbench_run_failed", run=run, error=error)
                return run, None, reason
        self.store.remove("partial", run.key)
        self.store.remove("failures", run.key)
        units = {text: metric.unit for text, metric in self.metrics.items()}
        host().notify("mcbench_run_finished", run=run, record=record, units=units)
        return run, record, ""

    def _known(self, run: Run) -> Record | None:
        """The stored record; a damaged one counts as not there."""
        return self.store.intact(lambda _, key: records.read(self.store, key), "runs", run.key)

    def _evaluate(self, run: Run) -> Record:
        progress = self._restore(run)
        began = saved = time.perf_counter()
        path, cost = self.connector.metered(run)
        notes = self.problem.workshop.notes

        def observe(t: float, values: dict[str, Any], progress: Progress) -> None:
            nonlocal saved
            host().notify("mcbench_point_evaluated", run=run, t=t, values=values)
            if time.perf_counter() - saved > save_seconds():
                record = {"points": list(progress.points.items())}
                self.store.write_tensors("partial", run.key, progress.sums, record)
                saved = time.perf_counter()

        curve = evaluate(path, self.problem, run.protocol, observe, progress)
        result = {
            "curve": curve.to_dict(),
            "metrics": {},
            **({"notes": notes} if notes else {}),
            "provenance": {
                **provenance(self.problem.device),
                "distributions": installed(named(*run.problems, run.identity)),
            },
            "cost": {
                "seconds": time.perf_counter() - began,
                "evaluations": len(curve.t),
                **cost(),
            },
        }
        return Record.of(run.said | result)

    def _restore(self, run: Run) -> Progress:
        known = self.store.intact(self.store.read_tensors, "partial", run.key)
        if known is None:
            return Progress()
        points = {t: values for t, values in known[1]["points"]}
        return Progress(points, move(known[0], self.problem.device))

    def _missing(self, record: Record) -> list[str]:
        """The metrics that were asked for and that the record has not, in this version."""
        versions = {text: measured.version for text, measured in record.metrics.items()}
        return [
            text
            for text, metric in self.metrics.items()
            if versions.get(text) != _metric_version(metric)
        ]

    def _measure(self, run: Run, record: Record) -> Record:
        """The record with the metrics that it lacked, but for those that failed."""
        added: dict[str, Measured] = {}
        evaluation = Evaluation(
            self.problem,
            record.curve,
            lambda: self.connector.ends(run),
            lambda: self.connector.connect(run),
        )
        for text in self._missing(record):
            metric = self.metrics[text]
            entry: dict[str, Any] = {"version": _metric_version(metric), "values": {}}
            shared = metric.ends_only
            known = self._of_pairs.get((text, run.ends)) if shared else None
            evaluation.workshop = self._workshop(run, text)
            try:
                entry["values"] = known or values_of(metric, evaluation)
                if shared:
                    self._of_pairs[text, run.ends] = entry["values"]
            except StructureError as error:
                entry["inapplicable"] = str(error)
            except Exception as error:
                # The run stands; the metric is tried again the next time.
                host().find("metric", metric.name).plugin.blame(f"metric '{text}' failed", error)
                what = f"metric '{text}' on {run.method} {run.pair[0]}-{run.pair[1]}"
                self.metric_failures[what] = reason_of(error)
                continue
            added[text] = Measured.of(entry)
            self.store.remove("partial", evaluation.workshop.key)
        return record.with_metrics(added)

    def _workshop(self, run: Run, text: str) -> Workshop:
        """Where a metric keeps its state until the run's record has its values."""
        metric = host().identity("metric", self.metrics[text])
        key = key_of({"run": run.description, "metric": metric})
        title = f"{text} of {run.method} {run.pair[0]}-{run.pair[1]}"
        return Workshop(self.store, key, title, kind="partial")


def values_of(metric: Any, evaluation: Evaluation) -> dict[str, float]:
    """What a metric measures, under names such as ``test`` or ``bytes``."""
    values = {}
    for split in SPLITS if metric.splits else (None,):
        measured = metric.measure(evaluation, split)
        named = measured if isinstance(measured, dict) else {"": measured}
        for name, value in named.items():
            values[":".join(filter(None, (name, split)))] = float(value)
    return values


def _metric_version(metric: Any) -> str:
    source = host().find("metric", metric.name).plugin
    return f"{source.distribution} {source.version}"


def device_of(name: str) -> torch.device:
    """The device of that name; ``auto`` is a GPU if there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"device '{name}' cannot be used: {reason}") from None
    return device
