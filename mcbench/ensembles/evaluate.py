"""Accuracy, storage and operations of ensembles as they grow, training by training."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from mcbench.ensembles.budgets import pooled, probabilities, quality
from mcbench.ensembles.ensemble import by_training, collects
from mcbench.ensembles.sources import Source, Trainings, collect, start_of
from mcbench.errors import (
    RunError,
    StructureError,
    UsageError,
    reason_of,
)
from mcbench.experiments.run import SCHEMA
from mcbench.paths.params import Params, size
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.cost import Cost
from mcbench.store.key import key_of
from mcbench.store.provenance import provenance
from mcbench.structure.flops import operations, shared_layers

if TYPE_CHECKING:
    from mcbench.experiments.experiment import Experiment

log = logging.getLogger("mcbench")

KIND = "ensembles"


@dataclass
class EnsembleResults:
    """What came of some ensembles of the same endpoints.

    Arguments:
        problem: The problem's identity.
        records: By ensemble, as the user writes it.
        failures: Reasons by what failed: an ensemble, or ``seed N``.
    """

    problem: dict[str, Any]
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


class Ensembling:
    """Ensembles of endpoints that one recipe trained, or several.

    Arguments:
        experiments: One per recipe, on the same data and architecture; each trains its endpoints.
            Members are taken from them in turn, and the first one's store keeps the records.
        ensembles: ``name[p=v]`` each.
        budgets: Measure them for so many times the epochs of the recipe, instead of as they grow.

    Raises:
        UsageError: If a name is unknown, a recipe stands twice, two see the data in different
            scales, the data have no classes, a recipe is too short for an ensemble, or budgets
            cannot be measured.
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
        if any(recipe in recipes[:i] for i, recipe in enumerate(recipes)):
            raise UsageError("a recipe stands twice: its networks would count twice")
        for other in experiments[1:]:
            texts = experiments[0].recipe, other.recipe
            self.problem.recipe.check_scale(other.problem.recipe, texts, "in one ensemble")
        for ensemble in self.ensembles.values():  # What is wrong is said before long work.
            for experiment in experiments:
                start_of(ensemble, experiment.problem.recipe)
        if budgets:
            self._check_budgets()

    def _check_budgets(self) -> None:
        if len(self.experiments) > 1:
            raise UsageError("a budget counts the epochs of one recipe: name no second one")
        count = len(self.experiments[0].plan.seeds)
        if max(self.budgets) > count:
            raise UsageError(
                f"a budget of {max(self.budgets)} needs as many trainings, of other seeds: there "
                f"are {count}; give --endpoints {max(self.budgets)} or more"
            )
        for text, ensemble in self.ensembles.items():
            if not collects(ensemble):
                raise UsageError(
                    f"ensemble '{text}' joins the networks it is given: none of its members is "
                    "there for the budget of one training"
                )

    def run(self) -> EnsembleResults:
        """Train what is missing, then measure every ensemble that the store does not have."""
        results = EnsembleResults(self.problem.identity)
        trainings = Trainings(self.experiments)
        for text, ensemble in self.ensembles.items():
            try:
                sources = trainings.sources(ensemble, results.failures)
                if sources:
                    with self.experiments[0].threads():
                        results.records[text] = self._record(text, ensemble, sources)
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
            description["problem"] = self.problem.identity  # The endpoints do not tell it.
        key = key_of(description)
        with self.store.lock(key):
            known = self.store.intact(self.store.read_record, KIND, key)
            if known is not None:
                return known
            began = time.perf_counter()
            spent: list[Cost] = []
            brought = self._brought(text, ensemble, sources, spent)
            if self.budgets:
                epochs = ensemble.epochs(self.problem.recipe)
                report = self._reporter(text, len(sources))
                measured = pooled(brought, epochs, self.problem, self.budgets, report)
            else:
                measured = {"sizes": list(self._grown(text, brought, len(sources)))}
            record = {
                "ensemble": text,
                "description": description,
                "problem": self.problem.identity,
                **measured,
                "provenance": provenance(self.problem.device),
                "cost": {
                    "seconds": time.perf_counter() - began,
                    "collect": asdict(sum(spent, Cost())),
                },
            }
            self.store.write_record(KIND, key, record)
            return record

    def _brought(
        self, text: str, ensemble: Any, sources: list[Source], spent: list[Cost]
    ) -> Iterator[Iterable[Params]]:
        """The members that each source brings; what their trainings cost is added to ``spent``."""
        if not collects(ensemble):
            yield from by_training(ensemble, _Endpoints(sources), self.problem)
            return
        for source in sources:
            members, cost = collect(text, ensemble, source, self.store)
            spent.append(cost)
            yield members

    def _grown(
        self, text: str, brought: Iterable[Iterable[Params]], count: int
    ) -> Iterator[dict[str, float]]:
        report = self._reporter(text, count)
        for step, values in enumerate(grow(brought, self.problem), start=1):
            report(step, values["loss"])
            yield values

    def _reporter(self, text: str, count: int) -> Callable[[int, float], None]:
        def report(step: int, loss: float) -> None:
            host().notify(
                "mcbench_method_progressed", title=text, step=step, steps=count, loss=loss
            )

        return report


class _Endpoints(Sequence[Endpoint]):
    """Endpoints that are loaded when they are asked for, so that not all need be in memory."""

    def __init__(self, sources: list[Source]) -> None:
        self._sources = sources

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return _Endpoints(self._sources[index])
        return self._sources[index].start()


def grow(brought: Iterable[Iterable[Params]], problem: Problem) -> Iterator[dict[str, float]]:
    """An ensemble's values with the members of 1, 2, ... trainings, on the test data.

    Each is a dictionary of ``accuracy`` (percent) and ``loss`` (nats, cross-entropy) of the mean
    softmax output; ``members``; ``parameters`` and ``bytes`` that are stored, ``operations`` of a
    forward pass of one input (see `mcbench.structure.flops`), and the same three under
    ``independent-...`` for one network from each training.

    Arguments:
        brought: The members that each training brings; see
            `mcbench.ensembles.ensemble.by_training`.
        problem: Gives network and data.

    Raises:
        RunError: If a member's outputs are not finite.
    """
    try:
        chain = problem.chain
    except StructureError:
        chain = None
    example = torch.zeros(2, *problem.input_shape, device=problem.device)
    by_layer = operations(problem.module, example, chain)
    total: torch.Tensor | None = None
    first: Params | None = None
    stored = {"parameters": 0, "bytes": 0, "operations": 0}
    count = 0
    for trainings, members in enumerate(brought, start=1):
        for member in members:
            count += 1
            first = member if first is None else first
            own = {n: x for n, x in member.items() if count == 1 or x is not first[n]}
            stored["parameters"] += size(own)[0]
            stored["bytes"] += size(own)[1]
            shared = 0
            if chain is not None and count > 1:
                shared = shared_layers(first, member, chain)
            stored["operations"] += sum(by_layer[shared:])
            outputs = probabilities(member, problem)
            total = outputs if total is None else total + outputs
            if not bool(total.isfinite().all()):
                raise RunError(f"the outputs of member {count} are not finite")
        if total is None or first is None:
            raise RunError("the first training brings no member")
        alone = dict(zip(stored, (*size(first), sum(by_layer)), strict=True))
        yield {
            **quality(total, count, problem),
            "members": count,
            **stored,
            **{f"independent-{name}": trainings * value for name, value in alone.items()},
        }
