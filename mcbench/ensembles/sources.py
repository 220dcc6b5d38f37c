"""Where the members of ensembles come from: trained endpoints, partly trained ones, trainings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcbench.ensembles.ensemble import collects
from mcbench.experiments.run import endpoint_key
from mcbench.paths.params import Params, move
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.checkpoint import Workshop
from mcbench.store.cost import Cost, Meter
from mcbench.store.key import key_of
from mcbench.store.store import Store

if TYPE_CHECKING:
    from mcbench.experiments.endpoints import Endpoints, Trained
    from mcbench.experiments.experiment import Experiment
    from mcbench.problem.recipe import Recipe


@dataclass(frozen=True)
class Source:
    """One network that brings members to an ensemble, as it is or by a training that it starts.

    Arguments:
        problem: With the recipe of the networks it is compared with.
        load: Gives the network of a seed.
        seed: Which.
    """

    problem: Problem
    load: Callable[[int], Endpoint]
    seed: int

    def start(self) -> Endpoint:
        """The network."""
        return self.load(self.seed)


def start_of(ensemble: Any, recipe: Recipe) -> Recipe | None:
    """How the networks are trained that an ensemble is given; ``None``: not at all."""
    started: Recipe | None = ensemble.start(recipe) if collects(ensemble) else recipe
    return started


class Trainings:
    """Trains what ensembles start from, each network once.

    Arguments:
        experiments: One per recipe; sources are taken from them in turn.
    """

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        self.experiments = experiments
        self._done: dict[tuple[int, Recipe], tuple[Endpoints, Trained]] = {}

    def sources(self, ensemble: Any, failures: dict[str, str]) -> list[Source]:
        """The sources of an ensemble, trained now if the store does not have them.

        What fails is added to ``failures``; then there are none.
        """
        groups: list[list[Source]] = []
        failed = False
        for number, experiment in enumerate(self.experiments):
            problem, seeds = experiment.problem, experiment.plan.seeds
            recipe = start_of(ensemble, problem.recipe)
            if recipe is None:
                groups.append([Source(problem, _Initial(problem), seed) for seed in seeds])
                continue
            endpoints, trained = self._trained(number, recipe)
            named = len(self.experiments) > 1 or recipe != problem.recipe
            prefix = f"{host().text('recipe', recipe)}, " if named else ""
            failures |= {f"{prefix}{what}": why for what, why in trained.failures.items()}
            failed |= bool(trained.failures)
            groups.append([Source(problem, endpoints.load, seed) for seed in trained.records])
        return [] if failed else [source for turn in _in_turn(groups) for source in turn]

    def _trained(self, number: int, recipe: Recipe) -> tuple[Endpoints, Trained]:
        key = number, recipe
        if key not in self._done:
            experiment = self.experiments[number]
            endpoints = experiment.endpoints
            if recipe != experiment.problem.recipe:
                endpoints = experiment.endpoints_by(host().text("recipe", recipe))
            self._done[key] = endpoints, endpoints.train(experiment.plan.seeds)
        return self._done[key]


@dataclass(frozen=True)
class _Initial:
    """Networks with their initial weights."""

    problem: Problem

    def __call__(self, seed: int) -> Endpoint:
        params = {n: x.detach() for n, x in self.problem.build(seed).state_dict().items()}
        key = key_of({"initial": endpoint_key(self.problem.identity, seed)})
        return Endpoint(move(params, self.problem.device), seed, key)


def _in_turn(groups: list[list[Any]]) -> list[list[Any]]:
    longest = max(map(len, groups), default=0)
    return [[group[i] for group in groups if i < len(group)] for i in range(longest)]


def collect(text: str, ensemble: Any, source: Source, store: Store) -> tuple[list[Params], Cost]:
    """The members that one training brings, and what it cost, carried out now if it was not."""
    problem, start = source.problem, source.start()
    key = key_of(
        {
            "start": start.key,
            "problem": problem.identity,
            "ensemble": host().identity("ensemble", ensemble),
            "seed": problem.seed,
        }
    )
    meter = Meter(problem.device, len(problem.data.train))
    workshop = Workshop(store, key, f"{text} seed {source.seed}", meter)
    with store.lock(key), meter.running():
        members = list(ensemble.collect(start, problem.bind(workshop)))
    return members, meter.total
