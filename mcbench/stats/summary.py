"""Mean, sample standard deviation and confidence interval over pairs of endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from mcbench.stats.jackknife import Pair, jackknife

LEVEL = 0.95


@dataclass(frozen=True)
class Summary:
    """Mean, spread and interval of values over pairs of endpoints.

    Arguments:
        count: The number of values.
        mean: Their mean.
        std: The sample standard deviation (ddof 1); NaN for one value.
        low, high: The 95 % confidence interval of the mean; NaN if it cannot be estimated.
    """

    count: int
    mean: float
    std: float
    low: float
    high: float

    def interval(self, digits: int) -> str:
        """The interval as text, ``[low, high]``; empty if it cannot be estimated."""
        return f"[{self.low:.{digits}f}, {self.high:.{digits}f}]" if self.low <= self.high else ""


def summarize(
    values: Mapping[Pair, float] | Sequence[float],
    within: tuple[float, float] = (-float("inf"), float("inf")),
) -> Summary:
    """The summary of at least one value.

    The interval is the mean plus and minus Student's quantile times the standard error. That of
    values by pair is of `mcbench.stats.jackknife`, with one degree of freedom less than there are
    endpoints, as pairs that share one are not independent; or than there are pairs, if no two of
    them do. It needs three.

    Arguments:
        values: Values by pair of endpoints, or independent values in any order.
        within: What the quantity can be at least and at most; no interval goes beyond.
    """
    import numpy as np
    from scipy import stats

    flat = list(values.values()) if isinstance(values, Mapping) else values
    x = np.sort(np.asarray(flat, dtype=np.float64))
    mean, std = float(x.mean()), float(x.std(ddof=1)) if len(x) > 1 else float("nan")
    error, samples = std / len(x) ** 0.5, len(x)
    if isinstance(values, Mapping):
        _, error, samples = jackknife(values)
    half = float(stats.t.ppf((1 + LEVEL) / 2, max(samples - 1, 1))) * error
    if isnan(half):
        return Summary(len(x), mean, std, half, half)
    return Summary(len(x), mean, std, max(mean - half, within[0]), min(mean + half, within[1]))
