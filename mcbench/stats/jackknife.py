"""`jackknife`, the standard error of a mean over pairs of endpoints."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple

Pair = tuple[Hashable, Hashable]
"""Two endpoints."""


class Jackknife(NamedTuple):
    """A mean over pairs of endpoints, its standard error, and the number of independent parts.

    These are the endpoints, or the pairs if no two of them share an endpoint. The error is NaN if
    it cannot be estimated: with less than three, or an endpoint that all pairs share.
    """

    mean: float
    error: float
    parts: int


def jackknife(values: Mapping[Pair, float]) -> Jackknife:
    r"""The mean over pairs of endpoints and its standard error.

    Pairs that share an endpoint are not independent, so it is endpoints that are left out in
    turn, each with all its pairs: with :math:`\bar d_{(i)}` the mean without endpoint i of n,

    .. math:: SE^2 = \frac{n-1}{n} \sum_i (\bar d_{(i)} - \bar d_{(\cdot)})^2.

    If values are :math:`\mu + e_i + e_j + \epsilon_{ij}`, with endpoints as crossed random
    effects, this is the estimate from the mean square of endpoints; where pairs differ for other
    reasons than their endpoints, :math:`\epsilon`, it is too large rather than too small. Pairs
    that share no endpoint are independent: they are left out in turn themselves, and the error is
    their standard deviation by the root of their number.

    Source: Efron & Stein, Annals of Statistics 1981 (the estimate is never too low on average).
    """
    import numpy as np

    pairs = list(values)
    nodes = list(dict.fromkeys(node for pair in pairs for node in pair))
    parts = [{pair for pair in pairs if node in pair} for node in nodes]
    if len(nodes) == 2 * len(pairs):
        parts = [{pair} for pair in pairs]
    d = np.array([values[pair] for pair in pairs], dtype=np.float64)
    mean = float(d.mean()) if pairs else float("nan")
    without = np.array([[pair not in part for pair in pairs] for part in parts])
    n = len(parts)
    if n < 3 or not without.any(1).all():
        return Jackknife(mean, float("nan"), n)
    means = np.array([d[keep].mean() for keep in without])
    error = float(np.sqrt((n - 1) / n * ((means - means.mean()) ** 2).sum()))
    # Rounding of equal values is no variation.
    return Jackknife(mean, error if error > 1e-12 * float(np.abs(d).max()) else 0.0, n)
