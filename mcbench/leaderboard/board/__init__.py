"""Declared tables: boards, families of boards, columns."""
