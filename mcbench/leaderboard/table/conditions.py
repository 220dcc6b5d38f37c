"""`conditions`, lines on how the numbers of a board are measured, for readers."""

from __future__ import annotations

from typing import Any

from mcbench.errors import UsageError
from mcbench.evaluation.protocol import Protocol
from mcbench.leaderboard.board.board import Board
from mcbench.methods.method import STATISTICS, traits
from mcbench.plugins.host import host

SHAPES = ((3, 32, 32), (1, 28, 28), (1, 8, 8))
"""Shapes of inputs for which a network is built to look for batch norms."""


def conditions(board: Board) -> list[str]:
    """The board's grid, and what its methods do with the running statistics of batch norms."""
    return list(filter(None, (_grid(board), _statistics(board))))


def _grid(board: Board) -> str:
    protocol = Protocol(**board.protocol)
    if protocol.refine == "search":
        return "Worst points: searched for on every leg of a path, until they stand."
    paper = any(row.published for row in board.rows)
    words = [f"Grid: {protocol.points} equally spaced points"]
    words += ["for comparison with the paper's numbers"] if paper else []
    words += [f"with {protocol.refine} rounds of refinement"] if protocol.refine else []
    return f"{', '.join(words)}; a point between them that is worse is not seen."


def _statistics(board: Board) -> str:
    """The line on running statistics, if methods of the board treat them differently."""
    rows: dict[str, list[str]] = {}
    for row in board.rows:
        if row.method in board.methods:
            rows.setdefault(_treatment(row.method), []).append(row.label)
    rows.pop("", None)
    if len(rows) < 2 or not has_batch_norms(board.architecture):
        return ""
    parts = [f"{STATISTICS[way]} ({', '.join(labels)})" for way, labels in sorted(rows.items())]
    return (
        f"Running statistics of batch norms: {'; '.join(parts)}. Ranks compare paths as they are, "
        "to the disadvantage of the former."
    )


def _treatment(method: str) -> str:
    try:
        return traits(host().get("method", method)).statistics
    except UsageError:  # It is not installed.
        return ""


def has_batch_norms(architecture: str) -> bool:
    """Whether the network ``name[p=v]`` has batch norms with running statistics.

    It does not depend on the data, which may not be there: it is built without values, for inputs
    of the first of `SHAPES` that it takes.
    """
    import torch

    try:
        component = host().get("architecture", architecture)
    except UsageError:
        return False
    for shape in SHAPES:
        with torch.device("meta"):
            module = _built(component, shape)
        if module is not None:
            break
    modules = module.modules() if module is not None else ()
    return any(getattr(one, "running_mean", None) is not None for one in modules)


def _built(component: Any, shape: tuple[int, ...]) -> Any:  # Any: a plugin's, and torch's.
    """The network for inputs of this shape; ``None`` if it does not take them."""
    try:
        return component.build(shape, 10)
    except Exception:  # A plugin's, of whatever kind.
        return None
