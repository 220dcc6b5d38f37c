"""`solve`, the loop of everything that trains for long: resumed, stored, watched, reported."""

from __future__ import annotations

import time
from math import isfinite
from typing import Any, Protocol

import torch

from mcbench.errors import RunError
from mcbench.paths.params import Params
from mcbench.store.store import save_seconds


class Solver(Protocol):
    """What is trained step by step: `solve` carries the steps out.

    Its state is tensors and a record, which together are all that goes on changing. How far it is
    follows from the record alone. A step seeds all that it draws from its number, so that a
    training that was interrupted ends with the same numbers as one that was not.

    Attributes:
        title: What diverges, in an error: ``the chain``.
        unit: What a step is, there: ``step`` or ``epoch``.
        advice: Where its learning rate is set, there: ``-m 'neb[lr=...]', here 0.1``.
        steps: How many steps there are, at most.
        record: What is no tensor of the state, as JSON has it.
    """

    @property
    def title(self) -> str: ...

    @property
    def unit(self) -> str: ...

    @property
    def advice(self) -> str: ...

    @property
    def steps(self) -> int: ...

    @property
    def record(self) -> dict[str, Any]: ...

    def taken(self, record: dict[str, Any]) -> int:
        """How many steps are done in a state of this record, 0 if it is empty.

        The training ends when they are ``steps``. One that ends early skips the rest.
        """
        ...

    def start(self, tensors: Params, record: dict[str, Any]) -> None:
        """Go on from a state; both are empty at the beginning. Tensors may be on the CPU."""
        ...

    def step(self) -> float | None:
        """Take the next step.

        Returns:
            The mean loss since one was returned last; ``None`` if there is nothing to tell yet.
        """
        ...

    def tensors(self) -> Params:
        """The tensors of the state, of which an interrupted training goes on."""
        ...

    def result(self) -> Params:
        """The tensors that are kept when all steps are done."""
        ...


class Checkpoint(Protocol):
    """Where a state is kept, such as a `Workshop`."""

    def load(self) -> tuple[Params, dict[str, Any]] | None:
        """The tensors and the record that were saved last, if any were."""
        ...

    def save(self, tensors: Params, record: dict[str, Any], final: bool = False) -> None:
        """Keep a state."""
        ...

    def report(self, step: int, steps: int, loss: float) -> None:
        """Say how far it is."""
        ...


def solve(solver: Solver, checkpoint: Checkpoint) -> tuple[Params, dict[str, Any]]:
    """Take all steps of a solver, from where it was interrupted if it was.

    The state is saved every few seconds, and the result once at the end; a training that is done
    is not repeated. Torch's global random state is afterwards what it was before.

    Arguments:
        solver: What is trained.
        checkpoint: Where its state is kept: a method's is ``problem.workshop``.

    Returns:
        The solver's result, where it was stored on the CPU, and the record that goes with it.

    Raises:
        RunError: If a loss is not finite.
    """
    tensors, record = checkpoint.load() or ({}, {})
    taken = solver.taken(record)
    if taken >= solver.steps:
        return tensors, record
    saved = time.perf_counter()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        solver.start(tensors, record)
        while taken < solver.steps:
            loss = solver.step()
            if loss is not None and not isfinite(loss):
                raise diverged(solver, solver.title, loss, taken)
            taken = solver.taken(solver.record)
            if loss is not None:
                checkpoint.report(taken, solver.steps, loss)
            if taken < solver.steps and time.perf_counter() - saved > save_seconds():
                checkpoint.save(solver.tensors(), solver.record)
                saved = time.perf_counter()
        tensors, record = solver.result(), solver.record
    checkpoint.save(tensors, record, final=True)
    return tensors, record


def diverged(solver: Solver, title: str, loss: float, taken: int) -> RunError:
    """The error that says so of the step after ``taken``."""
    return RunError(
        f"{title} diverged: the loss is {loss} in {solver.unit} {taken + 1} of {solver.steps}; a "
        f"lower learning rate may help ({solver.advice})"
    )
