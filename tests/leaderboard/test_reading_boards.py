"""What a reader sees of a board: intervals, order, bold, and how its numbers were measured."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from boards import register, small
from scipy import stats
from torch import nn

import mcbench
from mcbench.leaderboard import Board
from mcbench.leaderboard.board.column import Column
from mcbench.leaderboard.table.conditions import conditions, has_batch_norms
from mcbench.leaderboard.table.ranking import bold, ordered, ranks_of
from mcbench.leaderboard.table.records import collect
from mcbench.leaderboard.table.summaries import summaries
from mcbench.leaderboard.table.table import table
from mcbench.plugins.host import Host, Plugin, host
from mcbench.report.tables import render
from mcbench.stats.ranking import Rank


def named(name: str) -> Board:
    board: Board = host().get("leaderboard", name)
    return board


@pytest.fixture
def digits() -> Board:
    """Four networks, six pairs, eleven methods."""
    return named("digits-two-layer")


def test_the_interval_of_a_method_leaves_out_endpoints_in_turn(digits: Board) -> None:
    """Computed again from the records alone."""
    records = collect(digits, None)
    (row,) = (row for row in digits.rows if row.method == "linear")
    values = {pair: min(r.curve.accuracy["test"]) for pair, r in records["linear"].items()}
    assert sorted(values) == list(combinations(range(4), 2))
    means = [np.mean([x for pair, x in values.items() if seed not in pair]) for seed in range(4)]
    error = (3 / 4 * np.sum((means - np.mean(means)) ** 2)) ** 0.5
    half = stats.t.ppf(0.975, 3) * error
    mean = np.mean(list(values.values()))
    summary = summaries(digits, row, records)["test"]
    assert (summary.low, summary.high) == pytest.approx((mean - half, mean + half))


def test_the_interval_of_end_points_is_that_of_independent_networks(digits: Board) -> None:
    records = collect(digits, None)
    ends = {
        seed: record.curve.accuracy["test"][side]
        for (a, b), record in records["linear"].items()
        for seed, side in ((a, 0), (b, -1))
    }
    low, high = stats.t.interval(
        0.95, 3, np.mean(list(ends.values())), stats.sem(list(ends.values()))
    )
    summary = summaries(digits, digits.rows[-1], records)["test"]
    assert (summary.count, summary.low, summary.high) == (
        4,
        pytest.approx(low),
        pytest.approx(high),
    )


@pytest.mark.parametrize(
    ("column", "within"),
    [
        ("worst-accuracy:test", (0, 100)),
        ("100 - worst-accuracy:test", (0, 100)),
        ("accuracy-drop:test", (-100, 100)),
        ("highest-loss:test", (-np.inf, np.inf)),
        ("unknown:test", (-np.inf, np.inf)),
    ],
)
def test_no_interval_of_a_share_leaves_what_is_possible(
    column: str, within: tuple[float, float]
) -> None:
    assert Column.read(column).within == within


def test_no_published_interval_of_a_share_leaves_what_is_possible(digits: Board) -> None:
    rows = table(digits, collect(digits, None)).data
    assert min(row["train:low"] for row in rows) >= 0
    assert max(row["train:high"] for row in rows) == 100


def test_rows_are_ordered_by_rank_and_the_rest_as_before(digits: Board) -> None:
    ranks = ranks_of(digits, collect(digits, None))
    shown = ordered(digits, ranks)
    assert shown.rows[-1].method == "endpoints"
    places = [ranks["test"][row.method].position for row in shown.rows[:-1]]
    assert places == sorted(places) and len(places) == 11
    assert {row.label for row in shown.rows} == {row.label for row in digits.rows}
    some = {column: {m: r for m, r in of.items() if m != "ot"} for column, of in ranks.items()}
    assert [row.method for row in ordered(digits, some).rows[-2:]] == ["ot", "endpoints"]
    assert ordered(digits, {}).rows == digits.rows
    first = replace(digits, rows=digits.rows[::-1])
    assert ordered(first, ranks).rows[0].method == "endpoints"


def test_the_best_are_bold_unless_all_are_tied(digits: Board) -> None:
    ranks = ranks_of(digits, collect(digits, None))["test"]
    best = {method for method, rank in ranks.items() if rank.groups.startswith("a")}
    assert bold(ranks) == best and 1 <= len(best) < 11
    text = render([table(digits, collect(digits, None))], "markdown")
    for method, rank in ranks.items():
        (line,) = (x for x in text.splitlines() if f"| {method} " in x)
        test = line.split("|")[6].strip()
        assert test.startswith("**") == rank.best, line
        assert str(rank) in line
    latex = render([table(digits, collect(digits, None))], "latex")
    assert latex.count("textbf") == text.count("**") // 2 - 1  # The title is bold in Markdown.
    tied = Rank(1, 1, 2, (), "a")
    assert bold({"a": tied, "b": tied}) == set()


# Conditions --------------------------------------------------------------------------------


def test_a_board_says_on_which_grid_its_numbers_are(tmp_path: Path) -> None:
    board = small(tmp_path / "small")
    (line,) = conditions(board)
    assert line == (
        "Grid: 5 equally spaced points, with 1 rounds of refinement; a point between them that is "
        "worse is not seen."
    )
    (line,) = conditions(named("icml2020-mnist"))
    assert line.startswith(
        "Grid: 21 equally spaced points, for comparison with the paper's numbers;"
    )
    (line,) = conditions(replace(board, protocol={}))
    assert line.startswith("Worst points: searched for on every leg")
    assert line in table(replace(board, protocol={}), {}).note


def test_a_board_with_batch_norms_says_whose_statistics_are_estimated_anew(tmp_path: Path) -> None:
    _, line = conditions(named("draxler2018-resnet8-short"))
    assert line == (
        "Running statistics of batch norms: between those of A and B (Linear); estimated anew at "
        "every point (PolyChain, NEB). Ranks compare paths as they are, to the disadvantage of "
        "the former."
    )
    assert len(conditions(named("garipov2018-digits"))) == 1  # The same methods, no batch norms.
    one_kind = small(tmp_path / "one", (("mlp2[width=16]", "resnet8"),))
    assert len(conditions(one_kind)) == 1


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [("resnet20", True), ("mlp2[width=8]", False), ("densenet40-12", True), ("ring", False),
     ("nowhere", False)],
)  # fmt: skip
def test_batch_norms_are_found_without_data(architecture: str, expected: bool) -> None:
    assert has_batch_norms(architecture) == expected


def test_a_strangers_method_that_says_nothing_is_not_named(
    tmp_path: Path, fresh_host: Host
) -> None:
    class Theirs:
        @mcbench.hookimpl
        def mcbench_architectures(self) -> list[object]:
            return [Normed()]

        @mcbench.hookimpl
        def mcbench_methods(self) -> list[object]:
            return [Quiet()]

    class Normed:
        name = "normed"

        def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
            if input_shape[0] != 1:
                raise mcbench.UsageError("grey images alone")
            return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, classes))

    class Quiet:
        name = "quiet"

        def connect(self, *_: object) -> mcbench.Path:
            raise AssertionError

    fresh_host.register(Plugin("theirs", "third", "1"), Theirs)
    changes = (("mlp2[width=16]", "normed"), ('method = "ot"', 'method = "quiet"'))
    board = small(tmp_path / "small", changes)
    register(fresh_host, board)
    assert len(conditions(board)) == 1  # Linear and Arc alone say what they do: the same.
    rows = (*board.rows, replace(board.rows[0], label="Curve", method="polychain"))
    _, line = conditions(replace(board, rows=rows))
    assert "(Linear, Arc)" in line and "(Curve)" in line and "OT" not in line
