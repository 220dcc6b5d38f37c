"""`Connector`, which builds the path of a run, checks its ends and measures its cost."""

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
from mcbench.training.batch_norm import Statistics

POOL = 1000
"""The first seed of the pool that a method is fitted on."""


@dataclass(frozen=True)
class Connection:
    """The path of a run, with its notes and its cost.

    Arguments:
        path: The path.
        notes: The method's notes on it; see `mcbench.Workshop.note`.
        meter: The meter of connecting, and of computing points.
        fit: The cost of fitting the method to its pool, once for all pairs; ``None`` without one.
    """

    path: Path
    notes: dict[str, str]
    meter: Meter
    fit: Cost | None

    @property
    def cost(self) -> dict[str, Any]:
        """The cost so far, by ``path`` and ``fit``."""
        fit = {"fit": asdict(self.fit)} if self.fit else {}
        return {"path": asdict(self.meter.total)} | fit


class Connector:
    """Builds paths between endpoints.

    Arguments:
        problem: The problem that methods are given: A's, if B has another recipe.
        store: Holds the endpoints and what methods have trained.
        methods: The methods by their text, ``name[p=v]``.
    """

    # Methods are Any: the host gives them the optional attributes that their protocol lacks.
    def __init__(self, problem: Problem, store: Store, methods: dict[str, Any]) -> None:
        self.problem, self.store, self.methods = problem, store, methods

    def ends(self, run: Run) -> tuple[Endpoint, Endpoint]:
        """The endpoints A and B of a run; two recipes may have trained them."""
        a, b = map(self._load, run.pair, run.ends)
        return a, b

    def _load(self, seed: int, key: str) -> Endpoint:
        return load(self.store, self.problem.device, seed, key)

    def pool(self, text: str) -> list[int]:
        """The seeds of the endpoints that a method is fitted on; none if it needs no pool.

        Raises:
            StructureError: If the method does not take the network, so that no pool is trained.
        """
        component = self.methods[text]
        if "pool" not in method.needs(component):
            return []
        if component.check is not None:
            component.check(self.problem)
        return list(range(POOL, POOL + component.pool))

    def connect(self, run: Run) -> Path:
        """The path of a run.

        Raises:
            RunError: If the method needs something that is missing, or its path has other ends
                than it says.
        """
        return self.build(run).path

    def build(self, run: Run) -> Connection:
        """The path of a run with its notes and its cost.

        Raises:
            RunError: See `connect`.
        """
        a, b = self._checked_ends(run)
        weights, fit = self._fitted(run)
        meter = self._meter()
        description = {"ends": run.ends, "method": run.identity, "seed": run.protocol.seed}
        workshop = Workshop(self.store, key_of(description), run.title, meter, problem=run.problem)
        component, problem = self.methods[run.method], self.problem.bind(workshop, weights)
        with meter.running():
            path = component.connect(a, b, problem)
            if not isinstance(path, Path):
                raise RunError(
                    f"method '{component.name}' gave an object of type {type(path).__name__}, not "
                    "a path: return mcbench.segment(a.params, b.params), or another mcbench.Path"
                )
            # What is neither weight nor statistics of a batch norm has no meaning between A and B.
            path = Statistics(problem, problem.recipe, norms=False).throughout(path)
            check_ends(path, a.params, b.params, problem)
        return Connection(path, workshop.notes, meter, fit)

    def _meter(self) -> Meter:
        return Meter(self.problem.device, len(self.problem.data.train))

    def _checked_ends(self, run: Run) -> tuple[Endpoint, Endpoint]:
        """A and B, if the run's method can connect them."""
        component = self.methods[run.method]
        missing = method.needs(component) - method.SUPPORTED
        if missing:
            raise RunError(
                f"method '{component.name}' needs {', '.join(sorted(missing))}, "
                "which this version of mcbench does not offer"
            )
        pool = [endpoint_key(run.problem, seed) for seed in self.pool(run.method)]
        overlap = [seed for seed, key in zip(run.pair, run.ends, strict=True) if key in pool]
        if overlap:
            raise RunError(
                f"seed {min(overlap)} is in the pool that '{component.name}' is fitted on: the "
                f"seeds {POOL} to {POOL + component.pool - 1} cannot be connected by it"
            )
        a, b = self.ends(run)
        for endpoint in (a, b):
            if not finite(endpoint.params):
                raise RunError(
                    f"the endpoint of seed {endpoint.seed} has weights that are not finite"
                )
        return a, b

    def _fitted(self, run: Run) -> tuple[Params, Cost | None]:
        """The weights of the run's method, fitted to its pool now if not before, and the cost."""
        seeds = self.pool(run.method)
        if not seeds:
            return {}, None
        ends = [endpoint_key(run.problem, seed) for seed in seeds]
        key = key_of({"pool": ends, "method": run.identity, "seed": run.protocol.seed})
        with self.store.lock(key):
            stored = self.store.intact(self.store.read_tensors, KIND, key)
            if stored is not None and stored[1].get("final"):
                cost = stored[1].get("cost")
                return move(stored[0], self.problem.device), Cost(**cost) if cost else None
            meter = self._meter()
            title = f"{run.method} on a pool"
            workshop = Workshop(self.store, key, title, meter, problem=run.problem)
            with meter.running():
                pool = list(map(self._load, seeds, ends))
                weights: Params = self.methods[run.method].fit(pool, self.problem.bind(workshop))
                workshop.save(weights, {"final": True}, final=True)
            return weights, meter.total
