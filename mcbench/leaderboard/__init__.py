"""Leaderboards: declared tables over runs, measured beside published."""

from mcbench.leaderboard.board.board import Board, Published, Row

__all__ = ["Board", "Published", "Row"]
