"""Accuracy, storage and operations of ensembles as they grow, network by network."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from mcbench.endpoint import Endpoint
from mcbench.ensemble import Ensemble
from mcbench.errors import (
    RunError,
    StructureError,
    UsageError,
    reason_of,
)
from mcbench.params import Params, size
from mcbench.plugins import host
from mcbench.problem import Problem
from mcbench.provenance import provenance
from mcbench.run import SCHEMA
from mcbench.store import key_of
from mcbench.structure.operations import operations, shared_layers

if TYPE_CHECKING:
    from mcbench.experiment import Experiment

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

    Raises:
        UsageError: If a name is unknown, a recipe stands twice, two see the data in different
            scales, or the data have no classes.
    """

    def __init__(self, experiments: Sequence[Experiment], ensembles: Sequence[str]) -> None:
        self.experiments = experiments
        self.ensembles = {text: host().get("ensemble", text) for text in ensembles}
        self.problem, self.store = experiments[0].problem, experiments[0].store
        if not self.problem.data.classes:
            raise UsageError(
                "ensembles are measured by their accuracy, and these data have no classes"
            )
        recipes = [host().identity("recipe", e.problem.recipe) for e in experiments]
        if any(recipe in recipes[:i] for i, recipe in enumerate(recipes)):
            raise UsageError("a recipe stands twice: its networks would count twice")
        first = self.problem.recipe
        for other in (e.problem.recipe for e in experiments[1:]):
            if other.normalize != first.normalize:
                raise UsageError(
                    f"recipes '{first.name}' and '{other.name}' normalise the data differently: "
                    "their networks cannot be in one ensemble"
                )

    def run(self) -> EnsembleResults:
        """Train what is missing, then measure every ensemble that the store does not have."""
        results = EnsembleResults(self.problem.identity)
        trained = []
        for experiment in self.experiments:
            came = experiment.train()
            recipe = experiment.problem.recipe.name
            several = len(self.experiments) > 1
            results.failures |= {
                f"{recipe}, {what}" if several else what: why
                for what, why in came.failures.items()
            }
            trained.append([(experiment, seed) for seed in sorted(came.endpoints)])
        order = [pair for turn in _in_turn(trained) for pair in turn]
        if results.failures or not order:
            return results
        keys = [experiment.endpoint(seed).key for experiment, seed in order]
        for text, ensemble in self.ensembles.items():
            try:
                endpoints = _Endpoints([(e.endpoint, seed) for e, seed in order])
                results.records[text] = self._record(text, ensemble, keys, endpoints)
            except UsageError:
                raise
            except Exception as error:
                log.debug("ensemble %s failed", text, exc_info=True)
                results.failures[text] = reason_of(error)
        return results

    def _record(
        self, text: str, ensemble: Ensemble, keys: list[str], endpoints: Sequence[Endpoint]
    ) -> dict[str, Any]:
        """An ensemble's record from the store, or measured now."""
        description = {
            "schema": SCHEMA,
            "endpoints": keys,
            "ensemble": host().identity("ensemble", ensemble),
            "seed": self.problem.seed,
            "dtype": "float32",
        }
        key = key_of(description)
        with self.store.lock(key):
            known = self.store.intact(self.store.read_record, KIND, key)
            if known is not None:
                return known
            began = time.perf_counter()
            sizes = []
            for values in grow(ensemble, endpoints, self.problem):
                sizes.append(values)
                host().notify(
                    "mcbench_method_progressed",
                    title=text,
                    step=len(sizes),
                    steps=len(keys),
                    loss=values["loss"],
                )
            record = {
                "ensemble": text,
                "description": description,
                "problem": self.problem.identity,
                "sizes": sizes,
                "provenance": provenance(self.problem.device),
                "cost": {"seconds": time.perf_counter() - began},
            }
            self.store.write_record(KIND, key, record)
            return record


class _Endpoints(Sequence[Endpoint]):
    """Endpoints that are loaded when they are asked for, so that not all need be in memory."""

    def __init__(self, sources: list[tuple[Callable[[int], Endpoint], int]]) -> None:
        self._sources = sources

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return _Endpoints(self._sources[index])
        load, seed = self._sources[index]
        return load(seed)


def _in_turn(groups: list[list[Any]]) -> Iterator[list[Any]]:
    longest = max(map(len, groups), default=0)
    for i in range(longest):
        yield [group[i] for group in groups if i < len(group)]


def grow(
    ensemble: Ensemble, endpoints: Sequence[Endpoint], problem: Problem
) -> Iterator[dict[str, float]]:
    """An ensemble's values with 1, 2, ... members, on the test data.

    Each is a dictionary of ``accuracy`` (percent) and ``loss`` (nats, cross-entropy) of the mean
    softmax output; ``parameters`` and ``bytes`` that are stored, ``operations`` of a forward pass
    of one input (see `mcbench.structure.operations`), and the same three under
    ``independent-...`` for as many independent networks.

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
    for count, member in enumerate(ensemble.members(endpoints, problem), start=1):
        first = member if first is None else first
        own = {n: x for n, x in member.items() if count == 1 or x is not first[n]}
        stored["parameters"] += size(own)[0]
        stored["bytes"] += size(own)[1]
        shared = 0
        if chain is not None and count > 1:
            shared = shared_layers(first, member, chain)
        stored["operations"] += sum(by_layer[shared:])
        outputs = _probabilities(member, problem)
        total = outputs if total is None else total + outputs
        if not bool(total.isfinite().all()):
            raise RunError(f"the outputs of member {count} are not finite")
        alone = dict(zip(stored, (*size(first), sum(by_layer)), strict=True))
        targets = problem.splits["test"].targets
        chosen = total.gather(1, targets[:, None])[:, 0].double() / count
        yield {
            "accuracy": 100 * float((total.argmax(1) == targets).double().mean()),
            "loss": -float(chosen.clamp_min(torch.finfo(torch.float32).tiny).log().mean()),
            **stored,
            **{f"independent-{name}": count * value for name, value in alone.items()},
        }


def _probabilities(params: Params, problem: Problem) -> torch.Tensor:
    with torch.inference_mode():
        outputs = [problem.forward(params, x).softmax(1) for x, _ in problem.batches("test")]
        return torch.cat(outputs).clone()
