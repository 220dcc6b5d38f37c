"""Checks of leaderboards: the components that they name exist."""

from __future__ import annotations

from mcbench.errors import UsageError
from mcbench.leaderboard.board.board import ENDPOINTS
from mcbench.plugins.host import host
from mcbench.testing.check import Fault, check
from mcbench.testing.subject import Subject


@check("leaderboard", "names")
def named_components_exist(subject: Subject) -> None:
    """Its data set, architecture, recipe, methods and metrics can be resolved."""
    board = subject.component
    names = [(kind, getattr(board, kind)) for kind in ("dataset", "architecture", "recipe")]
    names += [("method", r.method) for r in board.rows if r.method not in ("", ENDPOINTS)]
    names += [("metric", column.metric) for column in board.shown.values()]
    for kind, text in names:
        try:
            host().get(kind, text)
        except UsageError as error:
            raise Fault(
                f"its {kind} '{text}' cannot be resolved: {error}",
                "correct the name, or make the package that has it a dependency",
            ) from None
