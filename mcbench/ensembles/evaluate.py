"""Accuracy, storage and operations of growing ensembles, training by training."""

from __future__ import annotations

import logging
import operator
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import torch

from mcbench.ensembles.budgets import measure_budgets, probabilities, quality
from mcbench.ensembles.ensemble import by_training, collects
from mcbench.ensembles.sources import Source, collect, sources, start_of, train_by
from mcbench.errors import RunError, UsageError, reason_of
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.run import SCHEMA
from mcbench.paths.params import Params, size
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.cost import Cost
from mcbench.store.key import key_of
from mcbench.store.provenance import provenance
from mcbench.structure.flops import operations

log = logging.getLogger("mcbench")

KIND = "ensembles"
"""The store's folder for ensembles."""


# Records are dict[str, Any], as JSON has them; for ensembles, which are Any, see `collects`.
@dataclass
class EnsembleResults:
    """Records and failures of some ensembles of the same endpoints.

    Arguments:
        problem: The problem's identity.
        records: By ensemble, ``name[p=v]``.
        failures: Reasons by what failed: an ensemble, or ``seed N``.
    """

    problem: dict[str, Any]
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


class EnsembleExperiment:
    """Ensembles of endpoints that one or several recipes have trained.

    Arguments:
        experiments: One per recipe, on the same data and architecture; each trains its endpoints.
            Members are taken from them in turn, and the first one's store keeps the records.
        ensembles: ``name[p=v]`` each.
        budgets: Multiples of the recipe's epochs; ensembles are measured for these instead of as
            they grow.

    Raises:
        UsageError: If a name is unknown, a recipe is repeated, two recipes normalise the data
            differently, the data have no classes, a recipe is too short for an ensemble, or
            budgets cannot be measured.
    """

    def __init__(
        self,
        experiments: Sequence[Experiment],
        ensembles: Sequence[str],
        budgets: tuple[int, ...] = (),
    ) -> None:
        self.experiments, self.budgets = experiments, budgets
        self.ensembles = {text: host().get("ensemble", text) for text in ensembles}
        self.problem, self.store = experiments[0].problem, experiments[0].store
        if not self.problem.data.classes:
            raise UsageError("ensembles average outputs for classes, and these data have none")
        recipes = [host().identity("recipe", e.problem.recipe) for e in experiments]
        for i, experiment in enumerate(experiments):
            recipe, texts = experiment.problem.recipe, (experiments[0].recipe, experiment.recipe)
            if recipes[i] in recipes[:i]:
                raise UsageError(f"recipe '{texts[1]}' is given more than once: name each once")
            self.problem.recipe.check_scale(recipe, texts, "in one ensemble")
            for ensemble in self.ensembles.values():  # Errors come before long work.
                start_of(ensemble, recipe)
        if budgets:
            self._check_budgets()

    def _check_budgets(self) -> None:
        if len(self.experiments) > 1:
            raise UsageError("budgets count the epochs of one recipe: leave out --with-recipe")
        count = len(self.experiments[0].plan.seeds)
        if max(self.budgets) > count:
            raise UsageError(
                f"a budget of {max(self.budgets)} needs as many trainings, of different seeds: "
                f"there are {count}; give --endpoints {max(self.budgets)} or more"
            )
        for text, ensemble in self.ensembles.items():
            if not collects(ensemble):
                raise UsageError(
                    f"ensemble '{text}' has no member that one training gives: leave out "
                    "--budgets, or name ensembles that collect members along a training"
                )

    def run(self) -> EnsembleResults:
        """Train what is missing, then measure every ensemble that the store does not have."""
        results = EnsembleResults(self.problem.identity)
        train = cache(train_by)
        for text, ensemble in self.ensembles.items():
            try:
                starts = sources(self.experiments, ensemble, train, results.failures)
                if starts:
                    with self.experiments[0].threads():
                        results.records[text] = self._record(text, ensemble, starts)
            except UsageError:
                raise
            except Exception as error:
                log.debug("ensemble %s failed", text, exc_info=True)
                results.failures[text] = reason_of(error)
        return results

    def _record(self, text: str, ensemble: Any, sources: list[Source]) -> dict[str, Any]:
        """An ensemble's record from the store, or measured now."""
        description: dict[str, Any] = {
            "schema": SCHEMA,
            "endpoints": [source.start().key for source in sources],
            "ensemble": host().identity("ensemble", ensemble),
            "seed": self.problem.seed,
            "dtype": "float32",
        }
        if self.budgets:
            description["budgets"] = list(self.budgets)
        if start_of(ensemble, self.problem.recipe) != self.problem.recipe:
            description["problem"] = self.problem.identity  # Not told by the endpoints.
        key = key_of(description)
        with self.store.lock(key):
            stored = self.store.intact(self.store.read_record, KIND, key)
            if stored is not None:
                return stored

            def report(step: int, loss: float) -> None:
                host().notify(
                    "mcbench_method_progressed", title=text, step=step, steps=len(sources),
                    loss=loss,
                )  # fmt: skip

            start = time.perf_counter()
            costs: list[Cost] = []
            trainings = self._trainings(text, ensemble, sources, costs)
            if self.budgets:
                epochs = ensemble.epochs(self.problem.recipe)
                values = measure_budgets(trainings, epochs, self.problem, self.budgets, report)
            else:
                values = {"sizes": list(grow(trainings, self.problem, report))}
            record = {
                "ensemble": text,
                "description": description,
                "problem": self.problem.identity,
                **values,
                "provenance": provenance(self.problem.device),
                "cost": {
                    "seconds": time.perf_counter() - start,
                    "collect": asdict(sum(costs, Cost())),
                },
            }
            self.store.write_record(KIND, key, record)
            return record

    def _trainings(
        self, text: str, ensemble: Any, sources: list[Source], costs: list[Cost]
    ) -> Iterator[Iterable[Params]]:
        """The members from each source; the cost of their trainings is added to ``costs``."""
        if not collects(ensemble):
            yield from by_training(ensemble, _Endpoints(sources), self.problem)
            return
        for source in sources:
            members, cost = collect(text, ensemble, source, self.store)
            costs.append(cost)
            yield members


class _Endpoints(Sequence[Endpoint]):
    """Endpoints that are loaded on access, so that they need not all be in memory."""

    def __init__(self, sources: list[Source]) -> None:
        self._sources = sources

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, index: Any) -> Any:  # Int or slice; an endpoint, or some of them.
        if isinstance(index, slice):
            return _Endpoints(self._sources[index])
        return self._sources[index].start()


def grow(
    trainings: Iterable[Iterable[Params]],
    problem: Problem,
    report: Callable[[int, float], None] = lambda done, loss: None,
) -> Iterator[dict[str, float]]:
    """Accuracy and cost of an ensemble with the members of 1, 2, ... trainings, on the test data.

    Each is a dictionary of ``accuracy`` (percent) and ``loss`` (nats, cross-entropy) of the mean
    softmax output; ``members``; ``parameters`` and ``bytes`` that are stored, ``operations`` of a
    forward pass of one input (see `mcbench.structure.flops`), and the same three under
    ``independent-...`` for one network from each training.

    Arguments:
        trainings: The members from each training; see `mcbench.ensembles.ensemble.by_training`.
        problem: Network and data.
        report: Called with the number of measured trainings and the loss with them.

    Raises:
        RunError: If a member's outputs are not finite.
    """
    chain = problem.chain_or_none
    example = torch.zeros(2, *problem.input_shape, device=problem.device)
    by_layer = operations(problem.module, example, chain)
    total: Any = 0  # A tensor, from the first member on.
    first: Params = {}
    stored = {"parameters": 0, "bytes": 0, "operations": 0}
    count = 0
    for number, members in enumerate(trainings, start=1):
        for member in members:
            count, first = count + 1, first or member
            own = {n: x for n, x in member.items() if count == 1 or x is not first[n]}
            shared = chain.common([first, member], operator.is_) if chain and count > 1 else 0
            for name, value in zip(stored, (*size(own), sum(by_layer[shared:])), strict=True):
                stored[name] += value
            total = total + probabilities(member, problem)
            if not bool(total.isfinite().all()):
                raise RunError(f"the outputs of member {count} are not finite")
        if not first:
            raise RunError("the first training gave no member")
        alone = zip(stored, (*size(first), sum(by_layer)), strict=True)
        values = quality(total, count, problem)
        report(number, values["loss"])
        independent = {f"independent-{name}": number * value for name, value in alone}
        yield {**values, "members": count, **stored, **independent}
