"""The cycles of a chain, and the path through its pivots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from math import isfinite
from typing import Any

import torch

import mcbench
from mcbench import Endpoint, Params, Path, Problem, Statistics
from mcbench_neb import AutoNEB, Band
from mcbench_neb.chain import Chain, insertions
from mcbench_neb.pivots import Batch

TOLD = 10
"""Progress is reported every so many steps."""

CHECK = 10
"""Forces are measured after so many passes over the training data."""

REASONS = {"tolerance": "at the tolerance", "steps": "at the step limit"}


def connect(band: Band, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
    """The path through the pivots of a chain, whose state is kept in the problem's workshop.

    Raises:
        RunError: If a loss is not finite.
    """
    state, record = mcbench.solve(Cycles(band, a.params, b.params, problem), problem.workshop)
    tell(band, record["cycles"], problem)
    numbers = range(1, 1 + len(state) // len(a.params))
    pivots = [{n: state[f"{i}.{n}"].to(x.device) for n, x in a.params.items()} for i in numbers]
    path = mcbench.polyline([a.params, *pivots, b.params])
    return Statistics(problem, band.recipe(problem)).along(path)


def tell(band: Band, history: list[dict[str, Any]], problem: Problem) -> None:
    """Say why the chain stopped and, of several cycles, which one is the path."""
    last = history[-1]
    problem.workshop.note(
        f"stopped {REASONS[last['stopped']]}",
        f"after {sum(c['steps'] for c in history)} steps of {last['pivots']} pivots; largest "
        f"force across the chain {last['across']:.2g}, along it {last['along']:.2g}, "
        f"tolerance {band.tolerance:g}",
    )
    if isinstance(band, AutoNEB):
        best = kept(history)
        heights = ", ".join(f"{c['maximum']:.4g} ({c['pivots']})" for c in history)
        problem.workshop.note(
            f"kept cycle {best + 1} of {len(history)}",
            f"largest losses by cycle (pivots): {heights}",
        )


def kept(history: list[dict[str, Any]]) -> int:
    """The cycle whose chain has the lowest maximum; of equals the last."""
    return min(range(len(history)), key=lambda i: (history[i]["maximum"], -i))


class Cycles:
    """The cycles of a chain under way, of which a step moves all pivots once.

    Arguments:
        band: The method.
        a, b: The ends.
        problem: Network, data and the seed of all draws.
        lanes: See `Pivots`.

    Attributes:
        history: Of each cycle that is done: its ``steps``, its ``pivots``, why it ``stopped``,
            the largest forces ``across`` and ``along`` the chain, and of AutoNEB the ``maximum``
            of its loss.
        done: The steps of the cycle under way.
        best: The rows of the best chain.
    """

    title, unit = "the chain", "step"

    def __init__(
        self, band: Band, a: Params, b: Params, problem: Problem, lanes: int | None = None
    ) -> None:
        self.band, self.problem = band, problem
        self.chain = Chain(band, a, b, problem, lanes)
        self.recipe = self.chain.recipe
        self.advice = f"-m '{band.name}[lr=...]', here {self.recipe.lr:g}"
        self.passes = -(-len(problem.data.train) // self.recipe.batch_size)
        self.plan = band.plan
        self.steps = sum(cycle.steps for cycle in self.plan)
        self.history: list[dict[str, Any]] = []
        self.best = self.chain.rows
        self.done, self.losses, self.stream = 0, list[float](), self.batches()

    @property
    def record(self) -> dict[str, Any]:
        """The cycles that are done, and the steps of the next."""
        return {"cycles": self.history, "step": self.done}

    def progress(self, record: dict[str, Any]) -> int:
        """The steps of a state; a cycle that stopped early skipped the rest."""
        cycles = self.plan[: len(record.get("cycles", ()))]
        return sum(cycle.steps for cycle in cycles) + int(record.get("step", 0))

    def init(self, tensors: Params, record: dict[str, Any]) -> None:
        """Go on from a state, or begin with the line."""
        chain = self.chain
        if "cycles" not in record:
            chain.start(self.band.first)
            return
        chain.rows, chain.velocity = (tensors[n].to(chain.rows) for n in ("rows", "velocity"))
        chain.shares = tensors["shares"].to(chain.shares)
        self.best = tensors["best"].to(chain.rows)
        self.history, self.done = record["cycles"], record["step"]

    def tensors(self) -> Params:
        """All that goes on changing."""
        chain = self.chain
        return {"rows": chain.rows, "shares": chain.shares, "velocity": chain.velocity,
                "best": self.best}  # fmt: skip

    def result(self) -> Params:
        """The pivots of the best cycle: entry ``n`` of pivot i = 1, 2, ... is named ``i.n``."""
        statistics = Statistics(self.problem, self.recipe)
        rows = enumerate(self.best[1:-1], start=1)
        return {
            f"{i}.{name}": x
            for i, row in rows
            for name, x in statistics.renew(self.chain.pivots.unflatten(row)).items()
        }

    def step(self) -> float | None:
        """Move all pivots once, and end the cycle where that is due."""
        number, chain = len(self.history), self.chain
        plan = self.plan[number]
        recipe = replace(
            self.recipe, lr=plan.factor * self.recipe.lr, epochs=plan.steps, schedule=plan.schedule
        )
        draws = self.problem.generator("neb", number, self.done, "network")
        seeds = torch.randint(2**62, (len(chain.rows) - 2,), generator=draws).tolist()
        losses = chain.step(recipe.rate(self.done), next(self.stream), seeds)
        loss = float(losses.mean(dtype=torch.float64))
        if not isfinite(loss):
            return loss
        self.losses.append(loss)
        self.done += 1
        last, mean = self.done == plan.steps, None
        if last or self.done % TOLD == 0:
            mean, self.losses = sum(self.losses) / len(self.losses), []
        if last or self.done % (CHECK * self.passes) == 0:
            across, along = chain.strength()
            if not isfinite(across + along):  # The last step shows in no minibatch.
                return across + along
            at_rest = max(across, along) <= self.band.tolerance and self.band.tolerance > 0
            if last or at_rest:
                stopped = "tolerance" if at_rest else "steps"
                self.end({"stopped": stopped, "across": across, "along": along})
        return mean

    def end(self, cycle: dict[str, Any]) -> None:
        """End a cycle; AutoNEB keeps its chain if it is the best so far, and inserts pivots."""
        chain, band = self.chain, self.band
        cycle |= {"steps": self.done, "pivots": len(chain.rows) - 2}
        self.history.append(cycle)
        self.done, self.stream = 0, self.batches()
        if not isinstance(band, AutoNEB):
            self.best = chain.rows
            return
        profile = chain.profile()
        cycle["maximum"] = float(profile.max())
        if kept(self.history) == len(self.history) - 1:
            self.best = chain.rows.clone()
        if len(self.history) < len(self.plan):
            chain.insert(insertions(profile, band.theta, band.insert))

    def batches(self) -> Iterator[list[Batch]]:
        """A minibatch for each pivot, from the cycle's step that is next."""
        cycle, pivots = len(self.history), range(len(self.chain.rows) - 2)
        for number in count(self.done // self.passes):
            streams = [self.problem.shuffled(self.recipe, "neb", cycle, number, i) for i in pivots]
            steps = (list(each) for each in zip(*streams, strict=True))
            if number == self.done // self.passes:
                # Those that were used before an interruption are drawn, but not counted, again.
                seen = self.problem.samples_seen
                for _ in islice(steps, self.done % self.passes):
                    pass
                self.problem.samples_seen = seen
            yield from steps
