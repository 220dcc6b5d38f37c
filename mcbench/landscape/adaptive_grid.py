"""A square lattice of points that gets finer where contour lines are dense."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

DEPTH = 6
"""A cell is halved at most so often."""

STEP = 2**DEPTH
"""The side of a whole cell, in units of the finest lattice."""

LEVELS = 10
"""Contour lines: each halves the height above the lowest point."""

Node = tuple[int, int]
"""A point, counted in units of the finest lattice."""

Cell = tuple[int, int, int]
"""Its lower left node, and its side."""

Measure = Callable[[Sequence[Node]], None]
Heights = Callable[[Sequence[Node]], "np.ndarray"]


def levels(values: np.ndarray) -> np.ndarray:
    r"""Contour levels of some values: their minimum, then :math:`\min + (\max - \min)\,2^{-k}`.

    For k = 9, ..., 0, so lines are dense in the valley and still there at the barrier. Values
    that are not finite are left out. All levels are the same if all values are.
    """
    import numpy as np

    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    above = 2.0 ** np.arange(1 - LEVELS, 1)
    return low + (high - low) * np.concatenate([[0.0], above])


def ranks(values: np.ndarray, line: np.ndarray) -> np.ndarray:
    """How many of the contour `levels` are below each value, with fractions, 0 to `LEVELS`.

    Below the lowest line it is 0 on purpose: a flat bottom is not worth a closer look.
    """
    import numpy as np

    if line[-1] <= line[0]:
        return np.zeros_like(values)
    share = np.where(np.isfinite(values), values - line[0], np.inf) / (line[-1] - line[0])
    ranks: np.ndarray = LEVELS + np.clip(np.log2(np.clip(share, 2.0**-LEVELS, 1)), -LEVELS, 0)
    return ranks


def refine(
    side: int, limit: int, crossed: Iterable[tuple[float, float]], measure: Measure,
    heights: Heights,
) -> list[Node]:  # fmt: skip
    """Measure a lattice of ``side`` x ``side`` nodes, then halve cells.

    First those that ``crossed`` places are in, each once; then, round by round, those that most
    contour lines cross (see `ranks`), until every cell is crossed by one at most. Halving a cell
    takes up to five new nodes: its middle and those of its edges.

    Arguments:
        side: At least 2.
        limit: So many nodes at most; those of the first lattice are measured in any case.
        crossed: Places in units of the finest lattice, as those of a path.
        measure: Called with new nodes.
        heights: Values of nodes that were measured.

    Returns:
        All nodes, in the order in which they were measured. It depends on nothing but the
        arguments, so that values may come from an earlier, interrupted call.
    """
    nodes = {(i * STEP, j * STEP): None for j in range(side) for i in range(side)}
    measure(list(nodes))
    cells = [(i * STEP, j * STEP, STEP) for j in range(side - 1) for i in range(side - 1)]
    last = (side - 1) * STEP - 1
    touched = {tuple(min(max(int(v), 0), last) // STEP * STEP for v in place) for place in crossed}
    chosen = [cell for cell in cells if cell[:2] in touched]
    while True:
        new: dict[Node, None] = {}
        halved = set()
        for cell in chosen:
            found = [n for n in _between(cell) if n not in nodes and n not in new]
            if len(nodes) + len(new) + len(found) > limit:
                break
            new |= dict.fromkeys(found)
            halved.add(cell)
        if chosen and not halved:
            return list(nodes)
        if new:
            measure(list(new))
            nodes |= new
        cells = [c for c in cells if c not in halved] + [q for c in halved for q in _quarters(c)]
        chosen = _crossed_most(sorted(cells), list(nodes), heights)
        if not chosen:
            return list(nodes)


def _crossed_most(cells: list[Cell], nodes: list[Node], heights: Heights) -> list[Cell]:
    """The cells crossed by more than one line and by at least two thirds of the most."""
    values = heights(nodes)
    rank = dict(zip(nodes, ranks(values, levels(values)).tolist(), strict=True))
    crossing = {}
    for cell in cells:
        if cell[2] > 1:
            # Neighbours that are halved already have measured middles of the cell's edges.
            seen = [rank[n] for n in (*_corners(cell), *_between(cell)) if n in rank]
            crossing[cell] = max(seen) - min(seen)
    most = max(crossing.values(), default=0.0)
    chosen = [cell for cell, n in crossing.items() if n > 1 and n >= most * 2 / 3]
    return sorted(chosen, key=lambda cell: (-crossing[cell], cell))


def _corners(cell: Cell) -> list[Node]:
    i, j, s = cell
    return [(i, j), (i + s, j), (i, j + s), (i + s, j + s)]


def _between(cell: Cell) -> list[Node]:
    i, j, s = cell
    h = s // 2
    return [(i + h, j + h), (i + h, j), (i, j + h), (i + s, j + h), (i + h, j + s)]


def _quarters(cell: Cell) -> list[Cell]:
    i, j, s = cell
    h = s // 2
    return [(i, j, h), (i + h, j, h), (i, j + h, h), (i + h, j + h, h)]
