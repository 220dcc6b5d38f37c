"""A static site of leaderboards: a page for each board, method and entry."""
