"""Progress on standard error, from the hooks that trackers use."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import click

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

    display: AbstractContextManager[Any] = nullcontext()

    def __init__(self) -> None:
        self._printed = time.monotonic()

    def print(self, text: str, always: bool = True) -> None:
        """Print a line; one that need not be printed always, at most every few seconds."""
        if always or time.monotonic() - self._printed > QUIET_SECONDS:
            click.echo(text, err=True)
            self._printed = time.monotonic()

    def move(self, title: str, step: int, steps: int, loss: float, unit: str = "") -> None:
        """Show how far a training is."""
        self.print(f"{title}: {unit}{step}/{steps}, loss {loss:.4f}", step == steps)

    def end(self, title: str, text: str, style: str = "") -> None:
        """Show the result of a run, or in another style the reason of its failure."""
        self.print(f"{title}: {text}")

    @hookimpl
    def mcbench_epoch_finished(
        self, seeds: tuple[int, ...], epoch: int, epochs: int, loss: float
    ) -> None:
        """Show the training of endpoints."""
        self.move(f"training seed {', '.join(map(str, seeds))}", epoch, epochs, loss, "epoch ")

    @hookimpl
    def mcbench_method_progressed(self, title: str, step: int, steps: int, loss: float) -> None:
        """Show the training of a method, or the work of a metric, an ensemble, a plane."""
        self.move(title, step, steps, loss)

    @hookimpl
    def mcbench_point_evaluated(self, run: Run, t: float, values: dict[str, Any]) -> None:
        """Show the values at a point."""
        self.print(f"{_title(run)}: t = {t:.3f}, test {_measured(values)}", always=False)

    @hookimpl
    def mcbench_run_finished(self, run: Run, record: Record) -> None:
        """Show the worst value along the path, and the names of the method's notes."""
        from mcbench.report.headline import headline

        shown = headline(run.protocol, bool(record.curve.accuracy))
        worst = f"{shown.title('test')} {shown.number(shown.value(record.curve, 'test'))}"
        worst = ", ".join([worst, *(record.notes or {})])
        self.end(_title(run), f"{worst} ({record.cost.seconds:.1f} s)")

    @hookimpl
    def mcbench_run_failed(self, run: Run, error: Exception) -> None:
        """Show the reason of a failure."""
        self.end(_title(run), f"failed: {one_line(error)}", "red")


class Bars(Lines):
    """Bars of rich: one for the training under way, one for all runs, one for the path."""

    def __init__(self) -> None:
        from rich import progress
        from rich.console import Console

        self.display = self.progress = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            progress.TimeElapsedColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[state]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def _task(self, name: str, total: int, shown: str = "") -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = self.progress.add_task(shown or name, total=total, state="")
        return self._tasks[name]

    def _remove(self, name: str) -> None:
        if name in self._tasks:
            self.progress.remove_task(self._tasks.pop(name))

    def move(self, title: str, step: int, steps: int, loss: float, unit: str = "") -> None:
        """Move the bar of a training, which goes when it is full."""
        name = f"{title}{TRAINING}"
        # A method has the title of its run, whose bar counts points.
        task = self._task(name, steps, name if title in self._tasks else title)
        self.progress.update(task, completed=step, state=f"loss {loss:.4f}")
        if step == steps:
            self._remove(name)

    def end(self, title: str, text: str, style: str = "") -> None:
        """Replace a run's bars by a line."""
        self._remove(title)
        self._remove(f"{title}{TRAINING}")
        self.progress.console.print(f"{title}: {text}", markup=False, style=style)

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


def _title(run: Run) -> str:
    return f"{run.method} {run.pair[0]}-{run.pair[1]}"


def _measured(values: dict[str, Any]) -> str:
    """Accuracy at a point, or the loss for data without classes."""
    if values["accuracy"]:
        return f"accuracy {values['accuracy']['test']:.2f}%"
    return f"loss {values['loss']['test']:.4f}"


@contextmanager
def progress() -> Iterator[None]:
    """Show progress while runs are computed: bars on a terminal, else lines."""
    terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    listener = Bars() if terminal else Lines()
    host().manager.register(listener, "cli.progress")
    try:
        with listener.display:
            yield
    finally:
        host().manager.unregister(listener)
