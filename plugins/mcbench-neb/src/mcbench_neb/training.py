"""The training of a band in cycles, and the path through its pivots."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import Any

import mcbench
from mcbench import Endpoint, Params, Path, Problem, Statistics
from mcbench_neb import AutoNEB, Band
from mcbench_neb.pivots import Pivots, insertions

REPORT_STEPS = 10
"""Progress is reported every so many steps."""

CHECK_PASSES = 10
"""Forces are measured after so many passes over the training data."""

REASONS = {"tolerance": "at the tolerance", "steps": "at the step limit"}

History = list[dict[str, Any]]
"""For each cycle that is done: its ``steps``, its ``pivots``, why it ``stopped``, the largest
forces ``across`` and ``along`` the band, and for AutoNEB the ``maximum`` of its loss."""


def connect(band: Band, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
    """The path through the pivots of a band, whose state is kept in the problem's workshop.

    Raises:
        RunError: If a loss is not finite.
    """
    training = Training(Pivots(band, a.params, b.params, problem))
    state, record = mcbench.solve(training, problem.workshop)
    note(band, record["cycles"], problem)
    path = mcbench.polyline([a.params, *mcbench.unpack(state, a.params), b.params])
    return Statistics(problem, band.recipe(problem)).along(path)


def note(band: Band, history: History, problem: Problem) -> None:
    """Note why the band stopped and, of several cycles, which one is the path."""
    last = history[-1]
    problem.workshop.note(
        f"stopped {REASONS[last['stopped']]}",
        f"after {sum(c['steps'] for c in history)} steps of {last['pivots']} pivots; largest "
        f"force across the band {last['across']:.2g}, along it {last['along']:.2g}, "
        f"tolerance {band.tolerance:g}",
    )
    if isinstance(band, AutoNEB):
        heights = ", ".join(f"{c['maximum']:.4g} ({c['pivots']})" for c in history)
        problem.workshop.note(
            f"kept cycle {lowest(history) + 1} of {len(history)}",
            f"largest losses by cycle (pivots): {heights}",
        )


def lowest(history: History) -> int:
    """The cycle whose band has the lowest maximum; of equals the last."""
    return min(range(len(history)), key=lambda i: (history[i]["maximum"], -i))


class Training:
    """Training of a band, of which a step moves all pivots once.

    Arguments:
        pivots: The pivots at their start, which are moved.

    Attributes:
        history: See `History`.
        done: The steps of the cycle under way.
        best: The rows of the best band.
    """

    title, unit = "the band", "step"

    def __init__(self, pivots: Pivots) -> None:
        self.pivots, self.band, self.networks = pivots, pivots.band, pivots.networks
        self.recipe = self.networks.recipe
        self.advice = f"-m '{self.band.name}[lr=...]', here {self.recipe.lr:g}"
        self.steps = sum(cycle.steps for cycle in self.band.plan)
        self.best = pivots.rows
        self.losses: list[float] = []
        self._resume([], 0)

    def _resume(self, history: History, done: int) -> None:
        self.history, self.done = history, done
        self.batches = self.networks.minibatches(len(self.pivots), done, len(history))

    @property
    def record(self) -> dict[str, Any]:
        """The cycles that are done, and the steps of the next."""
        return {"cycles": self.history, "step": self.done}

    def progress(self, record: dict[str, Any]) -> int:
        """The steps of a state; a cycle that stopped early skipped the rest."""
        cycles = self.band.plan[: len(record.get("cycles", ()))]
        return sum(cycle.steps for cycle in cycles) + int(record.get("step", 0))

    def init(self, tensors: Params, record: dict[str, Any]) -> None:
        """Resume from a state, if there is one."""
        if not record:
            return
        pivots = self.pivots
        pivots.rows, pivots.velocity = (tensors[n].to(pivots.rows) for n in ("rows", "velocity"))
        pivots.shares = tensors["shares"].to(pivots.shares)
        self.best = tensors["best"].to(pivots.rows)
        self._resume(record["cycles"], record["step"])

    def tensors(self) -> Params:
        """The band, its velocity, and the best band so far."""
        pivots = self.pivots
        own = {"rows": pivots.rows, "shares": pivots.shares, "velocity": pivots.velocity}
        return own | {"best": self.best}

    def result(self) -> Params:
        """The pivots of the best cycle, with running statistics of their own."""
        statistics = Statistics(self.networks.problem, self.recipe)
        pivots = (self.networks.unflatten(row) for row in self.best[1:-1])
        return mcbench.pack(map(statistics.renew, pivots))

    def step(self) -> float | None:
        """Move all pivots once, and end the cycle where that is due."""
        number, cycle = len(self.history), self.band.plan[len(self.history)]
        recipe = replace(
            self.recipe,
            lr=cycle.factor * self.recipe.lr,
            epochs=cycle.steps,
            schedule=cycle.schedule,
        )
        draws = self.networks.problem.generator("neb", number, self.done, "network")
        losses = self.pivots.step(recipe.rate(self.done), next(self.batches), draws)
        loss = float(losses.double().mean())
        if not isfinite(loss):
            return loss
        self.losses.append(loss)
        self.done += 1
        last, mean = self.done == cycle.steps, None
        if last or self.done % REPORT_STEPS == 0:
            mean, self.losses = sum(self.losses) / len(self.losses), []
        if last or self.done % (CHECK_PASSES * self.networks.passes) == 0:
            across, along = self.pivots.strength()
            if not isfinite(across + along):  # The last step shows in no minibatch.
                return across + along
            at_rest = max(across, along) <= self.band.tolerance and self.band.tolerance > 0
            if last or at_rest:
                stopped = "tolerance" if at_rest else "steps"
                self.end({"stopped": stopped, "across": across, "along": along})
        return mean

    def end(self, cycle: dict[str, Any]) -> None:
        """End a cycle; AutoNEB keeps its band if it is the best so far, and inserts pivots."""
        pivots, band = self.pivots, self.band
        self.history.append(cycle | {"steps": self.done, "pivots": len(pivots)})
        if not isinstance(band, AutoNEB):
            self.best = pivots.rows
        else:
            profile = pivots.profile()
            self.history[-1]["maximum"] = float(profile.max())
            if lowest(self.history) == len(self.history) - 1:
                self.best = pivots.rows.clone()
            if len(self.history) < len(band.plan):
                pivots.insert(insertions(profile, band.theta, band.insert))
        self._resume(self.history, 0)
