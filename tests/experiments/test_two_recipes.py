"""Paths between endpoints of two recipes: pairs, keys, tables, entries, what is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from boards import mend, register, small

from conftest import PLAN
from mcbench.errors import EntryError, UsageError
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan, Results
from mcbench.experiments.record import Record
from mcbench.experiments.run import Run
from mcbench.leaderboard import Board
from mcbench.leaderboard.entry.entry import Entry
from mcbench.leaderboard.submission.check import check
from mcbench.leaderboard.table.guests import with_guests
from mcbench.leaderboard.table.records import collect
from mcbench.paths.params import equal
from mcbench.plugins.host import Host
from mcbench.report.ranking import ranking
from mcbench.report.reading import end_points
from mcbench.store.key import key_of
from mcbench.store.store import Store
from programs import run

OTHER = "quick[epochs=15,init_variance=2]"
EARLY = "quick[epochs=15,schedule=constant,stop=5]"
LATE = "quick[epochs=15,schedule=constant]"
COARSE = Protocol(points=5, refine=1)
TO = replace(PLAN, methods=("linear",), protocol=COARSE, to_recipe=OTHER, metrics=("barrier-max",))


@pytest.fixture(scope="session")
def joined(shared_store: Store) -> tuple[Experiment, Results]:
    """Three segments from networks of one recipe to networks of another."""
    experiment = Experiment(TO, shared_store)
    results = experiment.run()
    assert not results.failures
    return experiment, results


def test_a_is_of_one_recipe_and_b_of_the_other(joined: tuple[Experiment, Results]) -> None:
    experiment, results = joined
    assert [run.pair for run in results.runs] == [(0, 1), (0, 2), (1, 2)]
    by_b = Experiment(replace(PLAN, recipe=OTHER), experiment.store)
    for one in results.runs:
        record, path = results.records[one.key], experiment.connector.connect(one)
        a, b = experiment.endpoint(one.pair[0]), by_b.endpoint(one.pair[1])
        assert record.run.endpoints == (a.key, b.key) == one.ends
        assert equal(path(0), a.params) and equal(path(1), b.params)
        assert record.problem.recipe.parameters["epochs"] == 15
        assert record.to_recipe.parameters["init_variance"] == 2.0
        again = Run.of(record)
        assert (again.ends, again.key) == (one.ends, one.key) and again.to_recipe == one.to_recipe


def test_only_networks_that_pairs_need_are_trained(store: Store) -> None:
    recipes = {"recipe": "quick[epochs=1]", "to_recipe": "quick[epochs=2]"}
    Experiment(replace(TO, **recipes), store).run()  # type: ignore[arg-type]
    keys = {entry.key for entry in store.entries("endpoints")}
    trained = {
        (record["problem"]["recipe"]["parameters"]["epochs"], record["seed"])
        for known in map(lambda key: store.read_tensors("endpoints", key), keys)
        if known is not None
        for record in (known[1],)
    }
    assert trained == {(1, 0), (1, 1), (2, 1), (2, 2)}


def test_keys_of_one_recipe_are_what_they_were(experiment: Experiment) -> None:
    prepared = Experiment(replace(TO, to_recipe=""), experiment.store)
    assert prepared.endpoints_b is prepared.endpoints
    (run,) = prepared.runs([(0, 1)])
    ends = [
        key_of({"schema": 1, "problem": run.problem, "seed": seed, "dtype": "float32"})
        for seed in (0, 1)
    ]
    described = {
        "schema": 1,
        "endpoints": ends,
        "method": run.identity,
        "protocol": {"points": 5, "refine": 1, "augment": False, "seed": 0},
        "dtype": "float32",
    }
    assert run.key == key_of(described) and "to_recipe" not in run.fields
    same = Experiment(replace(TO, to_recipe="quick[epochs=15,stop=0]"), experiment.store)
    assert same.endpoints_b is same.endpoints and same.runs([(0, 1)])[0].key == run.key


def test_data_are_loaded_once_for_all_recipes(shared_store: Store, loads: list[str]) -> None:
    experiment = Experiment(TO, shared_store)
    assert loads == ["digits"]
    assert (
        experiment.endpoints_b.problem.identity["dataset"]
        == experiment.problem.identity["dataset"]
    )
    scaled = experiment.by("quick[normalize=dataset]").problem.data
    assert loads == ["digits"] and scaled.train.inputs is experiment.problem.data.train.inputs
    assert scaled.train.mean and not experiment.problem.data.train.mean


def test_published_keys_follow_from_what_their_records_say() -> None:
    folder = Path(__file__).parents[2] / "leaderboards"
    content = json.loads((folder / "digits-two-layer/entries/mcbench-0.1.0.json").read_text())
    items = content["content"]["records"]
    assert items and all(Run.of(Record.of(item["record"])).key == item["key"] for item in items)


def test_iterates_of_one_training_are_joined_by_seed(shared_store: Store) -> None:
    plan = replace(TO, recipe=EARLY, to_recipe=LATE, same_seed=True, seeds=(2, 0))
    experiment = Experiment(plan, shared_store)
    results = experiment.run()
    assert [run.pair for run in results.runs] == [(0, 0), (2, 2)] and not results.failures
    for seed in (0, 2):  # The same training, broken off.
        sides = experiment.endpoints, experiment.endpoints_b
        losses = [side.load(seed).record["losses"] for side in sides]
        assert len(losses[0]) == 5 and losses[1][:5] == losses[0]


def test_tables_tell_both_kinds_of_endpoints(joined: tuple[Experiment, Results]) -> None:
    experiment, results = joined
    table = ranking(experiment, results)
    assert [row["method"] for row in table.rows] == ["linear", "End Points A", "End Points B"]
    last = table.note.splitlines()[-1]
    assert last == f"Paths lead from A, quick[epochs=15], to B, {OTHER}."
    rows = end_points(results)
    assert {key for ends in rows.values() for key in ends} == {
        key for run in results.runs for key in run.ends
    }
    assert all(len(ends) == 2 for ends in rows.values())


def test_a_training_that_fails_says_of_which_recipe(shared_store: Store) -> None:
    plan = replace(TO, to_recipe="quick[epochs=15,lr=1e9]")
    results = Experiment(plan, shared_store).run()
    assert not results.runs
    assert {f"seed {s} of quick[epochs=15,lr=1e9]" for s in (1, 2)} == set(results.failures)


REFUSED: dict[str, tuple[Plan, str]] = {
    "other scale": (
        replace(TO, to_recipe="quick[normalize=dataset]"),
        r"recipes 'quick\[epochs=15\]' and 'quick\[normalize=dataset\]' normalise the data "
        r"differently \(none, dataset\): their networks cannot be joined",
    ),
    "unknown": (replace(TO, to_recipe="quik"), "did you mean 'quick'"),
    "one network": (replace(TO, to_recipe="", same_seed=True), "joins networks of two recipes"),
    "the same recipe": (
        replace(TO, to_recipe="quick[epochs=15,stop=0]", same_seed=True),
        "joins networks of two recipes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_recipes_that_do_not_go_together_are_refused(name: str, shared_store: Store) -> None:
    plan, said = REFUSED[name]
    with pytest.raises(UsageError, match=said):
        Experiment(plan, shared_store)


SMALL = ("-a", PLAN.architecture, "-r", PLAN.recipe, "--points", "5", "--refine", "1")


def test_the_commands_take_two_recipes(
    joined: tuple[Experiment, Results], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCBENCH_HOME", str(joined[0].store.root))
    both = ("-m", "linear", *SMALL, "--to-recipe", OTHER, "--endpoints", "3")
    result = run("run", *both)
    assert result.exit_code == 0, result.output
    assert "End Points B" in result.stdout and f"--to-recipe '{OTHER}'" in result.stderr
    drawn = run("plot", *both, "-o", str(tmp_path / "paths"))
    assert drawn.exit_code == 0, drawn.output
    picture = (tmp_path / "paths.svg").read_text()
    assert f"quick[epochs=15] to {OTHER}" in picture and "End Points A" in picture
    for wrong in (("--same-seed",), ("--to-recipe", "quick[normalize=dataset]")):
        refused = run("run", "-m", "linear", *SMALL, *wrong)
        assert refused.exit_code == 2 and refused.stderr.count("\n") == 1, refused.stderr
    fixed = run("run", "-l", "digits-two-layer", "--to-recipe", "quick")
    assert fixed.exit_code == 2 and "--to-recipe cannot be given" in fixed.stderr


# Leaderboards ------------------------------------------------------------------------------

SWAPPED = f'recipe = "{OTHER}"\nto_recipe = "{PLAN.recipe}"'
BOTH = ('recipe = "quick[epochs=15]"', f'recipe = "quick[epochs=15]"\nto_recipe = "{OTHER}"')


@pytest.fixture
def board(tmp_path: Path, fresh_host: Host) -> Iterator[Board]:
    board = small(tmp_path / "small", (BOTH,))
    register(fresh_host, board)
    yield board


@pytest.fixture
def file(
    board: Board, shared_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An entry of one method on pairs of two recipes, submitted."""
    monkeypatch.setenv("MCBENCH_HOME", str(shared_store.root))
    result = run("run", "-l", "small", "-m", "linear")
    assert result.exit_code == 0, result.output
    file = tmp_path / "entry.json"
    result = run("leaderboard", "submit", "small", "-m", "linear", "-o", str(file))
    assert result.exit_code == 0, result.output
    return file


def test_no_row_mixes_the_endpoints_of_two_recipes(tmp_path: Path) -> None:
    linear = 'method = "linear"'
    with pytest.raises(UsageError, match="row 'Linear' would be the mean over networks of two"):
        small(tmp_path / "mixed", (BOTH, (linear, 'method = "endpoints"')))


def test_an_entry_of_two_recipes_is_submitted_and_verified(
    file: Path, board: Board, shared_store: Store, tmp_path: Path
) -> None:
    assert run("leaderboard", "check", str(file)).exit_code == 0
    verified = run("leaderboard", "verify", str(file), "--json")
    assert verified.exit_code == 0, verified.output
    rows = json.loads(verified.stdout)["verification"]
    assert [row["state"] for row in rows] == ["confirmed"] * 3 and rows[0]["exact"]
    content = json.loads(file.read_text())["content"]
    assert content["problem"]["to_recipe"] == OTHER and len(content["endpoints"]) == 4
    elsewhere = ("--home", str(tmp_path / "elsewhere"))
    missing = run("leaderboard", "verify", str(file), "--json", *elsewhere)
    reasons = [row["reason"] for row in json.loads(missing.stdout)["verification"]]
    assert missing.exit_code == 1 and all("is not in the store" in why for why in reasons)
    trained = run("leaderboard", "verify", str(file), *elsewhere, "--train")
    assert trained.exit_code == 0, trained.output


def test_points_of_two_recipes_come_along(file: Path, tmp_path: Path) -> None:
    sent = tmp_path / "sent.json"
    packed = run("leaderboard", "submit", "small", "-m", "linear", "--with-paths", "-o", str(sent))
    assert packed.exit_code == 0, packed.output
    verified = run("leaderboard", "verify", str(sent), "--json")
    rows = json.loads(verified.stdout)["verification"]
    assert verified.exit_code == 0 and not any(row["rebuilt"] for row in rows), verified.output


def test_records_count_on_the_board_of_their_recipes_alone(
    file: Path, board: Board, shared_store: Store, tmp_path: Path
) -> None:
    assert set(collect(board, shared_store)["linear"]) == {(0, 1), (0, 2), (1, 2)}
    others = (
        small(tmp_path / "one"),
        small(tmp_path / "swapped", ((BOTH[0], SWAPPED),)),
        small(tmp_path / "by-seed", ((BOTH[0], BOTH[1] + "\nsame_seed = true"),)),
    )
    ours = collect(board, shared_store)["linear"].values()
    for other in others:
        theirs = collect(other, shared_store).get("linear", {}).values()
        assert not [r for r in theirs if r in list(ours)]
    assert run("leaderboard", "add", str(file)).exit_code == 0
    assert with_guests(board).methods == board.methods
    published = run("leaderboard", "publish", "small", "--markdown", str(tmp_path / "README.md"))
    assert published.exit_code == 0, published.output
    text = (tmp_path / "README.md").read_text()
    assert "4 networks (seeds 0, 1, 2), 3 pairs" in text and "quick[epochs=15] to quick" in text
    assert run("leaderboard", "publish", "small", "-o", str(tmp_path / "site")).exit_code == 0
    (page,) = (tmp_path / "site" / "entries").glob("*.html")
    assert "digits, mlp2, quick to quick" in page.read_text()
    assert f"<dd>{OTHER}</dd>" in (tmp_path / "site" / "boards" / "small.html").read_text()


Whole = dict[str, Any]


def drop_recipe(record: Whole) -> None:
    del record["to_recipe"]


def swap_recipes(record: Whole) -> None:
    problem = record["problem"]
    record["to_recipe"], problem["recipe"] = problem["recipe"], record["to_recipe"]


def one_seed(record: Whole) -> None:
    record["pair"] = [record["pair"][0]] * 2


FORGED: dict[str, tuple[Callable[[Whole], None], str]] = {
    "one recipe": (drop_recipe, "the key of its endpoint is not that of seed 1"),
    "swapped recipes": (swap_recipes, "the key of its endpoint is not that of seed 0"),
    "a pair of one seed": (one_seed, "a pair is of two seeds, the lower one first"),
}


def forged(file: Path, change: Callable[[Whole], None]) -> Entry:
    whole = copy.deepcopy(json.loads(file.read_text()))
    change(whole["content"]["records"][0]["record"])
    mend(whole)
    return Entry(file, whole["sha256"], whole["content"])


@pytest.mark.parametrize("name", FORGED)
def test_forged_recipes_are_refused(name: str, file: Path, board: Board) -> None:
    change, said = FORGED[name]
    with pytest.raises(EntryError, match=said):
        check(forged(file, change), board)


def test_another_recipe_of_b_is_refused(file: Path, board: Board, tmp_path: Path) -> None:
    entry = forged(file, lambda record: None)
    assert not check(entry, board)
    other = small(tmp_path / "other", ((BOTH[0], BOTH[1].replace("=2]", "=3]")),))
    with pytest.raises(EntryError, match=r"its to_recipe is 'quick.*, but the leaderboard's"):
        check(entry, other)
    del entry.content["problem"]["to_recipe"]
    with pytest.raises(EntryError, match=r"init_variance is 2\.0, not 3\.0"):
        check(entry, other)
    with pytest.raises(EntryError, match="its to_recipe is another one"):
        check(entry, small(tmp_path / "one"))


def test_a_board_by_seed_needs_a_second_recipe(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="same_seed needs to_recipe"):
        small(tmp_path, ((BOTH[0], BOTH[0] + "\nsame_seed = true"),))
