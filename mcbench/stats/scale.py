"""`even`, the scale on which differences of a metric are even."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    error, and errors in percent the same, so that both are ranked alike. Other positive values of
    which lower is better, as losses, become :math:`-\log L`. The rest keep their scale.
    """
    flat = [x for by_pair in values.values() for x in by_pair.values()]
    sign = 1 if better == "higher" else -1
    if unit == "%" and all(0 <= x <= 100 for x in flat):
        whole = 100 if better == "higher" else 0  # An error is 100 less an accuracy.
        return _each(values, lambda x: -log(whole - sign * x + SMALLEST))
    if better == "lower" and flat and min(flat) > 0:
        return _each(values, lambda x: -log(x))
    return _each(values, lambda x: sign * x)


def _each(
    values: Mapping[str, Mapping[Pair, float]], scale: Callable[[float], float]
) -> dict[str, dict[Pair, float]]:
    return {m: {pair: scale(x) for pair, x in v.items()} for m, v in values.items()}
