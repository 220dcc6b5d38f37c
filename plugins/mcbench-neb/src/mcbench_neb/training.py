"""The cycles of a chain, resumable, and the path through its pivots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from typing import Any

import torch

import mcbench
from mcbench import Endpoint, Params, Path, Problem, RunError, Statistics
from mcbench_neb import AutoNEB, Band
from mcbench_neb.chain import Chain, insertions
from mcbench_neb.pivots import Batch

TOLD = 10
"""How far it is is said every so many steps."""

CHECK = 10
"""Forces are measured after so many passes over the training data."""

REASONS = {"tolerance": "at the tolerance", "steps": "at the step limit"}


def connect(band: Band, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
    """The path through the pivots of a chain, whose state is kept in the problem's workshop.

    A chain that was killed goes on from the last step that was saved and ends with the same
    numbers; one that is done is not moved again.

    Raises:
        RunError: If a loss is not finite.
    """
    workshop = problem.workshop
    state, record = workshop.load() or ({}, {})
    if not record.get("final"):
        cycles = Cycles(band, a.params, b.params, problem)
        cycles.restore(state, record)
        cycles.run()
        state, record = cycles.networks(), {"final": True, "cycles": cycles.history}
        workshop.save(state, record, final=True)
    tell(band, record["cycles"], problem)
    numbers = sorted({int(name.partition(".")[0]) for name in state})
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
    """The cycles of a chain.

    Arguments:
        band: The method.
        a, b: The ends.
        problem: Network, data, workshop and the seed of all draws.
        lanes: See `Pivots`.

    Attributes:
        history: Of each cycle that is done: its ``steps``, its ``pivots``, why it ``stopped``,
            the largest forces ``across`` and ``along`` the chain, and of AutoNEB the ``maximum``
            of its loss.
    """

    def __init__(
        self, band: Band, a: Params, b: Params, problem: Problem, lanes: int | None = None
    ) -> None:
        self.band, self.a, self.b, self.problem = band, a, b, problem
        self.chain = Chain(band, a, b, problem, lanes)
        self.recipe = self.chain.recipe
        self.passes = -(-len(problem.data.train) // self.recipe.batch_size)
        self.plan = band.plan
        self.history: list[dict[str, Any]] = []
        self.best = self.chain.rows
        self.step, self.loss = 0, float("nan")

    # State ---------------------------------------------------------------------------------

    def state(self) -> Params:
        """All that goes on changing."""
        chain = self.chain
        return {"rows": chain.rows, "shares": chain.shares, "velocity": chain.velocity,
                "best": self.best}  # fmt: skip

    def restore(self, state: Params, record: dict[str, Any]) -> None:
        """Go on from a state; an empty one is the beginning."""
        chain = self.chain
        if not state:
            chain.start(self.band.first)
            return
        chain.rows, chain.velocity = (state[n].to(chain.rows) for n in ("rows", "velocity"))
        chain.shares = state["shares"].to(chain.shares)
        self.best = state["best"].to(chain.rows)
        self.history, self.step = record["history"], record["step"]

    def save(self) -> None:
        """Keep the state, if the last time is long ago."""
        self.problem.workshop.save(self.state(), {"history": self.history, "step": self.step})

    def networks(self) -> Params:
        """The pivots of the best cycle: entry ``n`` of pivot i = 1, 2, ... is named ``i.n``."""
        statistics = Statistics(self.problem, self.recipe)
        rows = enumerate(self.best[1:-1], start=1)
        return {
            f"{i}.{name}": x
            for i, row in rows
            for name, x in statistics.renew(self.chain.pivots.unflatten(row)).items()
        }

    # Work ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Carry out what is left of the cycles."""
        device = self.chain.rows.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            while len(self.history) < len(self.plan):
                self.cycle()
        self.report(len(self.plan), 0, self.loss)

    def cycle(self) -> None:
        """The rest of the cycle under way, and what comes of it."""
        number, chain = len(self.history), self.chain
        plan = self.plan[number]
        recipe = replace(
            self.recipe, lr=plan.factor * self.recipe.lr, epochs=plan.steps, schedule=plan.schedule
        )
        total, since, strength = 0.0, 0, None
        for batches in self.batches(number):
            rate = recipe.rate(self.step)
            seeds = self.seeds(number)
            total += float(chain.step(rate, batches, seeds).mean(dtype=torch.float64))
            self.step, since = self.step + 1, since + 1
            if not abs(total) < float("inf"):
                raise self.diverged(f"its mean loss is {total}", rate)
            done = self.step == plan.steps
            if self.step % TOLD == 0 or done:
                self.loss, total, since = total / since, 0.0, 0
                if not done:
                    self.report(number, self.step, self.loss)
            if self.step % (CHECK * self.passes) == 0 or done:
                strength = chain.strength()
                if not sum(strength) < float("inf"):  # The last step shows in no minibatch.
                    raise self.diverged(f"its largest force is {sum(strength)}", rate)
                if done or self.at_rest(strength):
                    break
            self.save()
        assert strength is not None
        entry = {
            "steps": self.step,
            "pivots": len(chain.rows) - 2,
            "stopped": "tolerance" if self.at_rest(strength) else "steps",
            "across": strength[0],
            "along": strength[1],
        }
        self.history.append(entry)
        self.step = 0
        if isinstance(self.band, AutoNEB):
            self.judge(self.band)
        else:
            self.best = chain.rows
        self.save()

    def diverged(self, what: str, rate: float) -> RunError:
        """The error that says so."""
        return RunError(
            f"the chain diverged: {what} in step {self.step} of cycle {len(self.history) + 1}; a "
            f"lower learning rate may help (-m '{self.band.name}[lr=...]', here {rate:g})"
        )

    def at_rest(self, strength: tuple[float, float]) -> bool:
        """Whether forces are within the tolerance, if there is one."""
        return max(strength) <= self.band.tolerance and self.band.tolerance > 0

    def judge(self, band: AutoNEB) -> None:
        """Keep the chain if it is the best so far, and insert pivots for the next cycle."""
        profile = self.chain.profile()
        self.history[-1]["maximum"] = float(profile.max())
        if kept(self.history) == len(self.history) - 1:
            self.best = self.chain.rows.clone()
        if len(self.history) < len(self.plan):
            self.chain.insert(insertions(profile, band.theta, band.insert))

    def batches(self, cycle: int) -> Iterator[list[Batch]]:
        """A minibatch for each pivot, from the step that is next."""
        pivots = range(len(self.chain.rows) - 2)
        for number in count(self.step // self.passes):
            streams = [self.problem.shuffled(self.recipe, "neb", cycle, number, i) for i in pivots]
            steps = (list(each) for each in zip(*streams, strict=True))
            if number == self.step // self.passes:
                # Those that were used before an interruption are drawn, but not counted, again.
                seen = self.problem.samples_seen
                for _ in islice(steps, self.step % self.passes):
                    pass
                self.problem.samples_seen = seen
            yield from steps

    def seeds(self, cycle: int) -> list[int]:
        """What networks draw is seeded for each pivot and step."""
        pivots = range(len(self.chain.rows) - 2)
        draws = self.problem.generator("neb", cycle, self.step, "network")
        return torch.randint(2**62, (len(pivots),), generator=draws).tolist()

    def report(self, cycles: int, step: int, loss: float) -> None:
        """Say how far it is."""
        done = sum(cycle.steps for cycle in self.plan[:cycles]) + step
        self.problem.workshop.report(done, sum(cycle.steps for cycle in self.plan), loss)
