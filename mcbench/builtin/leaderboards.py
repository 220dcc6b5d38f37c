"""Leaderboards that come with mcbench, read from their TOML declarations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mcbench.plugins.hookspecs import hookimpl


def folder() -> Path:
    """``leaderboards/``: inside an installed package, or at the top of a source tree."""
    package = Path(__file__).parent.parent
    inside = package / "leaderboards"
    return inside if inside.is_dir() else package.parent / "leaderboards"


@hookimpl
def mcbench_leaderboards() -> Iterator[object]:
    """Every ``NAME/board.toml``, and all boards of every ``FAMILY.toml``."""
    from mcbench.leaderboard import Board

    for path in sorted(folder().glob("*/board.toml")):
        yield Board.read(path)
    for path in sorted(folder().glob("*.toml")):
        yield from Board.read_family(path)


@hookimpl
def mcbench_ensemble_boards() -> Iterator[object]:
    """All boards of every ``NAME/ensembles.toml``."""
    from mcbench.leaderboard.table.ensembles import read

    for path in sorted(folder().glob("*/ensembles.toml")):
        yield from read(path)
