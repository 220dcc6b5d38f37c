"""`Connector` builds the paths of runs: endpoints, fitted methods, checked ends, measured cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mcbench.errors import RunError
from mcbench.evaluation.ends import check_ends
from mcbench.experiments.endpoints import load
from mcbench.experiments.run import Run, endpoint_key
from mcbench.methods import method
from mcbench.paths.params import Params, finite, move
from mcbench.paths.path import Path
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.checkpoint import KIND, Workshop
from mcbench.store.cost import Cost, Meter
from mcbench.store.key import key_of
from mcbench.store.store import Store

POOL = 1000
"""The first seed of the pool that a method is fitted on."""


@dataclass(frozen=True)
class Built:
    """A path that was built for a run.

    Arguments:
        path: It.
        notes: What the method said of it; see `mcbench.Workshop.note`.
        meter: Measured what the method spent to connect.
        fit: What it spent on its pool, once for all pairs; ``None`` if it has none.
    """

    path: Path
    notes: dict[str, str]
    meter: Meter
    fit: Cost | None

    @property
    def metered(self) -> Path:
        """The same path, whose points are added to the cost."""
        return Path([leg.within(self.meter.running) for leg in self.path.legs], self.path.end)

    @property
    def cost(self) -> dict[str, Any]:
        """The cost up to now: ``path``, to connect and to give points, and ``fit``."""
        fit = {"fit": asdict(self.fit)} if self.fit else {}
        return {"path": asdict(self.meter.total)} | fit


class Connector:
    """Builds paths between endpoints.

    Arguments:
        problem: What methods are given: that of the endpoints, or A's if B has another recipe.
        store: Where endpoints, and what methods trained, are.
        methods: By their text.
    """

    def __init__(self, problem: Problem, store: Store, methods: dict[str, Any]) -> None:
        self.problem, self.store, self.methods = problem, store, methods

    def ends(self, run: Run) -> tuple[Endpoint, Endpoint]:
        """The endpoints A and B of a run, which two recipes may have trained."""
        a, b = map(self._load, run.pair, run.ends)
        return a, b

    def _load(self, seed: int, key: str) -> Endpoint:
        return load(self.store, self.problem.device, seed, key)

    def pool(self, text: str) -> list[int]:
        """The seeds of a method's pool; none if it needs none.

        Raises:
            StructureError: If the method does not take the network, so that no pool is trained.
        """
        chosen = self.methods[text]
        if "pool" not in method.needs(chosen):
            return []
        if chosen.check is not None:
            chosen.check(self.problem)
        return list(range(POOL, POOL + chosen.pool))

    def connect(self, run: Run) -> Path:
        """The path of a run.

        Raises:
            RunError: If the method cannot be served, or its path does not end where it says.
        """
        return self.build(run).path

    def build(self, run: Run) -> Built:
        """The path of a run, as `connect` gives it, with what it has cost and what is said of it.

        Raises:
            RunError: As `connect`.
        """
        a, b = self._served(run)
        fitted, fit = self._fitted(run)
        meter = self._meter()
        description = {"ends": run.ends, "method": run.identity, "seed": run.protocol.seed}
        title = f"{run.method} {run.pair[0]}-{run.pair[1]}"
        workshop = Workshop(self.store, key_of(description), title, meter)
        chosen, problem = self.methods[run.method], self.problem.bind(workshop, fitted)
        with meter.running():
            path = chosen.connect(a, b, problem)
            if not isinstance(path, Path):
                raise RunError(
                    f"method '{chosen.name}' gave an object of type {type(path).__name__}, not a "
                    "path: return mcbench.segment(a.params, b.params), or another mcbench.Path"
                )
            check_ends(path, a.params, b.params, problem)
        return Built(path, workshop.notes, meter, fit)

    def _meter(self) -> Meter:
        return Meter(self.problem.device, len(self.problem.data.train))

    def _served(self, run: Run) -> tuple[Endpoint, Endpoint]:
        """A and B, if the run's method can be served with them."""
        chosen = self.methods[run.method]
        unserved = method.needs(chosen) - method.SUPPORTED
        if unserved:
            raise RunError(
                f"method '{chosen.name}' needs {', '.join(sorted(unserved))}, "
                "which this version of mcbench does not offer"
            )
        pool = [endpoint_key(run.problem, seed) for seed in self.pool(run.method)]
        used = [seed for seed, key in zip(run.pair, run.ends, strict=True) if key in pool]
        if used:
            raise RunError(
                f"seed {min(used)} is in the pool that '{chosen.name}' is fitted on: the seeds "
                f"{POOL} to {POOL + chosen.pool - 1} cannot be connected by it"
            )
        a, b = self.ends(run)
        if not (finite(a.params) and finite(b.params)):
            raise RunError("an endpoint has weights that are not finite")
        return a, b

    def _fitted(self, run: Run) -> tuple[Params, Cost | None]:
        """What the run's method was fitted to on its pool, fitted now if it was not; its cost."""
        seeds = self.pool(run.method)
        if not seeds:
            return {}, None
        chosen = self.methods[run.method]
        ends = [endpoint_key(run.problem, seed) for seed in seeds]
        key = key_of({"pool": ends, "method": run.identity, "seed": run.protocol.seed})
        with self.store.lock(key):
            known = self.store.intact(self.store.read_tensors, KIND, key)
            if known is not None and known[1].get("final"):
                spent = known[1].get("cost")
                return move(known[0], self.problem.device), Cost(**spent) if spent else None
            meter = self._meter()
            workshop = Workshop(self.store, key, f"{run.method} on a pool", meter)
            with meter.running():
                pool = list(map(self._load, seeds, ends))
                fitted: Params = chosen.fit(pool, self.problem.bind(workshop))
                workshop.save(fitted, {"final": True}, final=True)
            return fitted, meter.total
