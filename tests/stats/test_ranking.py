"""Paired comparisons on the same endpoints, and ranks with their intervals."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mcbench.stats.groups import groups
from mcbench.stats.jackknife import jackknife
from mcbench.stats.pooling import TRUST, pool
from mcbench.stats.ranking import Comparison, compare, ranks
from mcbench.stats.scale import even
from mcbench.stats.summary import summarize

NOTHING = Comparison(0.0, 1.0)

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
def test_intervals_hold_the_mean(n: int, node: float, pair: float) -> None:
    summaries = [summarize(drawn(n, seed, 7.0, node, pair)) for seed in range(300)]
    assert np.mean([s.low <= 7 <= s.high for s in summaries]) > 0.92


def test_the_error_is_about_that_of_the_mean() -> None:
    found = [jackknife(drawn(8, seed)) for seed in range(300)]
    assert np.mean([c.error for c in found]) == pytest.approx(
        np.std([c.mean for c in found]), rel=0.15
    )


def test_what_endpoints_share_does_not_hide_a_difference() -> None:
    base = drawn(6, 0, 90.0, node=5.0)
    better = shifted(base, 0.5, 0.05, 1)
    assert compare({"a": better, "b": base})["a", "b"].p < 1e-4
    assert ranks({"a": base, "b": better}, "higher")["b"].high == 1
    assert ranks({"a": base, "b": better}, "lower")["a"].high == 1


@pytest.mark.parametrize(
    "pairs", [[(0, 1)], [(0, 1), (0, 2), (0, 3)], []], ids=["two", "star", "none"]
)
def test_too_few_endpoints_say_nothing(pairs: list[tuple[int, int]]) -> None:
    low, high = (dict.fromkeys(pairs, x) for x in (1.0, 9.0))
    assert compare({"low": low, "high": high}).get(("low", "high"), NOTHING).p == 1.0
    if pairs:
        ranked = ranks({"low": low, "high": high}, "higher")
        assert (ranked["high"].position, ranked["high"].low, ranked["high"].high) == (1, 1, 2)
        assert ranked["high"].tied == ("low",)


def test_only_common_pairs_are_compared() -> None:
    base = drawn(5, 0)
    part = {pair: value + 1 for pair, value in base.items() if 4 not in pair}
    found = compare({"part": part, "base": base})["part", "base"]
    assert found.mean == pytest.approx(1) and found.p < 1e-9


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


def test_a_clear_difference_is_seen_with_four_endpoints() -> None:
    """Four methods with equal variances: what each alone cannot show, all together do."""
    shown = {3: 0, 4: 0}
    for n in shown:
        for seed in range(40):
            base = drawn(n, seed, node=2.0)
            values = {f"m{i}": shifted(base, 0, 1.0, 100 * seed + i) for i in range(3)}
            values["best"] = shifted(base, 8.0, 1.0, 100 * seed + 9)
            found = ranks(values, "higher")
            shown[n] += not any(found[m].best for m in ("m0", "m1", "m2"))
    assert shown[4] > 36 and shown[3] > 20


def test_a_bad_method_that_varies_much_does_not_hide_its_place() -> None:
    """About 57 beside 96 on three endpoints, as flows on small networks once gave it."""
    good = {(0, 1): 96.4, (0, 2): 96.9, (1, 2): 96.5}
    near = {(0, 1): 96.2, (0, 2): 96.8, (1, 2): 96.6}
    fair = {(0, 1): 95.1, (0, 2): 95.9, (1, 2): 95.6}
    bad = {(0, 1): 49.0, (0, 2): 66.1, (1, 2): 54.7}
    found = ranks({"good": good, "near": near, "fair": fair, "bad": bad}, "higher", "%")
    assert found["bad"].low == 4 and not found["bad"].best
    assert found["good"].best and found["near"].best


def test_variances_that_are_alike_are_pooled_and_others_are_not() -> None:
    draws = np.random.default_rng(0)
    alike, freedom = pool((draws.chisquare(2, 200) / 2).tolist(), 2, 400)
    assert freedom > 6 and np.std(np.log(alike)) < 0.5
    unlike, freedom = pool([1e-4, 1e4, 1.0, 3e-3, 1e3, 30.0], 2, 12)
    assert freedom < 4 and sorted(unlike) == [unlike[i] for i in (0, 3, 2, 5, 4, 1)]
    assert unlike[0] < 0.01 and unlike[1] > 3e3
    assert pool([1.0, 0.0, 1.0, 1.0], 2, 6)[0][1] == 0
    assert pool([3.0], 2, 2) == ([3.0], 2.0)
    # The prior of Smyth 2004, found again from many draws of it.
    d0, s0, d = 6.0, 2.0, 4
    true = s0 * d0 / draws.chisquare(d0, 20_000)
    _, freedom = pool((true * draws.chisquare(d, 20_000) / d).tolist(), d, 10**9)
    assert freedom == pytest.approx(TRUST * d0 + d, rel=0.1)


@pytest.mark.parametrize(
    ("order", "ties", "letters"),
    [
        ("abc", [], "a b c"),
        ("abc", ["ab", "bc"], "a ab b"),
        ("abc", ["ab", "bc", "ac"], "a a a"),
        ("abcd", ["ab", "cd"], "a a b b"),
        ("abcd", ["ac", "bd"], "a b a b"),
        ("a", [], "a"),
        ("", [], ""),
    ],
)
def test_methods_share_a_letter_if_and_only_if_they_are_tied(
    order: str, ties: list[str], letters: str
) -> None:
    tied = {m: [o for t in ties if m in t for o in t if o != m] for m in order}
    assert groups(order, tied) == dict(zip(order, letters.split(), strict=True))


def test_scales() -> None:
    pair = (0, 1)
    accuracy = even({"m": {pair: 99.0}, "n": {pair: 100.0}}, "higher", "%")
    assert accuracy["m"][pair] == pytest.approx(-np.log(1.1))
    assert accuracy["n"][pair] == pytest.approx(-np.log(0.1))
    loss = even({"m": {pair: 0.5}}, "lower", "nats")
    assert loss["m"][pair] == pytest.approx(np.log(2))
    assert even({"m": {pair: 0.5}, "n": {pair: 0.0}}, "lower", "")["m"][pair] == -0.5
    assert even({"m": {pair: 3.0}}, "higher", "")["m"][pair] == 3.0


def test_an_interval_does_not_leave_what_is_possible() -> None:
    s = summarize({(0, 1): 99.0, (0, 2): 100.0, (1, 2): 98.0}, (0, 100))
    assert s.high == 100 and s.low < 97
    assert np.isnan(summarize({(0, 1): 99.0}).low) and summarize({(0, 1): 99.0}).interval(2) == ""
    three = summarize([1.0, 2.0, 3.0])
    assert (three.low, three.high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
