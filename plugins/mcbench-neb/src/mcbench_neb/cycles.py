"""`Cycle`, some steps at one learning rate, and how a user writes several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mcbench import UsageError

_FORM = re.compile(r"(?:(\d+)\*)?(\d+)(?:@(\d*\.?\d+(?:e-?\d+)?))?")


@dataclass(frozen=True)
class Cycle:
    """Steps of all pivots.

    Arguments:
        steps: How many.
        factor: Their learning rate as a share of the method's.
        schedule: How it goes over the steps.
    """

    steps: int
    factor: float
    schedule: Literal["constant", "garipov", "cosine"] = "constant"


def read(texts: Sequence[str]) -> tuple[Cycle, ...]:
    """Cycles from ``STEPS``, ``STEPS@FACTOR`` or ``TIMES*STEPS@FACTOR`` each.

    Raises:
        UsageError: If one is not of that form, a number is 0, or there is no cycle.
    """
    cycles: list[Cycle] = []
    for text in texts:
        match = _FORM.fullmatch(text.strip())
        times, steps, factor = match.groups() if match else (None, "0", None)
        cycle = Cycle(int(steps), float(factor or 1))
        if cycle.steps < 1 or cycle.factor <= 0 or times == "0":
            raise UsageError(
                f"cycles: '{text}' is not TIMES*STEPS@FACTOR with numbers above 0: write for "
                "example 4*250@0.1, 250@0.1 or 250"
            )
        cycles += [cycle] * int(times or 1)
    if not cycles:
        raise UsageError("cycles: name at least one, such as cycles=(4*250,2*250@0.1)")
    return tuple(cycles)
