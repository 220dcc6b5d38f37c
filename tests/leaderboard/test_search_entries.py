"""Entries whose worst points were searched for: they pass; what hides a worst point is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from boards import follow, mend, register, small

import mcbench
from mcbench.errors import EntryError
from mcbench.evaluation.search import SPACING
from mcbench.experiments.experiment import Experiment
from mcbench.leaderboard import Board
from mcbench.leaderboard.entry.entry import read
from mcbench.leaderboard.submission.check import check
from mcbench.plugins.host import Host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.store import Store
from programs import run

Whole = dict[str, Any]

SEARCH = (("refine = 1", 'refine = "search"'),)


@pytest.fixture
def board(
    tmp_path: Path, fresh_host: Host, shared_store: Store, monkeypatch: Any
) -> Iterator[Board]:
    board = small(tmp_path / "small", SEARCH)
    register(fresh_host, board)
    Experiment(board.plan((0, 1), ("linear", "ot")), shared_store).run()
    monkeypatch.setenv("MCBENCH_HOME", str(shared_store.root))
    yield board


@pytest.fixture
def file(board: Board, tmp_path: Path) -> Path:
    """An entry of the paths of ``linear``, of one leg, and ``ot``, of several."""
    file = tmp_path / "x.json"
    assert run("leaderboard", "submit", "small", "-o", str(file)).exit_code == 0
    return file


def verified(file: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    result = run("leaderboard", "verify", str(file), *arguments, "--json")
    assert "Traceback" not in result.output, result.output
    return result.exit_code, json.loads(result.stdout)["verification"]


def altered(file: Path, change: Callable[[Whole], None]) -> None:
    """Change the curve of the first record, and make all that follows from it right again."""
    whole: Whole = json.loads(file.read_text())
    record = whole["content"]["records"][0]["record"]
    change(record["curve"])
    record["cost"]["evaluations"] = len(record["curve"]["t"])
    follow(record)
    mend(whole)
    file.write_text(json.dumps(whole))


def columns(curve: Whole) -> list[list[Any]]:
    """All lists of a curve that have a value for each point."""
    lists = [curve[name] for name in ("t", "grid", "position", "square")]
    lists += [v for name in ("loss", "accuracy", "with_start") for v in curve[name].values()]
    return lists


def scanned(curve: Whole) -> list[list[float]]:
    """All lists of a scan."""
    scan = curve["scan"]
    return [scan["t"], *scan["loss"].values(), *scan["accuracy"].values()]


def test_an_entry_of_a_search_is_checked_and_verified(board: Board, file: Path) -> None:
    entry = read(file)
    legs = {item.record.method: item.record.curve for item in entry.records}
    for curve in legs.values():
        assert curve.scan and len(curve.t) > 5 and max(curve.scan.t) == 1
    assert check(entry, board) == []
    code, rows = verified(file)
    assert code == 0 and {row["state"] for row in rows} == {"confirmed"}
    assert all(row["exact"] for row in rows), rows
    code, rows = verified(file, "--points", "2", "--seed", "1")
    assert code == 0 and [row["points"] for row in rows] == [3, 3]


def test_of_sent_points_the_scan_is_said_to_be_unverified(board: Board, tmp_path: Path) -> None:
    file = tmp_path / "sent.json"
    arguments = ["-m", "linear", "--with-paths", "-o", str(file)]
    assert run("leaderboard", "submit", "small", *arguments).exit_code == 0
    _, rows = verified(file)
    assert [row["state"] for row in rows] == ["confirmed"]
    assert "not verified: the scan" in rows[0]["reason"]
    _, rows = verified(file, "--rebuild")
    assert [(row["state"], row["reason"]) for row in rows] == [("confirmed", "")]


def without_the_worst_point(curve: Whole) -> None:
    losses = [
        -1.0 if on_grid else x
        for x, on_grid in zip(curve["loss"]["test"], curve["grid"], strict=True)
    ]
    i = losses.index(max(losses))
    for column in columns(curve):
        del column[i]


def without_searched_points(curve: Whole) -> None:
    kept = [i for i, on_grid in enumerate(curve["grid"]) if on_grid]
    for column in columns(curve):
        column[:] = [column[i] for i in kept]


def with_a_gap_in_the_scan(curve: Whole) -> None:
    for column in scanned(curve):
        del column[90:110]


def with_a_coarse_scan(curve: Whole) -> None:
    for column in scanned(curve):
        column[:] = column[::2]


def with_an_uneven_scan(curve: Whole) -> None:
    curve["scan"]["t"][100] -= 0.0001
    curve["scan"]["t"][101] -= 0.0001


def with_another_grid(curve: Whole) -> None:
    curve["grid"][1] = not curve["grid"][1]


CHANGES: dict[str, tuple[Callable[[Whole], None], str]] = {
    "worst point left out": (without_the_worst_point, "not those that the search"),
    "all searched points left out": (without_searched_points, "not those that the search"),
    "gap in the scan": (with_a_gap_in_the_scan, f"gaps wider than {SPACING} in t"),
    "every second time": (with_a_coarse_scan, f"gaps wider than {SPACING} in t"),
    "uneven scan": (with_an_uneven_scan, "in t"),
    "scan removed": (lambda curve: curve.pop("scan") and None, "has no scan: refine is search"),
    "empty scan": (lambda curve: [x.clear() for x in scanned(curve)] and None, "in t"),
    "scan of losses alone": (lambda curve: curve["scan"]["accuracy"].clear(), "other accuracies"),
    "values left out": (
        lambda curve: curve["scan"]["loss"]["test"].pop() and None,
        "not one value for each time",
    ),
    "another grid": (with_another_grid, "not on the grid of 5 points"),
}


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES)
def test_what_hides_a_worst_point_is_refused(
    change: Any, said: str, board: Board, file: Path
) -> None:
    altered(file, change)
    with pytest.raises(EntryError, match=said):
        check(read(file), board)
    result = run("leaderboard", "check", str(file))
    assert result.exit_code == 1 and len(result.stderr.strip().splitlines()) == 1


def test_a_forged_scan_passes_check_and_is_caught_by_verify(file: Path) -> None:
    """Whoever writes the scan decides where nobody looks; so its values are measured again."""

    def raise_losses(curve: Whole) -> None:
        for values in curve["scan"]["loss"].values():
            values[:] = [1.02 * x for x in values]

    altered(file, raise_losses)
    assert run("leaderboard", "check", str(file)).exit_code == 0
    for arguments in ((), ("--points", "3", "--seed", "1")):
        code, rows = verified(file, *arguments)
        assert code == 1 and [row["state"] for row in rows] == ["differs", "confirmed"]
        assert "scan's train loss differs by" in rows[0]["reason"]


def test_a_path_of_more_legs_than_were_looked_at_differs(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def three_legs(_: Any, a: Endpoint, b: Endpoint, problem: Problem) -> mcbench.Path:
        between = [mcbench.combine(a.params, b.params, 1 - t, t) for t in (1 / 3, 2 / 3)]
        return mcbench.polyline([a.params, *between, b.params])

    monkeypatch.setattr("mcbench_linear.Linear.connect", three_legs)
    code, rows = verified(file, "-m", "linear")
    assert code == 1 and rows[0]["state"] == "differs"
    assert rows[0]["reason"] == "its grid and scan are not those of a path of 3 legs"
