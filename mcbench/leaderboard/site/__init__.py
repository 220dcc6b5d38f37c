"""A static site of leaderboards: a page for each board, method and entry."""

from mcbench.leaderboard.site.pages import site

__all__ = ["site"]
