"""Sources of an ensemble's members: endpoints, partly trained ones, and trainings from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Any

from mcbench.ensembles.ensemble import collects
from mcbench.experiments.endpoints import Endpoints, Trained
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.run import endpoint_key
from mcbench.paths.params import Params, move
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.problem.recipe import Recipe
from mcbench.store.checkpoint import Workshop
from mcbench.store.cost import Cost, Meter
from mcbench.store.key import key_of
from mcbench.store.store import Store


@dataclass(frozen=True)
class Source:
    """One network that is a member of an ensemble, or starts a training that gives members.

    Arguments:
        problem: The problem with the recipe of the endpoints to compare with.
        start: Loads the network, or builds it.
    """

    problem: Problem
    start: Callable[[], Endpoint]


# Ensembles are Any: see `collects`.
def start_of(ensemble: Any, recipe: Recipe) -> Recipe | None:
    """The recipe of the networks that an ensemble is given; ``None`` if they are untrained."""
    start: Recipe | None = ensemble.start(recipe) if collects(ensemble) else recipe
    return start


def sources(
    experiments: Sequence[Experiment],
    ensemble: Any,
    train: Callable[[Experiment, Recipe], tuple[Endpoints, Trained]],
    failures: dict[str, str],
) -> list[Source]:
    """The sources of an ensemble, from each experiment in turn.

    Arguments:
        experiments: One per recipe.
        ensemble: The ensemble.
        train: `train_by`, or its results if they are kept for several ensembles.
        failures: Receives the failures of trainings; then no sources are returned.
    """
    groups: list[list[Source]] = []
    failed = False
    for experiment in experiments:
        problem, seeds = experiment.problem, experiment.plan.seeds
        recipe = start_of(ensemble, problem.recipe)
        if recipe is None:
            groups.append([Source(problem, partial(_initial, problem, seed)) for seed in seeds])
            continue
        endpoints, trained = train(experiment, recipe)
        several = len(experiments) > 1 or recipe != problem.recipe
        prefix = f"{host().text('recipe', recipe)}, " if several else ""
        failures |= {f"{prefix}{what}": why for what, why in trained.failures.items()}
        failed |= bool(trained.failures)
        groups.append([Source(problem, partial(endpoints.load, s)) for s in trained.records])
    in_turn = [source for turn in zip_longest(*groups) for source in turn if source is not None]
    return [] if failed else in_turn


def train_by(experiment: Experiment, recipe: Recipe) -> tuple[Endpoints, Trained]:
    """The endpoints of a recipe, trained now if the store does not have them."""
    endpoints = experiment.endpoints
    if recipe != experiment.problem.recipe:
        endpoints = experiment.endpoints_by(host().text("recipe", recipe))
    return endpoints, endpoints.train(experiment.plan.seeds)


def _initial(problem: Problem, seed: int) -> Endpoint:
    """The network of a seed with its initial weights."""
    params = {n: x.detach() for n, x in problem.build(seed).state_dict().items()}
    key = key_of({"initial": endpoint_key(problem.identity, seed)})
    return Endpoint(move(params, problem.device), seed, key)


def collect(text: str, ensemble: Any, source: Source, store: Store) -> tuple[list[Params], Cost]:
    """The members from one training and its cost; it is resumed if it was interrupted."""
    problem, start = source.problem, source.start()
    description = {"start": start.key, "problem": problem.identity, "seed": problem.seed}
    key = key_of(description | {"ensemble": host().identity("ensemble", ensemble)})
    meter = Meter(problem.device, len(problem.data.train))
    workshop = Workshop(store, key, f"{text} seed {start.seed}", meter)
    with store.lock(key), meter.running():
        members = list(ensemble.collect(start, problem.bind(workshop)))
    return members, meter.total
