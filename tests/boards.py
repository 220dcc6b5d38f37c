"""A small leaderboard on digits, and changes of its entries, for the tests of submissions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mcbench
from mcbench.errors import UsageError
from mcbench.leaderboard import Board
from mcbench.leaderboard.entry.entry import sha256_of
from mcbench.plugins.host import Host, Plugin

HEAD = """
name = "small"
title = "A small board"
reference = "Nobody, 2020"
dataset = "digits"
architecture = "mlp2[width=16]"
recipe = "quick[epochs=15]"
endpoints = 3
"""

BOARD = (
    HEAD
    + """[protocol]
points = 5
refine = 1
[columns]
test = "worst-accuracy:test"
[[row]]
label = "Linear"
method = "linear"
[[row]]
label = "OT"
method = "ot"
[[row]]
label = "Arc"
method = "arc"
"""
)

ENDS = """
[[row]]
label = "End Points"
method = "endpoints"
"""


def small(folder: Path, changes: tuple[tuple[str, str], ...] = ()) -> Board:
    """Write the board to ``folder`` and read it; with one recipe it has a row of endpoints too."""
    text = BOARD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    text += ENDS if "to_recipe" not in text else ""
    return declared(folder, text)


def declared(folder: Path, text: str) -> Board:
    """The board of a declaration, which is written to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "board.toml").write_text(text)
    return Board.read(folder / "board.toml")


def mend(whole: dict[str, Any]) -> None:
    """Correct all hashes of an entry, as a forger would."""
    for item in whole["content"]["records"]:
        item["sha256"] = sha256_of(item["record"])
    whole["sha256"] = sha256_of(whole["content"])


def follow(record: dict[str, Any]) -> None:
    """Make the metrics of a record agree with its curve, as a forger would."""
    from mcbench.evaluation.curve import Curve
    from mcbench.evaluation.curve_metric import CurveMetric
    from mcbench.plugins.host import host

    curve = Curve.of(record["curve"])
    for text, entry in record["metrics"].items():
        try:
            metric = host().get("metric", text)
        except UsageError:
            continue
        if isinstance(metric, CurveMetric):
            entry["values"] = {
                split: metric.formula(curve, split or None) for split in entry["values"]
            }


def lie(whole: dict[str, Any], by: float = 5.0) -> None:
    """Raise the accuracies inside the first path, and what follows from them; correct hashes."""
    record = whole["content"]["records"][0]["record"]
    for values in record["curve"]["accuracy"].values():
        values[1:-1] = [min(100.0, v + by) for v in values[1:-1]]
    follow(record)
    mend(whole)


def register(host: Host, *boards: Board) -> None:
    """Give the host boards, as a plugin does."""

    class Theirs:
        @mcbench.hookimpl
        def mcbench_leaderboards(self) -> list[Board]:
            return list(boards)

    host.register(Plugin("boards", "third", "1"), Theirs)


__all__ = ["BOARD", "follow", "lie", "mend", "register", "small"]
