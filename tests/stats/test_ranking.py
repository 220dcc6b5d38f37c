"""Paired comparisons on the same endpoints, and ranks with their intervals."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mcbench.stats.ranking import compare, ranks

Values = dict[tuple[int, int], float]


def drawn(n: int, seed: int, mean: float = 0.0, node: float = 1.0, pair: float = 0.5) -> Values:
    """Values over all pairs of n endpoints, with an effect of each endpoint and of each pair."""
    draws = np.random.default_rng(seed)
    u = node * draws.normal(size=n)
    return {
        (i, j): float(mean + u[i] + u[j] + pair * draws.normal())
        for i, j in combinations(range(n), 2)
    }


def shifted(values: Values, by: float, noise: float, seed: int) -> Values:
    draws = np.random.default_rng(seed)
    return {pair: value + by + noise * draws.normal() for pair, value in values.items()}


@pytest.mark.parametrize("n", [3, 4, 6, 10])
@pytest.mark.parametrize(("node", "pair"), [(1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
def test_methods_that_do_not_differ_are_seldom_told_apart(
    n: int, node: float, pair: float
) -> None:
    zero = dict.fromkeys(combinations(range(n), 2), 0.0)
    wrong = [compare(drawn(n, seed, 0.0, node, pair), zero).p < 0.05 for seed in range(300)]
    assert np.mean(wrong) < 0.08


def test_the_error_is_about_that_of_the_mean() -> None:
    zero = dict.fromkeys(combinations(range(8), 2), 0.0)
    found = [compare(drawn(8, seed), zero) for seed in range(300)]
    assert np.mean([c.error for c in found]) == pytest.approx(
        np.std([c.mean for c in found]), rel=0.15
    )


def test_what_endpoints_share_does_not_hide_a_difference() -> None:
    base = drawn(6, 0, 90.0, node=5.0)
    better = shifted(base, 0.5, 0.05, 1)
    assert compare(better, base).p < 1e-4
    assert ranks({"a": base, "b": better}, "higher")["b"].high == 1
    assert ranks({"a": base, "b": better}, "lower")["a"].high == 1


@pytest.mark.parametrize(
    "pairs", [[(0, 1)], [(0, 1), (0, 2), (0, 3)], []], ids=["two", "star", "none"]
)
def test_too_few_endpoints_say_nothing(pairs: list[tuple[int, int]]) -> None:
    low, high = (dict.fromkeys(pairs, x) for x in (1.0, 9.0))
    assert compare(low, high).p == 1.0
    if pairs:
        ranked = ranks({"low": low, "high": high}, "higher")
        assert (ranked["high"].position, ranked["high"].low, ranked["high"].high) == (1, 1, 2)
        assert ranked["high"].tied == ("low",)


def test_only_common_pairs_are_compared() -> None:
    base = drawn(5, 0)
    part = {pair: value + 1 for pair, value in base.items() if 4 not in pair}
    found = compare(part, base)
    assert (found.pairs, found.endpoints) == (6, 4)
    assert found.mean == pytest.approx(1) and found.error == 0 and found.p == 0


def test_equal_methods_are_tied_and_share_a_place() -> None:
    base = drawn(4, 0)
    ranked = ranks({"a": base, "b": dict(base), "c": shifted(base, -3, 0.01, 2)}, "higher")
    assert ranked["a"].position == ranked["b"].position == 1
    assert ranked["a"].tied == ("b",) and (ranked["a"].low, ranked["a"].high) == (1, 2)
    assert (ranked["c"].low, ranked["c"].high, ranked["c"].tied) == (3, 3, ())


def test_a_rank_lies_in_its_interval_though_methods_have_different_pairs() -> None:
    base = drawn(6, 3, node=8.0)
    worse = shifted(base, -1, 0.01, 4)
    best = sorted(worse, key=worse.__getitem__)[6:]
    for rank in ranks({"a": base, "b": {p: worse[p] for p in best}}, "higher").values():
        assert rank.low <= rank.position <= rank.high


def test_among_many_equal_methods_hardly_any_is_told_apart() -> None:
    wrong = 0
    for seed in range(20):
        base = drawn(6, seed)
        many = {f"m{i}": shifted(base, 0, 0.5, 100 * seed + i) for i in range(10)}
        wrong += any(len(rank.tied) < 9 for rank in ranks(many, "higher").values())
    assert wrong <= 3
