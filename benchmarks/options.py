"""Options of several benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]


def data_directory(command: Command) -> Command:
    """The option ``--data-dir``."""
    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.option("--data-dir", type=kind, help="Take the real MNIST from this directory; "
                        "else seeded images of its shape are made.")(command)  # fmt: skip


def samples(
    help: str = "Training samples.", default: int = 60_000, least: int = 6
) -> Callable[[Command], Command]:
    """The option ``--samples``; a sixth as many are test samples."""
    return click.option("--samples", default=default, show_default=True,
                        type=click.IntRange(least), help=help)  # fmt: skip


def width(command: Command) -> Command:
    """The option ``--width``."""
    return click.option("--width", default=2000, show_default=True, type=click.IntRange(1),
                        help="Hidden units.")(command)  # fmt: skip


def widths(*default: int) -> Callable[[Command], Command]:
    """The option ``--width``, to be repeated."""
    return click.option("--width", "widths", multiple=True, default=default, show_default=True,
                        type=click.IntRange(1), help="Hidden units; repeat it.")  # fmt: skip


def epochs(command: Command) -> Command:
    """The option ``--epochs``."""
    return click.option("--epochs", default=1, show_default=True, type=click.IntRange(1),
                        help="Epochs of training for networks A and B.")(command)  # fmt: skip


def repeats(
    default: int, help: str = "Number of turns, of which the median counts."
) -> Callable[[Command], Command]:
    """The option ``--repeats``."""
    return click.option("--repeats", default=default, show_default=True, type=click.IntRange(1),
                        help=help)  # fmt: skip
