"""`Workshop`, the stored state, progress reports and notes of a method that computes for long."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any

from mcbench.paths.params import Params
from mcbench.plugins.host import host
from mcbench.store.cost import Cost, Meter
from mcbench.store.store import Store, save_seconds

KIND = "trained"
"""The store's folder of the states of methods."""


@dataclass(eq=False)
class Workshop:
    """The stored state of one method on one pair, or on one pool.

    A method loads its state, continues from it, saves it now and then and once at the end: a
    killed run loses little, and a finished one is not computed again.

    Arguments:
        store: The store of the state; without one nothing is stored.
        key: The content key of the state.
        title: A title for people, such as the run's.
        meter: The meter of the method's cost; loading a state adds the cost stored with it.
        kind: The store's folder.
        problem: The identity of the problem, by which a list of the store tells states apart.

    Attributes:
        notes: The method's notes on its path; see `note`.
    """

    store: Store | None = None
    key: str = ""
    title: str = ""
    meter: Meter | None = None
    kind: str = KIND
    problem: dict[str, Any] | None = None
    notes: dict[str, str] = field(default_factory=dict, init=False)
    _saved: float = field(default_factory=time.perf_counter, init=False)

    def load(self) -> tuple[Params, dict[str, Any]] | None:
        """The tensors (on the CPU) and the record saved last, or ``None``.

        A damaged file is logged and removed.
        """
        if self.store is None:
            return None
        state = self.store.intact(self.store.read_tensors, self.kind, self.key)
        if state and self.meter and "cost" in state[1]:
            self.meter.add(Cost(**state[1]["cost"]))
        return state

    def save(self, tensors: Params, record: dict[str, Any], final: bool = False) -> None:
        """Store a state: the final one always, others at most every few seconds."""
        if self.store and (final or self.due):
            about: dict[str, Any] = {"title": self.title}
            about |= {"problem": self.problem} if self.problem else {}
            about |= {"cost": asdict(self.meter.total)} if self.meter else {}
            self.store.write_tensors(self.kind, self.key, tensors, {**about, **record})
            self._saved = time.perf_counter()

    @property
    def due(self) -> bool:
        """Whether a state that is not final would be stored now."""
        return self.store is not None and time.perf_counter() - self._saved > save_seconds()

    def note(self, what: str, detail: str = "") -> None:
        """Add a note on the path: why its training stopped, which candidate was taken.

        Notes are stored in the run's record, shown when the run is finished, and counted over
        pairs below its table. Call it in every ``connect``, also if the state was loaded.

        Arguments:
            what: A few words that other pairs may share: ``stopped at the step limit``.
            detail: The details of this pair.
        """
        self.notes[what] = detail

    def report(self, step: int, steps: int, loss: float) -> None:
        """Report that ``step`` of ``steps`` is done, with its mean loss."""
        host().notify(
            "mcbench_method_progressed", title=self.title, step=step, steps=steps, loss=loss
        )
