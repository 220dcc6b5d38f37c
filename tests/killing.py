"""A workshop that stops the work at a chosen save."""

from __future__ import annotations

from typing import Any

from mcbench import Workshop
from mcbench.paths.params import Params


class Killed(Exception):
    pass


class Fragile(Workshop):
    """A workshop that stops the work at the save number ``last``, and counts saves and reports."""

    last = 0
    saves = 0
    steps = 0

    def save(self, tensors: Params, record: dict[str, Any], final: bool = False) -> None:
        super().save(tensors, record, final)
        self.saves += 1
        if self.saves == self.last:
            raise Killed

    def report(self, step: int, steps: int, loss: float) -> None:
        self.steps += 1
