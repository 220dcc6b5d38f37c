"""Results for people and programs: one number under one name, tidy CSV, JSON, LaTeX."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pandas
import pytest

from conftest import PLAN
from mcbench.experiments.record import Record
from mcbench.report import tables
from mcbench.store.store import Store
from programs import run

METHODS = ("-m", "linear", "-m", "ot-wa")
WORDS = (*METHODS, "-a", PLAN.architecture, "-r", PLAN.recipe, "--endpoints", "3", "--points", "5")
PROTOCOLS = {
    "search": ((), "worst-accuracy-refined", "along the path", "worst test accuracy"),
    "grid": (
        ("--refine", "1"), "worst-accuracy", "on the grid of 5 points",
        "worst test accuracy on the grid",
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(shared_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of these tests are kept for the next one."""
    monkeypatch.setenv("MCBENCH_HOME", str(shared_store.root))


def results(*more: str) -> dict[str, Any]:
    """The JSON of a run."""
    done = run("run", *WORDS, *more, "--json")
    assert done.exit_code == 0, done.output
    whole: dict[str, Any] = json.loads(done.stdout)
    return whole


@pytest.mark.parametrize("name", PROTOCOLS)
def test_one_number_has_one_name_everywhere(name: str, tmp_path: Any) -> None:
    """Table, JSON, records, progress, CSV and figure agree with the curve itself."""
    refine, metric, where, said = PROTOCOLS[name]
    done = run("run", *WORDS, *refine, "--home", str(tmp_path))
    whole = results(*refine)
    assert whole["headline"] == f"{metric}:test"
    assert f"Worst accuracy (%) {where}: mean ± std over 3 pairs" in done.stdout
    rows = {row["method"]: row for row in whole["ranking"]}
    csv = pandas.read_csv(io.StringIO(run("run", *WORDS, *refine, "--format", "csv").stdout))
    plotted = tmp_path / "paths"
    assert run("plot", *WORDS, *refine, "-o", str(plotted)).exit_code == 0
    svg = plotted.with_suffix(".svg").read_text()
    assert f">{said}, mean over pairs<" in svg
    for method in ("linear", "ot-wa"):
        records = [Record.of(r) for r in whole["records"] if r["method"] == method]
        worst = []
        for record in records:
            curve = record.curve
            points = zip(curve.accuracy["test"], curve.grid, strict=True)
            worst.append(min(x for x, on_grid in points if on_grid or name == "search"))
            pair = f"{method} {record.pair[0]}-{record.pair[1]}"
            assert f"{pair}: {said} {worst[-1]:.2f}%" in done.stderr
        mean = sum(worst) / 3
        assert rows[method][f"{metric}:test"] == pytest.approx(mean, abs=1e-9)
        chosen = csv[(csv.method == method) & (csv.metric == metric) & (csv.split == "test")]
        assert sorted(chosen.value) == pytest.approx(sorted(worst), abs=1e-9)
        assert re.search(rf"{method} +\S+ ± \S+ +{mean:.2f} ± ", done.stdout)
        assert f"{method}: {mean:.2f}%" in svg


def test_csv_is_one_tidy_table() -> None:
    text = run("run", *WORDS, "--format", "csv").stdout
    frame = pandas.read_csv(io.StringIO(text))
    keys = ["run", "metric", "value name", "split"]
    assert not frame.duplicated(keys).any() and frame.value.notna().all()
    assert set(frame.method) == {"linear", "ot-wa"} and set(frame.recipe) == {PLAN.recipe}
    pairs = set(zip(frame["seed a"], frame["seed b"], strict=True))
    assert pairs == {(0, 1), (0, 2), (1, 2)}
    wide = frame.pivot_table("value", ["method", "seed a", "seed b"], ["metric", "split"])
    assert (wide["barrier", "test"] >= 0).all() and len(wide) == 6
    named = run("run", *WORDS, "--metric", "length", "--format", "csv").stdout
    assert set(pandas.read_csv(io.StringIO(named)).metric) == {
        "length", "worst-accuracy-refined", "barrier",
    }  # fmt: skip


def test_json_has_pairs_curves_protocol_and_versions() -> None:
    whole = results()
    assert set(whole) == {
        "schema", "mcbench", "problem", "recipes", "protocol", "headline", "untrained", "failures",
        "values", "records", "ranking", "metrics",
    }  # fmt: skip
    assert whole["protocol"] == {"points": 5, "refine": "search", "augment": False, "seed": 0}
    assert len(whole["records"]) == 6 and whole["failures"] == {} and whole["untrained"] == []
    for stored in whole["records"]:
        record = Record.of(stored)  # By the schema that the reference shows.
        assert "torch" in record.provenance.packages and record.curve.scan
    frame = pandas.DataFrame(whole["values"])
    csv = pandas.read_csv(io.StringIO(run("run", *WORDS, "--format", "csv").stdout))
    assert frame.value.tolist() == pytest.approx(csv.value.tolist())


def test_latex_is_a_table_with_rules_a_caption_and_the_best_in_bold() -> None:
    text = run("run", *WORDS, "--format", "latex").stdout
    for part in (r"\begin{table}", r"\caption{Worst accuracy (\%)", r"\label{tab:ranking}",
                 r"\toprule", r"\midrule", r"\bottomrule", r"\end{table}"):  # fmt: skip
        assert text.count(part) == 1
    rows = {row["method"]: row for row in results()["ranking"]}
    tied = all(rows[method]["rank:best"] for method in ("linear", "ot-wa"))
    for method in ("linear", "ot-wa"):
        assert (rf"\textbf{{{method}}} & " in text) == (rows[method]["rank:best"] and not tied)


def test_bold_cells_in_all_formats() -> None:
    shown = tables.Table("t", "A title", ["method", "test"])
    shown.add({"method": "a_b", "test": "1.0 ± 0.1"}, {}, best=["method", "test"])
    shown.add({"method": "c", "test": "2"}, {})
    assert r"\textbf{a\_b} & \textbf{1.0 $\pm$ 0.1} \\" in tables.render([shown], "latex")
    assert "| **a_b**  | **1.0 ± 0.1** |" in tables.render([shown], "markdown")
    assert "\x1b[1ma_b" in tables.render([shown], "table")


def test_csv_of_several_tables_is_one_table() -> None:
    one, two = (tables.Table(name, "", []) for name in ("one", "two"))
    one.add({}, {"x": 1})
    two.add({}, {"x": 2, "y": float("nan")})
    assert tables.render([one, two], "csv") == "table,x,y\none,1,\ntwo,2,\n"


def test_the_rows_are_in_the_order_of_ranks() -> None:
    rows = [row for row in results()["ranking"] if "rank" in row]
    assert [row["rank:low"] for row in rows] == sorted(row["rank:low"] for row in rows)
    assert all(row["rank:groups"] for row in rows) and rows[0]["rank:best"]
