"""`even`, the scale on which differences of a metric are even."""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Literal

from mcbench.stats.jackknife import Pair

SMALLEST = 0.1
"""What is added to errors in percent before their logarithm: one sample of a thousand."""


def even(
    values: Mapping[str, Mapping[Pair, float]], better: Literal["higher", "lower"], unit: str
) -> dict[str, dict[Pair, float]]:
    r"""Values on a scale on which differences of methods are about even; higher is better.

    From 97 % to 98 % is a step as from 40 % to 60 %, and bad methods vary more than good ones.
    Accuracies in percent become :math:`-\log(100 - \mathrm{acc} + 0.1)`, minus the log of the
    error; positive values of which lower is better, as losses, become :math:`-\log L`. Others
    keep their scale.
    """
    flat = [x for by_pair in values.values() for x in by_pair.values()]
    sign = 1 if better == "higher" else -1
    if unit == "%" and better == "higher" and all(0 <= x <= 100 for x in flat):
        return {m: {p: -log(100 - x + SMALLEST) for p, x in v.items()} for m, v in values.items()}
    if better == "lower" and flat and min(flat) > 0:
        return {m: {p: -log(x) for p, x in v.items()} for m, v in values.items()}
    return {m: {p: sign * x for p, x in v.items()} for m, v in values.items()}
