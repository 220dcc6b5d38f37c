"""Boards declared together, columns of errors, the papers' tables, metrics of saddles."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from boards import register

from mcbench.errors import StructureError, UsageError
from mcbench.evaluation.curve import Curve
from mcbench.evaluation.metric import Evaluation
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.experiments.record import Record
from mcbench.leaderboard import Board
from mcbench.leaderboard.board.column import Column
from mcbench.leaderboard.table.records import collect
from mcbench.leaderboard.table.summaries import summaries
from mcbench.plugins.host import Host, host
from mcbench.problem.endpoint import Endpoint
from mcbench.report.reading import columns_of
from mcbench.store.store import Store
from programs import run

FAMILY = """
reference = "Nobody, 2020, table 1"
dataset = "digits"
recipe = "quick[epochs=2]"
endpoints = 2
note = "Of all."
[protocol]
points = 3
refine = 0
[columns]
loss = "highest-loss:train"
error = "100 - worst-accuracy:test"
epoch = "saddle-epoch"
decayed = "loss-with-decay:highest:train"
[[row]]
label = "Ends"
method = "endpoints"
[[row]]
label = "Segment"
method = "linear"
[[row]]
label = "Curve"
method = "polychain"
note = "with a bend"
[[board]]
name = "wide"
title = "Wide"
architecture = "mlp2[width=16]"
published.Ends = [0.0162, 8.5, nan, nan]
published.Segment = [0.5, 12.0, 104, nan]
[[board]]
name = "narrow"
title = "Narrow"
architecture = "mlp2[width=8]"
note = "Of this one."
recipe = "quick[epochs=1]"
methods.Curve = "polychain[epochs=1]"
protocol = { points = 5 }
"""


@pytest.fixture
def family(tmp_path: Path) -> list[Board]:
    (tmp_path / "both.toml").write_text(FAMILY)
    return Board.read_family(tmp_path / "both.toml")


def test_boards_share_what_they_do_not_say_themselves(family: list[Board], tmp_path: Path) -> None:
    wide, narrow = family
    assert (wide.name, wide.recipe, wide.note) == ("wide", "quick[epochs=2]", "Of all.")
    assert narrow.recipe == "quick[epochs=1]" and narrow.note == "Of all.\nOf this one."
    assert wide.protocol == {"points": 3, "refine": 0} and narrow.protocol == {"points": 5}
    assert wide.methods == ("linear", "polychain")
    assert narrow.methods == ("linear", "polychain[epochs=1]")
    assert [row.label for row in narrow.rows] == ["Ends", "Segment", "Curve"]
    assert narrow.rows[2].note == "with a bend"
    assert wide.folder == tmp_path / "wide"


def test_numbers_stand_in_the_order_of_the_columns(family: list[Board]) -> None:
    ends, segment, curve = family[0].rows
    assert {c: p.mean for c, p in ends.published.items()} == {"loss": 0.0162, "error": 8.5}
    assert {c: p.mean for c, p in segment.published.items()} == {
        "loss": 0.5, "error": 12, "epoch": 104,
    }  # fmt: skip
    assert all(math.isnan(p.std) for p in (*ends.published.values(), *segment.published.values()))
    assert not curve.published and not any(row.published for row in family[1].rows)
    assert {column: family[0].digits(column) for column in family[0].columns} == {
        "loss": 4, "error": 2, "epoch": 2, "decayed": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "[0.0162, 8.5, nan, nan]",
            "[0.0162, 8.5]",
            "row 'Ends' of 'wide' has 2 numbers for 4 columns",
        ),
        ("published.Ends", "published.Edns", "unknown row of 'wide' 'Edns': did you mean 'Ends'?"),
        ("methods.Curve", "methods.Bend", "unknown row of 'narrow' 'Bend'"),
        ("[0.0162, 8.5, nan, nan]", '["a", 8.5, nan, nan]', "must be real number"),
        ("[0.0162, 8.5, nan, nan]", "3", "needs a list of numbers, not 3"),
        ('name = "wide"\n', "", "'name' is missing"),
        ('title = "Wide"\n', "", "missing"),
        ('name = "narrow"', 'name = "wide"', "two boards have the name 'wide'"),
        ("points = 5", "pionts = 5", "unknown field of the protocol 'pionts'"),
        ('title = "Narrow"', 'title = "Narrow"\nextra = 1', "unknown field 'extra'"),
        ("[[board]]", "[[bored]]", "'board' is missing"),
    ],
)
def test_what_is_wrong_in_a_family_is_said_in_a_line(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    assert old in FAMILY
    (tmp_path / "both.toml").write_text(FAMILY.replace(old, new))
    with pytest.raises(UsageError) as error:
        Board.read_family(tmp_path / "both.toml")
    text = str(error.value)
    assert text.startswith("leaderboard declaration ") and "both.toml" in text
    assert said in text and "\n" not in text


def test_a_column_may_be_an_error() -> None:
    error, plain = Column.read("100 - worst-accuracy:test"), Column.read("length-ratio")
    assert (error.source, error.metric, error.split) == (
        "worst-accuracy:test", "worst-accuracy", "test",
    )  # fmt: skip
    assert error.of({"worst-accuracy:test": 97.5}) == 2.5 and error.of({}) is None
    assert (error.better, error.unit) == ("lower", "%")
    assert Column.read("worst-accuracy:test").better == "higher"
    assert error.words == "100 less the lowest accuracy on the grid, test, lower is better"
    assert (plain.split, plain.of({"length-ratio": 1.5}), plain.better) == ("", 1.5, "lower")
    absent = Column.read("100 - nowhere:train")
    assert (absent.component, absent.better, absent.unit) == (None, "", "")
    assert absent.words == "nowhere:train"


def test_a_board_of_a_family_is_run_and_shown(
    family: list[Board], fresh_host: Host, store: Store
) -> None:
    """What it shows is measured, usual or not; errors are ranked as errors; rows by rank."""
    register(fresh_host, *family)
    home = ("--home", str(store.root))
    result = run("leaderboard", "show", "wide", *home)
    assert "0.0162" in result.stdout and "12.00" in result.stdout and "rank" not in result.stdout
    result = run("run", "-l", "wide", "--endpoints", "3", *home)
    assert result.exit_code == 0, result.stderr
    rows = json.loads(run("leaderboard", "show", "wide", "--json", *home).stdout)["leaderboard"]
    assert rows[0]["row"] == "Ends"
    *_, by = (key for key in rows[1] if key.endswith(":rank"))
    assert [row[by] for row in rows[1:]] == [1, 2]
    records = collect(family[0], store)
    for label, method in (("Segment", "linear"), ("Curve", "polychain")):
        (row,) = (row for row in rows if row["row"] == label)
        values = [columns_of(record) for record in records[method].values()]
        assert len(values) == 3
        errors = [100 - v["worst-accuracy:test"] for v in values]
        assert row["error"] == pytest.approx(sum(errors) / 3)
        assert row["loss"] == pytest.approx(sum(v["highest-loss:train"] for v in values) / 3)
        assert row["epoch"] == pytest.approx(sum(v["saddle-epoch"] for v in values) / 3)
    ranked = {row["row"]: row["error:rank"] for row in rows if "error:rank" in row}
    best = min(rows[1:], key=lambda row: row["error"])["row"]
    assert ranked[best] == 1
    ends = summaries(family[0], family[0].rows[0], records)
    assert set(ends) == {"loss", "error", "decayed"} and ends["loss"].count == 3
    curves = [r.curve for r in records["linear"].values()]
    losses = {c.loss["train"][side] for c in curves for side in (0, -1)}
    assert ends["loss"].mean == pytest.approx(sum(losses) / 3)
    squares = {c.square[side] for c in curves for side in (0, -1)}
    decay = host().get("recipe", "quick").weight_decay / 2 * sum(squares) / 3
    assert ends["decayed"].mean == pytest.approx(sum(losses) / 3 + decay)
    older = {  # As in records of older versions.
        pair: Record.of(record.to_json() | {"curve": record.curve.to_dict() | {"square": []}})
        for pair, record in records["linear"].items()
    }
    assert set(summaries(family[0], family[0].rows[0], {"linear": older})) == {"loss", "error"}


# The papers' boards ------------------------------------------------------------------------


def published(name: str) -> dict[str, dict[str, float]]:
    board = host().get("leaderboard", name)
    return {
        row.label: {c: p.mean for c, p in row.published.items()}
        for row in board.rows
        if row.published
    }


def names(start: str) -> list[str]:
    return [name for name in host().names("leaderboard") if name.startswith(start)]


def test_all_boards_of_the_papers_are_there() -> None:
    assert len(names("draxler2018-cifar10-")) == len(names("draxler2018-cifar100-")) == 14
    assert len(names("garipov2018-rerun-")) == 6
    assert len(names("garipov2018-c")) == 6 and names("garipov2018-mnist")


@pytest.mark.parametrize("name", names("draxler2018-cifar"))
def test_ratios_and_differences_of_table_b1_follow_from_its_numbers(name: str) -> None:
    """To the precision that they are printed with: an exchanged digit would show."""
    table = published(name)
    minima, saddle = table["Minima"], table["AutoNEB"]
    low = (saddle["train loss"] - 5e-5) / (minima["train loss"] + 5e-5)
    high = (saddle["train loss"] + 5e-5) / (minima["train loss"] - 5e-5)
    assert low - 0.051 <= saddle["ratio"] <= high + 0.051
    rise = saddle["test error"] - minima["test error"]
    assert saddle["error rise"] == pytest.approx(rise, abs=0.151)
    assert saddle["test loss"] >= minima["test loss"]
    assert set(minima) == {"train loss", "test loss", "test error"} and len(saddle) == 6


@pytest.mark.parametrize("name", [*names("garipov2018-c"), "garipov2018-mnist"])
def test_table_2_is_in_order(name: str) -> None:
    """min <= int, mean <= max in every row; the segment is the straight line, and the worst."""
    table = published(name)
    assert list(table) == ["Single", "Segment", "Bezier", "PolyChain"]
    for label, row in table.items():
        for what in ("train loss", "train error", "test error"):
            known = [row[f"{what} {x}"] for x in ("min", "int", "max") if f"{what} {x}" in row]
            odd = (name, label, what) == ("garipov2018-cifar100-resnet164", "Single", "test error")
            assert known == sorted(known) or odd
        assert len(row) == (6 if label == "Single" else 11)
        if label not in ("Single", "Segment"):
            assert row["train loss max"] < table["Segment"]["train loss max"]
            assert row["length ratio"] > 1 == table["Segment"]["length ratio"]


def test_some_published_numbers_are_as_printed() -> None:
    assert published("draxler2018-cifar10-resnet20")["AutoNEB"] == {
        "train loss": 0.0324, "ratio": 2.0, "epoch": 104, "test loss": 0.38, "test error": 8.9,
        "error rise": 0.5,
    }  # fmt: skip
    assert published("draxler2018-cifar100-densenet40-12")["Minima"] == {
        "train loss": 0.0101, "test loss": 1.30, "test error": 26.3,
    }  # fmt: skip
    assert published("garipov2018-cifar10-resnet158")["PolyChain"] == {
        "length ratio": 3.48, "train loss min": 0.013, "train loss int": 0.017,
        "train loss mean": 0.017, "train loss max": 0.047, "train error min": 0,
        "train error int": 0.05, "train error max": 0.139, "test error min": 5.48,
        "test error int": 5.88, "test error max": 7.35,
    }  # fmt: skip
    assert published("garipov2018-rerun-cifar100-vgg16")["PolyChain"] == {
        "train loss min": 0.59, "train loss max": 1.05, "test error min": 27.1,
        "test error max": 30.8,
    }  # fmt: skip


# Saddles -----------------------------------------------------------------------------------


def of(
    curve: Curve, losses: tuple[list[float], list[float]] | None = None
) -> Callable[[str], Any]:
    unused: Any = None
    records = losses or ([], [])
    ends = tuple(Endpoint({}, seed, "", {"losses": x}) for seed, x in enumerate(records))
    evaluation = Evaluation(unused, curve, lambda: ends, unused)  # type: ignore[arg-type,return-value]

    def value(name: str) -> Any:
        metric = host().get("metric", name)
        return metric.measure(evaluation, "train" if metric.splits else None)

    return value


CURVE = Curve(
    t=[0, 0.25, 0.5, 1],
    grid=[True, False, True, True],
    loss={"train": [0.1, 0.6, 0.4, 0.3]},
    accuracy={"train": [98, 90, 95, 96]},
)


def test_saddles_are_told_by_ratio_drop_and_epoch() -> None:
    value = of(CURVE, ([2.0, 0.6, 0.5, 0.1], [0.7, 0.65, 0.61]))
    assert value("loss-ratio") == pytest.approx(0.6 / 0.2)
    assert value("accuracy-drop") == pytest.approx(97 - 90)
    assert value("saddle-epoch") == (3 + 3) / 2  # The second one never falls below.


def test_what_they_do_not_apply_to_is_said() -> None:
    with pytest.raises(StructureError, match="no training loss of each epoch"):
        of(CURVE)("saddle-epoch")
    with pytest.raises(StructureError, match="no classes"):
        of(Curve(t=[0, 1], grid=[True, True], loss={"train": [1, 1]}))("accuracy-drop")
    with pytest.raises(StructureError, match="loss of both ends is 0"):
        of(Curve(t=[0, 1], grid=[True, True], loss={"train": [0, 0]}))("loss-ratio")


def test_they_are_measured_where_they_are_named(shared_store: Store) -> None:
    plan = Plan(methods=("linear",))
    assert not {"loss-ratio", "accuracy-drop", "saddle-epoch"} & set(
        Experiment(plan, shared_store).metrics
    )
