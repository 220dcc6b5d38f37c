"""`solve`, the loop of every long training: resumed, stored, reported, stopped if it diverges."""

from __future__ import annotations

from math import isfinite
from typing import Any, Protocol

import torch

from mcbench.errors import RunError
from mcbench.paths.params import Params


class Solver(Protocol):
    """A training by steps: `init`, `step` and `progress`; the loop around them is `solve`.

    All that changes from step to step is its state: tensors, and a JSON record which alone gives
    the progress. A step seeds its draws by its number, so that a resumed training gives the same
    numbers as an uninterrupted one.

    Attributes:
        title: What is trained, for the error if it diverges: ``the chain``.
        unit: What one step is, for the error: ``step`` or ``epoch``.
        advice: Where its learning rate is set, for the error: ``-m 'neb[lr=...]', here 0.1``.
        steps: The largest number of steps.
        record: The part of the state that is no tensor, as JSON has it.
    """

    title: str
    unit: str
    advice: str
    steps: int

    @property
    def record(self) -> dict[str, Any]: ...

    def init(self, tensors: Params, record: dict[str, Any]) -> None:
        """Continue from a stored state, whose tensors may be on the CPU; begin if it is empty."""

    def step(self) -> float | None:
        """Take the next step.

        Returns:
            The mean loss since the last one returned; ``None`` if there is none to report yet.
        """

    def progress(self, record: dict[str, Any]) -> int:
        """The number of steps done in the state of a record, 0 if it is empty.

        At ``steps`` the training is finished: one that ends early skips to that number.
        """

    def tensors(self) -> Params:
        """The tensors of the state, from which an interrupted training continues."""

    def result(self) -> Params:
        """The tensors that are stored when the training is finished."""


class Checkpoint(Protocol):
    """The storage of a state, such as a `Workshop`."""

    def load(self) -> tuple[Params, dict[str, Any]] | None:
        """The tensors and the record saved last, or ``None``."""

    def save(self, tensors: Params, record: dict[str, Any], final: bool = False) -> None:
        """Store a state; one that is not final may be skipped to save time."""

    def report(self, step: int, steps: int, loss: float) -> None:
        """Report that ``step`` of ``steps`` is done, with its mean loss."""


def solve(solver: Solver, checkpoint: Checkpoint) -> tuple[Params, dict[str, Any]]:
    """Take all steps of a solver, from its stored state if there is one.

    A finished training is not repeated. Torch's global random state is left as it was.

    Arguments:
        solver: What is trained.
        checkpoint: The storage of its state: a method's is ``problem.workshop``.

    Returns:
        The solver's result (on the CPU if it was loaded), and its record.

    Raises:
        RunError: If a loss is not finite.
    """
    tensors, record = checkpoint.load() or ({}, {})
    done = solver.progress(record)
    if done >= solver.steps:
        return tensors, record
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        solver.init(tensors, record)
        while done < solver.steps:
            loss = solver.step()
            if loss is not None and not isfinite(loss):
                raise diverged(solver, solver.title, loss, done)
            done = solver.progress(solver.record)
            if loss is not None:
                checkpoint.report(done, solver.steps, loss)
            if done < solver.steps:
                checkpoint.save(solver.tensors(), solver.record)
        tensors, record = solver.result(), solver.record
    checkpoint.save(tensors, record, final=True)
    return tensors, record


def diverged(solver: Solver, title: str, loss: float, done: int) -> RunError:
    """The error of a loss that is not finite, in the step after ``done``."""
    return RunError(
        f"{title} diverged: the loss is {loss} in {solver.unit} {done + 1} of {solver.steps}; a "
        f"lower learning rate may help ({solver.advice})"
    )
