"""`Endpoints`, the trained networks of one problem; those that are missing are trained."""

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
from mcbench.store.provenance import provenance
from mcbench.store.store import Store
from mcbench.training import training


@dataclass
class Trained:
    """What came of training the endpoints of some seeds.

    Arguments:
        records: Those of the endpoints that exist, by seed.
        failures: Reasons by what failed, ``seed N``.
    """

    records: dict[int, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


class Endpoints:
    """The endpoints of one problem.

    Arguments:
        problem: Its recipe trains them.
        store: Where they are.
    """

    def __init__(self, problem: Problem, store: Store) -> None:
        self.problem, self.store = problem, store

    def load(self, seed: int) -> Endpoint:
        """A trained endpoint, on the problem's device."""
        key = endpoint_key(self.problem.identity, seed)
        return load(self.store, self.problem.device, seed, key)

    def train(self, seeds: Iterable[int]) -> Trained:
        """Train the endpoints that the store does not have, each by one process alone."""
        results = Trained()
        keys = {seed: endpoint_key(self.problem.identity, seed) for seed in seeds}
        missing = [s for s, k in keys.items() if not self._found(s, k, results)]
        with ExitStack() as locks:
            for seed in sorted(missing, key=keys.__getitem__):
                locks.enter_context(self.store.lock(keys[seed]))
            # Another process may have trained some while this one waited.
            missing = [s for s in missing if not self._found(s, keys[s], results)]
            if missing:
                locks.enter_context(threads(self.problem))
                self._train(missing, keys, results)
        results.records = dict(sorted(results.records.items()))
        return results

    def _found(self, seed: int, key: str, results: Trained) -> bool:
        known = self.store.intact(self.store.read_tensors, "endpoints", key)
        if known is not None:
            results.records[seed] = known[1]
        return known is not None

    def _train(self, seeds: list[int], keys: dict[int, str], results: Trained) -> None:
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
            self._keep(outcome, keys[outcome.seed], results)

    def _keep(self, outcome: training.TrainingResult, key: str, results: Trained) -> None:
        seed, error, params = outcome.seed, outcome.error, outcome.params
        if error is not None or params is None:
            what, reason = f"seed {seed}", str(error)
            results.failures[what] = reason
            host().notify("mcbench_training_failed", seed=seed, key=key, error=error)
            failure = {"what": f"endpoint of {what}", "reason": reason}
            self.store.write_record("failures", key, failure)
            return
        record = {
            "problem": self.problem.identity,
            "seed": seed,
            "losses": outcome.losses,
            "provenance": provenance(self.problem.device),
            "cost": {"seconds": outcome.seconds},
        }
        self.store.write_tensors("endpoints", key, params, record)
        self.store.remove("partial", key)
        self.store.remove("failures", key)
        results.records[seed] = record
        trained = Endpoint(params, seed, key, record)
        host().notify("mcbench_endpoint_trained", endpoint=trained)


def load(store: Store, device: torch.device, seed: int, key: str) -> Endpoint:
    """A trained endpoint by its content key, on a device.

    Raises:
        RunError: If the store does not have it.
    """
    known = store.read_tensors("endpoints", key)
    if known is None:
        raise RunError(f"the endpoint of seed {seed} is not in the store")
    return Endpoint(move(known[0], device), seed, key, known[1])


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
