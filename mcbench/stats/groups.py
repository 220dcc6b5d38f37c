"""`groups`, letters of methods that cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase


def groups(order: Sequence[str], tied: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Letters by method: two methods share one if and only if they are tied.

    A group is a largest set of methods which are all tied with each other. Letters follow the
    order of the groups' best methods: those without an ``a`` are worse than the best.

    Arguments:
        order: The methods, the best first.
        tied: The methods that each cannot be told apart from.
    """
    place = {method: i for i, method in enumerate(order)}
    found: list[tuple[int, ...]] = []

    def extend(group: set[int], candidates: set[int], done: set[int]) -> None:
        """Bron-Kerbosch: all largest sets that hold a group."""
        if not candidates and not done:
            found.append(tuple(sorted(group)))
        for i in sorted(candidates):
            others = {place[m] for m in tied[order[i]]}
            extend(group | {i}, candidates & others, done & others)
            candidates, done = candidates - {i}, done | {i}

    extend(set(), set(range(len(order))), set())
    letters = dict.fromkeys(order, "")
    for k, group in enumerate(sorted(found)):
        letter = ascii_lowercase[k % 26] * (1 + k // 26)
        for i in group:
            letters[order[i]] += letter
    return letters
