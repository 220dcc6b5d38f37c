"""`Workshop`, where a method that computes for long keeps its state and says how far it is."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mcbench.plugins.host import host
from mcbench.store.cost import Cost
from mcbench.store.store import save_seconds

if TYPE_CHECKING:
    from mcbench.paths.params import Params
    from mcbench.store.cost import Meter
    from mcbench.store.store import Store

KIND = "trained"
"""The store's folder for what methods train."""


class Workshop:
    """The state of one method on one pair, or on one pool.

    A method loads its state, goes on from there, saves it now and then and once at the end; a run
    that was killed then loses little, and one that is done is not computed again.

    Arguments:
        store: Where states are kept; without one they are not.
        key: The content key of what the state is for.
        title: What it is, for people.
        meter: Measures what the method spends; what was spent before a state is counted when it
            is loaded.
        kind: The store's folder.

    Attributes:
        notes: What the method said of its path; see `note`.
    """

    def __init__(
        self,
        store: Store | None = None,
        key: str = "",
        title: str = "",
        meter: Meter | None = None,
        kind: str = KIND,
    ) -> None:
        self.store, self.key, self.title, self.meter = store, key, title, meter
        self.kind = kind
        self.notes: dict[str, str] = {}
        self._saved = time.perf_counter()

    def load(self) -> tuple[Params, dict[str, Any]] | None:
        """The tensors (on the CPU) and the record that were saved last, if any were.

        A damaged file is named and removed.
        """
        if self.store is None:
            return None
        known = self.store.intact(self.store.read_tensors, self.kind, self.key)
        if known and self.meter and "cost" in known[1]:
            self.meter.add(Cost(**known[1]["cost"]))
        return known

    def save(self, tensors: Params, record: dict[str, Any], final: bool = False) -> None:
        """Keep a state. It is written at most every few seconds, unless it is the final one."""
        now = time.perf_counter()
        if self.store and (final or now - self._saved > save_seconds()):
            cost = {"cost": asdict(self.meter.total)} if self.meter else {}
            self.store.write_tensors(
                self.kind, self.key, tensors, {"title": self.title, **cost, **record}
            )
            self._saved = time.perf_counter()

    def note(self, what: str, detail: str = "") -> None:
        """Say something of the path that is made: why a training stopped, what was chosen.

        It is kept in the run's record, told when the run is finished, and counted over pairs
        below the table of a run. So it is said at every call of ``connect``, also where the state
        was found.

        Arguments:
            what: In a few words that other pairs may share: ``stopped at the step limit``.
            detail: What is this pair's own.
        """
        self.notes[what] = detail

    def report(self, step: int, steps: int, loss: float) -> None:
        """Say that ``step`` of ``steps`` is done, with its mean loss."""
        host().notify(
            "mcbench_method_progressed", title=self.title, step=step, steps=steps, loss=loss
        )
