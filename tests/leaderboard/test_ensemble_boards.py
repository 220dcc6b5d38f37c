"""Leaderboards of ensembles: declared, shown beside what the store has."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from shlex import split

import pytest

import mcbench
from conftest import PLAN
from mcbench.ensembles.evaluate import EnsembleExperiment
from mcbench.errors import UsageError
from mcbench.experiments.experiment import Experiment
from mcbench.leaderboard.table.ensembles import EnsembleBoard, EnsembleRow, collect, read, table
from mcbench.plugins.host import Host, Plugin, host
from mcbench.store.store import Store
from programs import run

FAST = "fge[cycles=2,period=2]"

DECLARED = """
reference = "nowhere"
budgets = [1, 2]
endpoints = 2

[[board]]
name = "small"
title = "digits"
dataset = "digits"
architecture = "mlp2[width=16]"
recipe = "quick[epochs=15]"

[[board.row]]
label = "Ind"
ensemble = "independent"
published = [[4.0, 0.5], 3.5]

[[board.row]]
label = "FGE"
ensemble = "fge[cycles=2,period=2]"
"""


@pytest.fixture
def board(tmp_path: Path) -> EnsembleBoard:
    """A board of the shared experiment's problem."""
    (tmp_path / "ensembles.toml").write_text(DECLARED)
    (found,) = read(tmp_path / "ensembles.toml")
    return found


def test_measured_stands_beside_published(board: EnsembleBoard, shared_store: Store) -> None:
    before = table(board, None)
    assert [row["1B"] for row in before.rows] == ["not run", "not run"]
    assert before.rows[0]["1B published"] == "4.00 ± 0.50"
    assert before.rows[0]["2B published"] == "3.50" and "2B published" not in before.rows[1]
    ensembles = ["independent", FAST]
    results = EnsembleExperiment([Experiment(PLAN, shared_store)], ensembles, (1, 2)).run()
    # Records that do not count: of fewer trainings, of other budgets, of another recipe.
    for plan, budgets in (
        (replace(PLAN, seeds=(0, 1)), (1, 2)),
        (PLAN, (1,)),
        (replace(PLAN, recipe="quick[epochs=14]"), (1, 2)),
    ):
        assert (
            not EnsembleExperiment([Experiment(plan, shared_store)], ensembles, budgets)
            .run()
            .failures
        )
    assert collect(board, shared_store) == results.records
    shown = table(board, shared_store)
    for row, record in zip(shown.data, results.records.values(), strict=True):
        for pool in record["budgets"]:
            mean = sum(pool["accuracy"]) / len(pool["accuracy"])
            assert row[f"{pool['budget']}B"] == pytest.approx(100 - mean)
        assert row["trainings"] == 3 and row["epochs"] == 15
    assert "Measure what is missing" not in shown.note


def test_the_command_below_the_table_measures_it(board: EnsembleBoard, store: Store) -> None:
    words = split(board.command)
    assert words[:2] == ["mcbench", "ensemble"]
    assert board.command in table(board, store).note
    result = run(*words[1:], "--home", str(store.root))
    assert result.exit_code == 0
    assert set(collect(board, store)) == {"independent", FAST}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("budgets", "budget"), "unknown field 'budget'"),
        (("title = ", "headline = "), "unknown field 'headline'"),
        (('title = "digits"\n', ""), "'title' is missing"),
        (("label", "lable"), "unknown field 'lable'"),
        (("3.5]", "3.5, 3]"), "numbers for 2 budgets"),
        (("[1, 2]", "[1, 2"), "leaderboard declaration"),
    ],
)
def test_a_wrong_declaration_is_one_line(
    change: tuple[str, str], reason: str, tmp_path: Path
) -> None:
    (tmp_path / "b.toml").write_text(DECLARED.replace(*change))
    with pytest.raises(UsageError, match=reason):
        read(tmp_path / "b.toml")


def test_table_1_of_garipov_is_declared_whole() -> None:
    names = host().names("ensemble-board")
    boards = {n: host().get("ensemble-board", n) for n in names if n.startswith("fge2018-")}
    assert len(boards) == 6
    for board in boards.values():
        rows = {row.label: row for row in board.rows}
        assert list(rows) == ["Ind", "SSE", "FGE", "SWA"]
        for row in board.rows:
            host().get("ensemble", row.ensemble)
            # Of the table, an error bar stands in the first column alone.
            bars = [published.std == published.std for published in row.published]
            assert bars == ([True] if row.label == "SWA" else [True, False, False])
    vgg = {row.label: row for row in boards["fge2018-cifar100-vgg16"].rows}
    assert [p.mean for p in vgg["FGE"].published] == [25.7, 24.11, 23.54]
    # The sum of all that table 1 has, as a check against slips.
    total = sum(
        p.mean for b in boards.values() for r in b.rows if r.label != "SWA" for p in r.published
    )
    assert total == pytest.approx(685.18)


@pytest.mark.parametrize("network", ["vgg16"])
def test_published_boards_resolve_and_ensembles_fit(network: str) -> None:
    for data in ("cifar10", "cifar100"):
        board = host().get("ensemble-board", f"fge2018-{data}-{network}")
        board.signature()
        recipe = host().get("recipe", board.recipe)
        for row in board.rows:
            spent = host().get("ensemble", row.ensemble).epochs(recipe)
            assert recipe.last - 1 <= spent[-1] <= recipe.last
        assert len(host().get("ensemble", board.rows[2].ensemble).epochs(recipe)) == 22


def test_leaderboard_show_and_list_know_them(store: Store) -> None:
    name = "fge2018-cifar10-vgg16"
    shown = run("leaderboard", "show", name, "--json", "--home", str(store.root))
    rows = json.loads(shown.stdout)["leaderboard"]
    assert rows[2]["row"] == "FGE" and rows[2]["2B:published"] == 5.82
    assert name in run("list", "ensemble_boards").stdout
    refused = run("leaderboard", "show", name, "-m", "linear")
    assert refused.exit_code == 2 and "leaderboard of ensembles" in refused.stderr
    elsewhere = run("run", "--leaderboard", name)
    assert (
        elsewhere.exit_code == 2
        and "there is a component of that name of kind ensemble-board" in elsewhere.stderr
    )


def test_a_board_whose_network_is_not_there_still_shows(fresh_host: Host, store: Store) -> None:
    class Theirs:
        @mcbench.hookimpl
        def mcbench_ensemble_boards(self) -> list[EnsembleBoard]:
            row = EnsembleRow("Ind", "independent")
            return [EnsembleBoard("odd", "t", "r", "digits", "nonet", "quick", (1,), 2, (row,))]

    fresh_host.register(Plugin("theirs", "third", "1.0"), Theirs)
    shown = run("leaderboard", "show", "odd", "--home", str(store.root))
    assert shown.exit_code == 0 and "unknown architecture 'nonet'" in " ".join(
        shown.stdout.split()
    )
