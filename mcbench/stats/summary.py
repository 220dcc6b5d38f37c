"""Mean, sample standard deviation and bootstrap interval over pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Summary:
    """Mean, spread and interval of values over pairs of endpoints.

    Arguments:
        count: The number of pairs.
        mean: Their mean.
        std: The sample standard deviation (ddof 1); NaN for one value.
        low, high: The 95 % percentile bootstrap interval of the mean; NaN for one value.
    """

    count: int
    mean: float
    std: float
    low: float
    high: float

    def interval(self, digits: int) -> str:
        """The interval as text, ``[low, high]``; empty for one value."""
        return f"[{self.low:.{digits}f}, {self.high:.{digits}f}]" if self.count > 1 else ""


def summarize(values: Sequence[float]) -> Summary:
    """The summary of at least one value, in any order.

    The resampling is seeded: the same values give the same interval. Pairs are resampled as if
    they were independent. Those that share an endpoint are not: if endpoints differ much, the
    interval is too narrow, and covers the mean in half of all cases at worst. Methods are
    therefore compared by `mcbench.stats.ranking`, not by this interval.
    """
    import numpy as np

    x = np.sort(np.asarray(values, dtype=np.float64))
    nan = float("nan")
    if len(x) < 2:
        return Summary(len(x), float(x.mean()), nan, nan, nan)
    draws = np.random.default_rng(0).integers(len(x), size=(RESAMPLES, len(x)))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(x[draws].mean(1), [tail, 1 - tail])
    return Summary(len(x), float(x.mean()), float(x.std(ddof=1)), float(low), float(high))
