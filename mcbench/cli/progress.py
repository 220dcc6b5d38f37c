"""Progress on standard error, from the hooks that trackers use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from mcbench.cli.options import interactive
from mcbench.errors import one_line
from mcbench.plugins.hookspecs import hookimpl
from mcbench.plugins.host import host

if TYPE_CHECKING:
    from rich.progress import TaskID

    from mcbench.experiments.record import Record
    from mcbench.experiments.run import Run

QUIET_SECONDS = 10.0
"""Without a terminal, the least time between two lines of progress."""

TRAINING = ": training"
"""Suffix of a run's title while its method trains."""


class Lines:
    """Plain lines on standard error, a few per minute."""

    def __init__(self) -> None:
        self._printed = time.monotonic()

    def _print(self, text: str, always: bool = True) -> None:
        if always or time.monotonic() - self._printed > QUIET_SECONDS:
            click.echo(text, err=True)
            self._printed = time.monotonic()

    @hookimpl
    def mcbench_epoch_finished(
        self, seeds: tuple[int, ...], epoch: int, epochs: int, loss: float
    ) -> None:
        """Print the state, at most every few seconds."""
        who = ", ".join(map(str, seeds))
        self._print(
            f"training seed {who}: epoch {epoch}/{epochs}, loss {loss:.4f}", epoch == epochs
        )

    @hookimpl
    def mcbench_method_progressed(self, title: str, step: int, steps: int, loss: float) -> None:
        """Print the state, at most every few seconds."""
        self._print(f"{title}: {step}/{steps}, loss {loss:.4f}", step == steps)

    @hookimpl
    def mcbench_point_evaluated(self, run: Run, t: float, values: dict[str, Any]) -> None:
        """Print the state, at most every few seconds."""
        self._print(f"{_title(run)}: t = {t:.3f}, test {_measured(values)}", False)

    @hookimpl
    def mcbench_run_finished(self, run: Run, record: Record) -> None:
        """Print the result of a run."""
        self._print(f"{_title(run)}: {_worst(record)} ({record.cost.seconds:.1f} s)")

    @hookimpl
    def mcbench_run_failed(self, run: Run, error: Exception) -> None:
        """Print the reason of a failure."""
        self._print(f"{_title(run)}: failed: {one_line(error)}")


class Bars:
    """Bars of rich: one for the training under way, one for all runs, one for the path."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[state]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def _task(self, name: str, total: int, shown: str = "") -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = self.progress.add_task(shown or name, total=total, state="")
        return self._tasks[name]

    def _end(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            self.progress.remove_task(task)

    @hookimpl
    def mcbench_epoch_finished(
        self, seeds: tuple[int, ...], epoch: int, epochs: int, loss: float
    ) -> None:
        """Move the training's bar."""
        name = f"training seed {', '.join(map(str, seeds))}"
        task = self._task(name, epochs)
        self.progress.update(task, completed=epoch, state=f"loss {loss:.4f}")
        if epoch == epochs:
            self._end(name)

    @hookimpl
    def mcbench_method_progressed(self, title: str, step: int, steps: int, loss: float) -> None:
        """Move the bar of a method, a metric, an ensemble, a plane."""
        name = f"{title}{TRAINING}"
        # A method has the title of its run, whose bar counts points.
        task = self._task(name, steps, name if title in self._tasks else title)
        self.progress.update(task, completed=step, state=f"loss {loss:.4f}")
        if step == steps:
            self._end(name)

    @hookimpl
    def mcbench_run_started(self, run: Run) -> None:
        """Add a bar for the path."""
        self._task(_title(run), run.protocol.points)

    @hookimpl
    def mcbench_point_evaluated(self, run: Run, t: float, values: dict[str, Any]) -> None:
        """Move the path's bar."""
        task = self._task(_title(run), run.protocol.points)
        state = f"t {t:.3f}  test {_measured(values)}"
        self.progress.update(task, advance=1, state=state)

    @hookimpl
    def mcbench_run_finished(self, run: Run, record: Record) -> None:
        """Replace the path's bar by a line."""
        self._end(_title(run))
        self.progress.console.print(f"{_title(run)}: {_worst(record)}", markup=False)

    @hookimpl
    def mcbench_run_failed(self, run: Run, error: Exception) -> None:
        """Replace the path's bar by a line."""
        self._end(_title(run))
        self._end(f"{_title(run)}{TRAINING}")
        text = f"{_title(run)}: failed: {one_line(error)}"
        self.progress.console.print(text, markup=False, style="red")


def _title(run: Run) -> str:
    return f"{run.method} {run.pair[0]}-{run.pair[1]}"


def _measured(values: dict[str, Any]) -> str:
    """Accuracy at a point, or the loss for data without classes."""
    if values["accuracy"]:
        return f"accuracy {values['accuracy']['test']:.2f}%"
    return f"loss {values['loss']['test']:.4f}"


def _worst(record: Record) -> str:
    """The worst value along the path, and the names of the method's notes."""
    curve = record.curve
    if curve.accuracy:
        worst = f"worst test accuracy {min(curve.accuracy['test']):.2f}%"
    else:
        worst = f"highest loss {max(curve.loss['test']):.4f}"
    return ", ".join([worst, *(record.notes or {})])


@contextmanager
def progress() -> Iterator[None]:
    """Show progress while runs are computed."""
    listener: Bars | Lines = Bars() if interactive() else Lines()
    host().manager.register(listener, "cli.progress")
    try:
        if isinstance(listener, Bars):
            with listener.progress:
                yield
        else:
            yield
    finally:
        host().manager.unregister(listener)
