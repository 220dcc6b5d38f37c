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
    """Training step by step, which `solve` carries out.

    Its state is tensors and a record, which are all that changes. How far it is follows from the
    record alone. A step seeds all that it draws from its number, so that a resumed training gives
    the same numbers.

    Attributes:
        title: Subject of the error where it diverges: ``the band``.
        unit: Name of a step in that error: ``step`` or ``epoch``.
        advice: Where the learning rate is set, in that error: ``-m 'neb[lr=...]', here 0.1``.
        steps: How many steps there are, at most.
        record: The rest of the state, which JSON can hold.
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
        """Number of steps that are done in a state of this record, 0 if it is empty.

        The training ends when they are ``steps``. One that ends early skips the rest.
        """
        ...

    def start(self, tensors: Params, record: dict[str, Any]) -> None:
        """Resume from a state; both are empty at the beginning. Tensors may be on the CPU."""
        ...

    def step(self) -> float | None:
        """Take the next step.

        Returns:
            The mean loss since one was returned last; ``None`` if there is nothing to report yet.
        """
        ...

    def tensors(self) -> Params:
        """The tensors of the state, from which an interrupted training is resumed."""
        ...

    def result(self) -> Params:
        """The tensors that are kept when all steps are done."""
        ...


class Checkpoint(Protocol):
    """Storage of a state, such as a `Workshop`."""

    def load(self) -> tuple[Params, dict[str, Any]] | None:
        """The tensors and the record that were saved last, if any were."""
        ...

    def save(self, tensors: Params, record: dict[str, Any], final: bool = False) -> None:
        """Keep a state."""
        ...

    def report(self, step: int, steps: int, loss: float) -> None:
        """Report how far it is."""
        ...


def solve(solver: Solver, checkpoint: Checkpoint) -> tuple[Params, dict[str, Any]]:
    """Take all steps of a solver, those that are left if it was interrupted.

    The state is saved every few seconds, and the result once at the end; a training that is done
    is not repeated. Torch's global random state is afterwards what it was before.

    Arguments:
        solver: The training.
        checkpoint: The storage of its state: a method's is ``problem.workshop``.

    Returns:
        The solver's result, on the CPU where it was stored, and its record.

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
    """The error of a training that diverged in the step after ``taken``."""
    return RunError(
        f"{title} diverged: the loss is {loss} in {solver.unit} {taken + 1} of {solver.steps}; a "
        f"lower learning rate may help ({solver.advice})"
    )
