"""Statistics over pairs, tables in all formats, leaderboards."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from boards import HEAD, declared
from scipy import stats

from conftest import PLAN
from mcbench.errors import UsageError
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.experiments.record import Record
from mcbench.leaderboard import Board
from mcbench.leaderboard.entry.entry import write
from mcbench.leaderboard.submission.submission import content
from mcbench.leaderboard.table.absence import absence, failures
from mcbench.leaderboard.table.overview import overview
from mcbench.leaderboard.table.records import collect, rank, summaries
from mcbench.leaderboard.table.table import table
from mcbench.plugins.host import host
from mcbench.report import tables
from mcbench.report.ranking import ranking
from mcbench.stats.summary import summarize
from mcbench.store.store import Store


def test_summaries() -> None:
    s = summarize([1.0, 2.0, 3.0, 6.0])
    assert (s.count, s.mean) == (4, 3.0)
    assert s.std == pytest.approx(np.std([1, 2, 3, 6], ddof=1))
    assert (s.low + s.high) / 2 == pytest.approx(s.mean)
    assert s.high - s.mean == pytest.approx(stats.t.ppf(0.975, 3) * s.std / 2)
    assert s == summarize([6.0, 2.0, 1.0, 3.0])
    one = summarize([5.0])
    assert one.mean == 5 and math.isnan(one.std) and math.isnan(one.low)
    same = summarize([4.0, 4.0, 4.0])
    assert same.std == 0 and same.low == same.high == 4


def test_the_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).normal(size=(400, 30))
    hits = [s.low <= 0 <= s.high for s in map(summarize, draws.tolist())]
    assert 0.88 < np.mean(hits) < 0.99


@pytest.fixture
def sample() -> tables.Table:
    shown = tables.Table("sample", "A title", ["method", "train_%"], note="A note")
    shown.add({"method": "a|b_c", "train_%": "96.50 ± 0.25"}, {"method": "a|b_c", "train": 96.5})
    shown.add({"method": "d"}, {"method": "d", "train": float("nan"), "std": 1.0})
    return shown


def test_markdown(sample: tables.Table) -> None:
    text = tables.render([sample], "markdown")
    assert "| a\\|b_c   | 96.50 ± 0.25 |" in text
    assert text.startswith("**A title**") and text.endswith("A note")


def test_latex(sample: tables.Table) -> None:
    text = tables.render([sample], "latex")
    assert r"96.50 $\pm$ 0.25" in text and r"a|b\_c" in text and r"train\_\%" in text
    assert r"\begin{tabular}" in text and "% A note" in text
    rules = [line for line in text.splitlines() if line.endswith("rule")]
    assert rules == [r"\toprule", r"\midrule", r"\bottomrule"]


def test_latex_keeps_digits() -> None:
    shown = tables.Table("sample", "A title", ["method", "test"])
    shown.add({"method": "a", "test": "96.50"}, {})
    assert "96.50" in tables.render([shown], "latex")


def test_csv_has_parameters_as_text() -> None:
    shown = tables.Table("sample", "A title", ["parameters"])
    shown.add({}, {"parameters": {"cost": "neuron", "end": "b"}})
    assert tables.render([shown], "csv") == "parameters\ncost=neuron; end=b\n"


def test_json_has_no_infinity() -> None:
    shown = tables.Table("sample", "A title", ["loss"])
    shown.add({}, {"loss": float("inf")})
    assert json.loads(tables.render([shown], "json")) == {"sample": [{"loss": None}]}


def test_csv(sample: tables.Table) -> None:
    rows = list(csv.DictReader(io.StringIO(tables.render([sample], "csv"))))
    assert rows == [
        {"method": "a|b_c", "train": "96.5", "std": ""},
        {"method": "d", "train": "", "std": "1.0"},
    ]


def test_json(sample: tables.Table) -> None:
    assert json.loads(tables.render([sample], "json")) == {
        "sample": [{"method": "a|b_c", "train": 96.5}, {"method": "d", "train": None, "std": 1.0}]
    }


def test_terminal(sample: tables.Table) -> None:
    text = tables.render([sample], "table")
    assert "a|b_c" in text and "96.50 ± 0.25" in text and "A note" in text
    assert all(line == line.rstrip() for line in text.splitlines())


BOARD = (
    HEAD
    + """[protocol]
points = 5
refine = 0
[columns]
test = "worst-accuracy:test"
[[row]]
label = "Linear"
method = "linear"
published = { test = [95.87, 0.4] }
[[row]]
label = "Arc"
method = "arc"
note = "unlike the paper"
[[row]]
label = "Flow"
published = { test = [95.80, 0.45] }
[[row]]
label = "End Points"
method = "endpoints"
"""
)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return declared(tmp_path / "small", BOARD)


def test_a_board_shows_measured_beside_published_and_what_has_not_run(
    board: Board, shared_store: Store
) -> None:
    experiment = Experiment(board.plan((0, 1, 2), ("linear",)), shared_store)
    results = experiment.run()
    records = collect(board, shared_store)
    assert list(records) == ["linear"] and len(records["linear"]) == 3
    shown = table(board, records)
    linear, arc, flow, ends = shown.data
    worst = [min(r.curve.accuracy["test"]) for r in results.records.values()]
    assert linear["test"] == pytest.approx(np.mean(worst))
    assert linear["test:std"] == pytest.approx(np.std(worst, ddof=1))
    assert (linear["test:published"], linear["test:published:std"]) == (95.87, 0.4)
    assert linear["count"] == 3 and ends["count"] == 3
    assert "test" not in arc and "test" not in flow
    assert [row["test"] for row in shown.rows][1:3] == ["not run", "-"]
    assert (
        "Not run yet: arc. Run them with: mcbench run --leaderboard small -m 'arc'" in shown.note
    )
    assert "Arc: unlike the paper" in shown.note


def test_records_of_another_problem_or_protocol_do_not_count(
    board: Board, shared_store: Store
) -> None:
    Experiment(board.plan((0, 1), ("linear",)), shared_store).run()
    assert collect(board, shared_store)["linear"]
    assert collect(replace(board, architecture="mlp2[width=17]"), shared_store) == {}
    assert collect(replace(board, protocol={"points": 6, "refine": 0}), shared_store) == {}
    assert collect(replace(board, recipe="quick[epochs=16]"), shared_store) == {}


def test_a_submitted_entry_stands_for_the_runs(board: Board, shared_store: Store) -> None:
    Experiment(board.plan((0, 1, 2), ("linear",)), shared_store).run()
    records = collect(board, shared_store)
    assert board.folder is not None
    entries = board.folder / "entries"
    write(entries / "ours.json", content(board, records, shared_store))
    (entries / "broken.json").write_text("{")
    assert collect(board, None) == records
    assert summaries(board, board.rows[0], records)["test"].count == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("endpoints = 3", "endpoint = 3"), "did you mean 'endpoints'"),
        (('label = "Linear"', ""), "label"),
        (('name = "small"', "name = "), r"board\.toml"),
        (("refine = 0", "refines = 0"), "did you mean 'refine'"),
        (("points = 5", "points = 1"), "at least its 2 ends"),
        (("published = { test", "published = { tset"), "did you mean 'test'"),
        (('title = "A small board"', ""), "'title'"),
    ],
)
def test_a_wrong_declaration_is_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "board.toml"
    path.write_text(BOARD.replace(*change))
    with pytest.raises(UsageError, match=said):
        Board.read(path)


def test_endpoints_have_no_value_in_columns_of_paths(board: Board, shared_store: Store) -> None:
    Experiment(board.plan((0, 1), ("linear",)), shared_store).run()
    mixed = replace(board, columns={"test": "worst-accuracy:test", "length": "length"})
    linear, _, _, ends = table(mixed, collect(mixed, shared_store)).data
    assert linear["length"] > 0 and "length" not in ends and "test" in ends


def test_a_method_that_is_on_no_row_runs_under_the_boards_protocol(board: Board) -> None:
    plan = board.plan((0, 1), ("ot",))
    assert plan.methods == ("ot",) and plan.recipe == board.recipe
    assert plan.protocol == Protocol(**board.protocol)


def test_the_papers_board_is_as_published() -> None:
    board = host().get("leaderboard", "icml2020-mnist")
    published = {row.label: row.published["test"].mean for row in board.rows if row.published}
    assert published["OT + WA"] == 97.91 and published["End Points"] == 98.01
    assert len(published) == 11
    assert board.plan((0, 1)).protocol.points == 21
    for method in board.methods:
        assert host().get("method", method)
    assert Plan(dataset=board.dataset).dataset == "mnist"


def test_rows_have_ranks_with_intervals(board: Board, shared_store: Store) -> None:
    plan = board.plan((0, 1, 2), ("linear", "arc"))
    results = Experiment(plan, shared_store).run()
    records = collect(board, shared_store)
    ranks = rank(board, records, "test")
    assert set(ranks) == {"linear", "arc"} and {r.position for r in ranks.values()} <= {1, 2}
    linear, arc, _, ends = table(board, records).data
    for row, method in ((linear, "linear"), (arc, "arc")):
        place = ranks[method]
        assert (row["test:rank"], row["test:rank:low"]) == (place.position, place.low)
        assert row["test:rank:high"] == place.high and row["test:tied"] == list(place.tied)
    assert "test:rank" not in ends
    assert "no method is surely better" in table(board, records).note
    assert len(results.records) == 6
    with pytest.raises(KeyError):
        rank(board, records, "train")
    assert rank(replace(board, columns={"test": "worst:test"}), records, "test") == {}


def test_pairs_of_other_endpoints_are_not_compared(board: Board, shared_store: Store) -> None:
    Experiment(board.plan((0, 1, 2), ("linear", "arc")), shared_store).run()
    found = collect(board, shared_store)
    named = {m: [r.to_json() for r in pairs.values()] for m, pairs in found.items()}
    for record in named["arc"]:
        record["run"]["endpoints"] = [key[::-1] for key in record["run"]["endpoints"]]
        record["metrics"]["worst-accuracy"]["values"]["test"] = 1.0
    chosen = {m: {tuple(r["pair"]): Record.of(r) for r in rs} for m, rs in named.items()}
    ranks = rank(board, chosen, "test")
    assert ranks["linear"].position == 1 and ranks["linear"].tied == ("arc",)


def test_an_empty_cell_says_why(board: Board, store: Store, residual: None) -> None:
    changed = replace(
        board,
        architecture="residual",
        recipe="quick[epochs=1]",
        rows=(
            *board.rows[:3],
            replace(board.rows[0], label="OT", method="ot-wa"),
            replace(board.rows[0], label="Theirs", method="their-way"),
        ),
        columns={"test": "worst-accuracy:test", "wa": "wa-ensemble:test", "x": "new:test"},
    )

    Experiment(changed.plan((0, 1), ("linear", "ot-wa")), store).run()
    records, failed = collect(changed, store), failures(changed, store)
    states = {
        (row.label, column): (why.state, why.reason)
        for row in changed.rows
        for column in changed.columns
        if (why := absence(changed, row, column, records, failed))
    }
    assert ("Linear", "test") not in states
    assert states["Linear", "wa"][0] == "does not apply"
    assert states["Linear", "x"] == ("not measured", "the records lack 'new:test'")
    assert states["OT", "test"][0] == "does not apply" and "chain" in states["OT", "test"][1]
    assert states["Arc", "test"] == ("not run", "")
    assert states["Flow", "test"][0] == "no method"
    assert states["Theirs", "test"][0] == "not installed"
    shown = table(changed, records, failed)
    assert [row["test"] for row in shown.rows][1:] == [
        "not run", "-", "does not apply", "not installed",
    ]  # fmt: skip
    assert "OT: does not apply: add breaks the chain" in shown.note
    assert shown.data[3]["test_missing"].startswith("does not apply: add")


def test_a_run_that_failed_is_said_with_its_reason(
    board: Board, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("mcbench_linear.Linear.connect", fail)
    Experiment(board.plan((0, 1), ("linear",)), store).run()
    failed = failures(board, store)
    why = absence(board, board.rows[0], "test", {}, failed)
    assert why and (why.state, why.reason) == ("failed", "ZeroDivisionError: by zero")
    monkeypatch.undo()
    Experiment(board.plan((0, 1, 2), ("linear",)), store).run()
    assert failures(board, store) == {}


def test_a_mean_over_fewer_pairs_says_so(shared_store: Store) -> None:
    plan = replace(PLAN, methods=("linear", "arc"), protocol=Protocol(3, 0))
    experiment = Experiment(plan, shared_store)
    results = experiment.run()
    whole = ranking(experiment, results)
    assert "over 3 pairs" in whole.title and "pairs" not in whole.columns
    ends = whole.data[-1]
    assert {"worst-accuracy:test:std", "worst-accuracy:test:low"} <= ends.keys()
    failed = next(run.key for run in results.runs if run.method == "arc")
    del results.records[failed]
    part = ranking(experiment, results)
    assert {row["method"]: row.get("pairs") for row in part.rows} == {
        "linear": "3",
        "arc": "2",
        "End Points": None,
    }
    assert part.columns[1] == "pairs" and "over the pairs that did not fail" in part.title


def test_accuracy_lost_is_from_both_ends_though_they_have_one_seed() -> None:
    board = host().get("leaderboard", "garipov2018-digits")
    for record in collect(board, None)["linear"].values():
        a, *_, b = record.curve.accuracy["test"]
        if a != b:
            break
    assert a != b
    by_seed = record.model_copy(update={"pair": (0, 0)})
    lost = [
        next(row for row in overview(board, {"linear": {one.pair: one}}).data if len(row) > 5)
        for one in (record, by_seed)
    ]
    assert lost[0]["accuracy_lost"] == lost[1]["accuracy_lost"]
