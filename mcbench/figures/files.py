"""Files of figures: PNG, SVG and HTML."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Any

from mcbench.errors import UsageError
from mcbench.figures.style import SAVED


def files(out: Path) -> list[Path]:
    """The PNG and the SVG of a figure, from a name with or without either ending.

    Raises:
        UsageError: If it names no file.
    """
    stem = out.with_suffix("") if out.suffix in (".png", ".svg") else out
    if not stem.name:
        raise UsageError(f"'{out}' names no file: write a name that .png and .svg are added to")
    return [stem.with_name(stem.name + suffix) for suffix in (".png", ".svg")]


def check(out: Path, html: Path | None = None) -> None:
    """Test names of files, before hours of work.

    Raises:
        UsageError: If one cannot be written.
    """
    for path in [*files(out), *([html] if html else [])]:
        if path.is_dir():
            raise UsageError(f"cannot write {path}: it is a directory")
        if not path.name:
            raise UsageError(f"'{path}' names no file")
        # The part of the path that exists: the file itself, or a folder above it.
        existing = next(p for p in (path, *path.absolute().parents) if os.path.exists(p))
        if existing != path and not existing.is_dir():
            raise UsageError(f"cannot write {path}: {existing} is no folder")
        if not os.access(existing, os.W_OK):
            raise UsageError(f"cannot write {path}: {existing} is not writable")


def free(out: Path) -> Path:
    """``out``, or the first of ``out-2``, ``out-3``, ... of which no file is there."""
    names = (out if i == 1 else out.with_name(f"{out.name}-{i}") for i in count(1))
    return next(name for name in names if not any(path.exists() for path in files(name)))


def replaced(out: Path, html: Path | None = None) -> list[Path]:
    """The files that a figure replaces."""
    return [path for path in [*files(out), *([html] if html else [])] if path.exists()]


def save(figure: Any, out: Path) -> list[Path]:
    """Write a figure to its `files`.

    Raises:
        UsageError: If they cannot be written.
    """
    from matplotlib import rc_context

    paths = files(out)
    try:
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        with rc_context(SAVED):
            for path in paths:
                # Without a date the same figure is the same file.
                metadata = {"Date": None} if path.suffix == ".svg" else None
                figure.savefig(path, dpi=200, metadata=metadata)
    except OSError as error:
        raise UsageError(f"cannot write {paths[0]}: {error.strerror or error}") from None
    return paths


def save_html(figure: Any, out: Path) -> Path:
    """Write an interactive figure as one HTML file that works offline.

    Raises:
        UsageError: If it cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.write_html(
            out,
            include_plotlyjs=True,
            include_mathjax=False,
            config={"displaylogo": False, "responsive": True},
        )
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror or error}") from None
    return out
