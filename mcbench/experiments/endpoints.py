"""`Endpoints`, the trained networks of one problem, trained where the store lacks them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from mcbench.errors import RunError
from mcbench.experiments.run import endpoint_key
from mcbench.paths.params import move
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.problem.soundness import check_soundness
from mcbench.store.checkpoint import Workshop
from mcbench.store.provenance import provenance
from mcbench.store.store import Store
from mcbench.training import training


@dataclass
class Trained:
    """Records and failures of the endpoints of some seeds.

    Arguments:
        records: The records of the endpoints that exist, by seed.
        failures: Reasons by what failed, ``seed N``.
    """

    records: dict[int, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


class Endpoints:
    """The endpoints of one problem.

    Arguments:
        problem: Data, architecture and the recipe that trains the endpoints.
        store: Holds the endpoints.
    """

    def __init__(self, problem: Problem, store: Store) -> None:
        self.problem, self.store = problem, store

    def load(self, seed: int) -> Endpoint:
        """A trained endpoint, on the problem's device."""
        key = endpoint_key(self.problem.identity, seed)
        return load(self.store, self.problem.device, seed, key)

    def train(self, seeds: Iterable[int]) -> Trained:
        """Train the endpoints that the store does not have, each in one process only."""
        trained = Trained()
        keys = {seed: endpoint_key(self.problem.identity, seed) for seed in seeds}
        missing = [s for s, k in keys.items() if not self._read(s, k, trained)]
        with ExitStack() as locks:
            for seed in sorted(missing, key=keys.__getitem__):
                locks.enter_context(self.store.lock(keys[seed]))
            # Another process may have trained some while this one waited.
            missing = [s for s in missing if not self._read(s, keys[s], trained)]
            if missing:
                locks.enter_context(threads(self.problem))
                self._train(missing, keys, trained)
        trained.records = dict(sorted(trained.records.items()))
        return trained

    def _read(self, seed: int, key: str, trained: Trained) -> bool:
        """Add a stored endpoint's record; whether there is one."""
        stored = self.store.intact(self.store.read_tensors, "endpoints", key)
        if stored is not None:
            trained.records[seed] = stored[1]
        return stored is not None

    def _train(self, seeds: list[int], keys: dict[int, str], trained: Trained) -> None:
        """Train endpoints, going on from where interrupted trainings stopped.

        Raises:
            UsageError: If the network is a plugin's and no number of it would mean anything.
        """
        if not self.problem.builder.builtin:
            check_soundness(self.problem.builder)
        identity = self.problem.identity
        checkpoints = {
            seed: Workshop(
                self.store,
                keys[seed],
                f"training of seed {seed}",
                kind="partial",
                problem=identity,
            )
            for seed in seeds
        }
        host().notify(
            "mcbench_training_started", problem=identity, seeds=tuple(seeds),
            keys=tuple(keys[seed] for seed in seeds),
        )  # fmt: skip
        for result in training.train(self.problem, checkpoints):
            self._store(result, keys[result.seed], trained)

    def _store(self, result: training.TrainingResult, key: str, trained: Trained) -> None:
        """Store a finished training as an endpoint, or as a failure."""
        seed, error, params = result.seed, result.error, result.params
        if error is not None or params is None:
            what, reason = f"seed {seed}", str(error)
            trained.failures[what] = reason
            host().notify("mcbench_training_failed", seed=seed, key=key, error=error)
            about = {"problem": self.problem.identity}
            failure = {"what": f"endpoint of {what}", "reason": reason, **about}
            self.store.write_record("failures", key, failure)
            return
        record = {
            "problem": self.problem.identity,
            "seed": seed,
            "losses": result.losses,
            "provenance": provenance(self.problem.device),
            "cost": {"seconds": result.seconds},
        }
        self.store.write_tensors("endpoints", key, params, record)
        self.store.remove("partial", key)
        self.store.remove("failures", key)
        trained.records[seed] = record
        endpoint = Endpoint(params, seed, key, record)
        host().notify("mcbench_endpoint_trained", endpoint=endpoint)


def load(store: Store, device: torch.device, seed: int, key: str) -> Endpoint:
    """A trained endpoint by its content key, on a device.

    Raises:
        RunError: If the store does not have it.
    """
    stored = store.read_tensors("endpoints", key)
    if stored is None:
        raise RunError(f"the endpoint of seed {seed} is not in the store: train it first")
    params, record = stored
    return Endpoint(move(params, device), seed, key, record)


@contextmanager
def threads(problem: Problem) -> Iterator[None]:
    """One thread for small networks: more only wait for each other, long on a busy machine."""
    before = torch.get_num_threads()
    if problem.device.type == "cpu" and training.trains_together(problem):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
