"""Paired comparisons of methods on the same endpoints, and the ranks that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import isnan
from typing import Literal

from mcbench.stats.groups import groups
from mcbench.stats.jackknife import Pair, jackknife
from mcbench.stats.pooling import pool
from mcbench.stats.scale import even
from mcbench.stats.summary import LEVEL

Values = Mapping[str, Mapping[Pair, float]]
"""A metric's values, by method and pair of endpoints."""

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Comparison:
    """The difference of two methods over the pairs that both have.

    Arguments:
        mean: The mean difference, first less second.
        p: The two-sided p-value of no difference; 1 if there are too few endpoints.
    """

    mean: float
    p: float


@dataclass(frozen=True)
class Rank:
    """The rank of a method among others.

    Arguments:
        position: The rank by the mean, from 1; equal means share one.
        low, high: The range of possible ranks: 1 + the number of significantly better methods,
            and the number of all methods less that of significantly worse ones.
        tied: The methods that do not differ significantly from it.
        groups: Letters of the groups that it is in: two methods that share a letter cannot be
            told apart.
    """

    position: int
    low: int
    high: int
    tied: tuple[str, ...]
    groups: str

    @property
    def best(self) -> bool:
        """Whether no method is significantly better."""
        return self.low == 1

    def __str__(self) -> str:
        """The range and the letters: ``2-4 b``."""
        span = str(self.low) if self.low == self.high else f"{self.low}-{self.high}"
        return f"{span} {self.groups}"


def compare(values: Values) -> dict[tuple[str, str], Comparison]:
    r"""The paired comparisons of all methods.

    The standard error of a mean difference is that of `jackknife`, over endpoints as crossed
    random effects. With n endpoints it has n - 1 degrees of freedom only, so the variances of all
    comparisons are drawn towards a common one (`pool`), and :math:`\bar d / \tilde{SE}` is
    compared with Student's t. What simulations say of 3 to 10 endpoints, with equal and very
    unequal variances, is in the documentation.

    Arguments:
        values: On a scale on which differences are even (`even`).
    """
    from scipy import stats

    differences, methods = {}, [m for m in values if values[m]]
    for a, b in combinations(methods, 2):
        one, two = values[a], values[b]
        differences[a, b] = jackknife({p: one[p] - two[p] for p in one if p in two})
    pooled: dict[tuple[str, str], tuple[float, float]] = {}
    for n in {d.parts for d in differences.values() if not isnan(d.error)}:
        keys = [k for k, d in differences.items() if d.parts == n and not isnan(d.error)]
        count = len({m for key in keys for m in key})
        errors = [differences[key].error ** 2 for key in keys]
        variances, freedom = pool(errors, n - 1, (count - 1) * (n - 1))
        pooled |= {k: (v, freedom) for k, v in zip(keys, variances, strict=True)}
    compared = {}
    for key, difference in differences.items():
        mean, p = difference.mean, 1.0
        if key in pooled:
            variance, freedom = pooled[key]
            t = abs(mean) / variance**0.5 if variance else float("inf")
            p = float(2 * stats.t.sf(t, freedom)) if mean else 1.0
        compared[key] = Comparison(mean, p)
    return compared


def ranks(values: Values, better: Better, unit: str = "") -> dict[str, Rank]:
    """The rank of every method that has a value.

    All pairs of methods are compared (`compare`) on an even scale (`even`), and the false
    discovery rate is held at 5 %: on average 5 % of the significant differences of one table are
    wrong, and if no methods differ, 5 % of tables have any. (To hold the chance of one wrong
    difference among eight methods at 5 %, Student's tails would ask for more than 10 standard
    errors with four endpoints.) With few endpoints many methods stay tied.

    Source: Benjamini & Hochberg, J. R. Statist. Soc. B 1995; for all pairwise comparisons
    Yekutieli, J. Statist. Planning and Inference 2008.
    """
    sign = 1 if better == "higher" else -1
    means = {m: sign * sum(v.values()) / len(v) for m, v in values.items() if v}
    compared = compare(even({m: values[m] for m in means}, better, unit))
    better_than: dict[str, set[str]] = {m: set() for m in means}
    for a, b in _significant({key: c.p for key, c in compared.items()}):
        first, second = (a, b) if compared[a, b].mean > 0 else (b, a)
        better_than[second].add(first)
    order = sorted(means, key=lambda m: -means[m])
    tied = {
        m: tuple(
            o for o in means if o != m and o not in better_than[m] and m not in better_than[o]
        )
        for m in means
    }
    letters = groups(order, tied)
    result = {}
    for method, mean in means.items():
        position = 1 + sum(other > mean for other in means.values())
        above = better_than[method]
        below = {m for m in means if method in better_than[m]}
        # Means are over each method's own pairs: their order may differ from that of the pairs
        # which two methods share.
        low, high = min(position, 1 + len(above)), max(position, len(means) - len(below))
        result[method] = Rank(position, low, high, tied[method], letters[method])
    return result


def _significant(p: Mapping[tuple[str, str], float]) -> set[tuple[str, str]]:
    """The pairs of methods that differ, at a false discovery rate of 5 %."""
    from scipy.stats import false_discovery_control

    if not p:
        return set()
    adjusted = false_discovery_control(list(p.values()), method="bh")
    return {key for key, value in zip(p, adjusted, strict=True) if value <= 1 - LEVEL}
