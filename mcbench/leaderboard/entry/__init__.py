"""Entries: files of results that a board shows."""
