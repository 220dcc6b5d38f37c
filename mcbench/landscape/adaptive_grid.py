"""A square grid of points that is finer where contour lines are dense."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

DEPTH = 6
"""Most times that a cell is halved."""

STEP = 2**DEPTH
"""The side of a cell of the first grid, in units of the finest grid."""

LEVELS = 10
"""The number of contour lines; each halves the height above the lowest point."""

Node = tuple[int, int]
"""A point in units of the finest grid."""

Cell = tuple[int, int, int]
"""The lower left node of a cell, and its side."""

Measure = Callable[[Sequence[Node]], None]
Heights = Callable[[Sequence[Node]], np.ndarray]


def levels(values: np.ndarray) -> np.ndarray:
    r"""Contour levels of some values: their minimum, then :math:`\min + (\max - \min)\,2^{-k}`.

    For k = 9, ..., 0, so lines are dense in the valley and reach the barrier. Values that are not
    finite are left out. All levels are equal if all values are.
    """
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    above = 2.0 ** np.arange(1 - LEVELS, 1)
    return low + (high - low) * np.concatenate([[0.0], above])


def ranks(values: np.ndarray, line: np.ndarray) -> np.ndarray:
    """The number of contour `levels` below each value, with fractions, 0 to `LEVELS`.

    It is 0 below the lowest line: a flat bottom is not worth a closer look.
    """
    if line[-1] <= line[0]:
        return np.zeros_like(values)
    share = np.where(np.isfinite(values), values - line[0], np.inf) / (line[-1] - line[0])
    ranks: np.ndarray = LEVELS + np.clip(np.log2(np.clip(share, 2.0**-LEVELS, 1)), -LEVELS, 0)
    return ranks


def refine(
    side: int, limit: int, crossed: Iterable[tuple[float, float]], measure: Measure,
    heights: Heights,
) -> list[Node]:  # fmt: skip
    """Measure a grid of ``side`` x ``side`` nodes, then halve cells.

    First the cells that contain ``crossed`` places are halved once; then, round by round, those
    that most contour lines cross (see `ranks`), until at most one line crosses each cell. Halving
    a cell takes up to five new nodes: its middle and those of its edges.

    Arguments:
        side: Nodes on each side of the first grid, at least 2.
        limit: Most nodes; those of the first grid are measured in any case.
        crossed: Places in units of the finest grid, such as those of a path.
        measure: Called with new nodes.
        heights: Gives the values of measured nodes.

    Returns:
        All nodes, in the order in which they were measured. It depends on the arguments only, so
        that values may come from an earlier, interrupted call.
    """
    nodes = {(i * STEP, j * STEP): None for j in range(side) for i in range(side)}
    measure(list(nodes))
    cells = [(i * STEP, j * STEP, STEP) for j in range(side - 1) for i in range(side - 1)]
    last = (side - 1) * STEP - 1
    touched = {tuple(min(max(int(v), 0), last) // STEP * STEP for v in place) for place in crossed}
    targets = [cell for cell in cells if cell[:2] in touched]
    while True:
        new: dict[Node, None] = {}
        halved = set()
        for cell in targets:
            added = [n for n in _lattice(cell) if n not in nodes and n not in new]
            if len(nodes) + len(new) + len(added) > limit:
                break
            new |= dict.fromkeys(added)
            halved.add(cell)
        if targets and not halved:
            return list(nodes)
        if new:
            measure(list(new))
            nodes |= new
        cells = [cell for cell in cells if cell not in halved]
        cells += [
            (i + right, j + up, side // 2)
            for i, j, side in halved
            for right in (0, side // 2)
            for up in (0, side // 2)
        ]
        targets = _crossed_most(sorted(cells), list(nodes), heights)
        if not targets:
            return list(nodes)


def _crossed_most(cells: list[Cell], nodes: list[Node], heights: Heights) -> list[Cell]:
    """The cells crossed by more than one line and by at least 2/3 of the largest number."""
    values = heights(nodes)
    rank = dict(zip(nodes, ranks(values, levels(values)).tolist(), strict=True))
    crossing = {}
    for cell in cells:
        if cell[2] > 1:
            # Neighbours that are halved already have measured middles of the cell's edges.
            near = [rank[node] for node in _lattice(cell) if node in rank]
            crossing[cell] = max(near) - min(near)
    most = max(crossing.values(), default=0.0)
    targets = [cell for cell, n in crossing.items() if n > 1 and n >= most * 2 / 3]
    return sorted(targets, key=lambda cell: (-crossing[cell], cell))


def _lattice(cell: Cell) -> list[Node]:
    """The middle of a cell, those of its edges, and its corners."""
    i, j, side = cell
    half = side // 2
    steps = ((1, 1), (1, 0), (0, 1), (2, 1), (1, 2), (0, 0), (2, 0), (0, 2), (2, 2))
    return [(i + half * right, j + half * up) for right, up in steps]
