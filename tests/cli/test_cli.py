"""The command line: what it prints, what it says of bad input, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcbench.cli.progress import Bars
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.run import Run
from programs import run

SMALL = (
    "-a", "mlp2[width=8]", "-r", "quick[epochs=3]", "--endpoints", "3", "--points", "5",
    "--refine", "1",
)  # fmt: skip


@pytest.fixture
def home(shared_store: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of these tests are kept for the next one."""
    monkeypatch.setenv("MCBENCH_HOME", str(shared_store.root))
    root: Path = shared_store.root
    return root


BAD = [
    (["run"], "name a method with --method"),
    (["run", "-m", "ot-aw"], "unknown method 'ot-aw': did you mean 'ot-wa'?"),
    (["run", "-m", "ot[cost=dear]"], "'neuron' or 'incoming'"),
    (["run", "-m", "linear[x=1]"], "it takes no parameters"),
    (["run", "-m", "ot[cost"], "cannot read 'ot[cost'"),
    (["run", "-m", "linear", "-a", "mlp2[width=0]"], "greater than 0"),
    (["run", "-m", "linear", "-a", "mlp2[width=1.5]"], "integer"),
    (["run", "-m", "linear", "-a", "mlp[widths=(4,0)]"], "widths must be positive"),
    (["run", "-m", "linear", "-d", "minst"], "did you mean 'mnist'?"),
    (["run", "-m", "linear", "-r", "quick[epochs=-1]"], "greater than 0"),
    (["run", "-m", "linear", "-r", "quick[optimizer=lion]"], "'sgd' or 'adam'"),
    (["run", "-m", "linear", "-r", "quick[normalize=imagenet]"], "the data have 1"),
    (["run", "-m", "linear", "--points", "1"], "--points"),
    (["run", "-m", "linear", "--refine", "-1"], "--refine"),
    (["run", "-m", "linear", "--endpoints", "1"], "a pair needs two endpoints"),
    (["run", "-m", "linear", "--seed", "3"], "a pair needs two endpoints"),
    (["run", "-m", "linear", "--seed", "3", "--seed", "3"], "seed 3 is given more than once"),
    (["run", "-m", "linear", "--seed", "3", "--endpoints", "3"], "not both"),
    (["run", "-m", "linear", "--seed", "-1"], "--seed"),
    (["run", "-m", "linear", "--device", "tpu"], "device 'tpu' cannot be used"),
    (["run", "-m", "linear", "--metric", "speed"], "unknown metric 'speed'"),
    (["run", "-m", "linear", "--executor", "ray"], "unknown executor 'ray': known are local"),
    (["run", "-m", "linear", *SMALL, "--augmented-train"], "no augmentation"),
    (["run", "-m", "linear", "-d", "imagefolder", "--data-dir", "/nowhere"], "is not in /nowhere"),
    (["run", "-l", "icml2020"], "did you mean 'icml2020-mnist'?"),
    (["run", "-l", "icml2020-mnist", "-m", "ot-aw"], "did you mean 'ot-wa'?"),
    (["run", "-l", "icml2020-mnist", "--points", "61"], "--points cannot be given with"),
    (["run", "-l", "icml2020-mnist", "-d", "digits"], "--dataset cannot be given with"),
    (["run", "-l", "icml2020-mnist", "--metric", "length"], "--metric cannot be given with"),
    (["run", "--colour"], "No such option"),
    (["rum"], "did you mean 'run'?"),
    (["show", "ot-aw"], "did you mean 'ot-wa'?"),
    (["list", "things"], "'things' is not one of"),
    (["plot"], "name a method"),
    (["plot", "-m", "linear", "--endpoints", "1"], "a pair needs two endpoints"),
    (["plot", "-m", "linear", *SMALL, "-o", "."], "'.' names no file"),
    (["run", "-m", "polychain[bends=3..1]"], "the range 3..1"),
    (["run", "-m", "polychain[bends=1..100000000]"], "more than 1000 numbers"),
    (["run", "-m", "linear", "--device", "meta"], "device 'meta' cannot be used"),
    (["show", "ot[end=permuted]"], "without parameters: mcbench show ot"),
    (
        ["ensemble", "-r", "quick", "--with-recipe", "quick[epochs=60]"],
        "recipe 'quick[epochs=60]' is given more than once",
    ),
    (["ensemble", "-e", "was"], "unknown ensemble 'was': did you mean 'wa'?"),
    (["ensemble", "-e", "wa[head=0]"], "greater than 0"),
    (["ensemble", "--with-recipe", "quik"], "did you mean 'quick'?"),
    (["store", "gc", "--older-than", "-1"], "--older-than"),
    (["leaderboard", "submit", "icml2020-mnist"], "no run of 'icml2020-mnist'"),
    (["leaderboard", "submit", "icml2020"], "did you mean 'icml2020-mnist'?"),
    (["leaderboard", "verify", "x.json", "--points", "some"], "--points is a number of points"),
    (["leaderboard", "verify", "x.json"], "cannot read 'x.json'"),
    (["leaderboard", "check"], "Missing argument"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[" ".join(a) for a, _ in BAD])
def test_bad_input_gets_one_line_and_exit_code_2(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    lines = result.stderr.strip().splitlines()
    assert result.exit_code == 2, result.output
    assert len(lines) == 1 and lines[0].startswith("mcbench: ")
    assert said in lines[0]
    assert result.stdout == ""


def test_a_run_shows_its_table_and_what_to_do_next(home: Path) -> None:
    result = run("run", "-m", "linear", "-m", "ot-wa", *SMALL)
    assert result.exit_code == 0, result.output
    assert "over 3 pairs" in result.stdout
    assert "Worst accuracy (%) on the grid of 5 points" in result.stdout
    for word in ("linear", "ot-wa", "End Points", "95% interval", "barrier", "s/pair"):
        assert word in result.stdout
    assert "wa-ensemble" not in result.stdout and "\x1b" not in result.stdout
    every = run("run", "-m", "linear", "-m", "ot-wa", *SMALL, "--metric", "all").stdout
    for word in ("wa-ensemble", "barrier-linear", "length-ratio"):
        assert word in every
    assert f"Results are stored in {home}" in result.stderr
    problem = "-a 'mlp2[width=8]' -r 'quick[epochs=3]' --endpoints 3 --points 5 --refine 1"
    assert f"Next: mcbench plot -m linear -m ot-wa {problem} " in result.stderr
    assert "training seed" in result.stderr or "worst test accuracy" in result.stderr


def test_json_is_all_that_stands_on_standard_output(home: Path) -> None:
    result = run("run", "-m", "linear", "-m", "ot-wa", *SMALL, "--json")
    tables = json.loads(result.stdout)
    rows = {row["method"]: row for row in tables["ranking"]}
    assert set(rows) == {"linear", "ot-wa", "End Points"}
    assert rows["ot-wa"]["end"] == "B" and rows["ot-wa"]["count"] == 3
    metrics = {row["metric"]: row["methods"] for row in tables["metrics"]}
    test = metrics["worst-accuracy:test"]["ot-wa"]
    assert (test["count"], test["mean"]) == (3, rows["ot-wa"]["worst-accuracy:test"])
    assert {
        "worst-accuracy:test",
        "mean-loss:train",
        "wa-storage:bytes",
        "length",
    } <= metrics.keys()


@pytest.mark.parametrize("style", ["markdown", "latex", "csv"])
def test_other_formats(home: Path, style: str) -> None:
    result = run("run", "-m", "linear", *SMALL, "--format", style)
    assert result.exit_code == 0
    mark = {"markdown": "| linear", "latex": r"\toprule", "csv": "dataset,architecture,recipe,"}[
        style
    ]
    assert mark in result.stdout or (style == "latex" and r"\begin{tabular}" in result.stdout)


def test_a_chosen_metric_alone(home: Path) -> None:
    result = run("run", "-m", "linear", *SMALL, "--metric", "barrier", "--json")
    tables = json.loads(result.stdout)
    names = [row["metric"] for row in tables["metrics"]]
    assert names == ["barrier:train", "barrier:test"]


def test_methods_are_ranked_whatever_metric_is_named(tmp_path: Path) -> None:
    words = ("-m", "linear", "-m", "polychain[epochs=2]", *SMALL, "--home", str(tmp_path))
    named = json.loads(run("run", *words, "--metric", "barrier", "--json").stdout)["ranking"]
    assert all(row["worst-accuracy:test"] > 0 for row in named)
    every = json.loads(run("run", *words, "--json").stdout)["ranking"]
    assert named == every
    assert "rank" in every[0]


def test_what_failed_is_not_to_be_plotted(tmp_path: Path) -> None:
    words = ("-d", "landscape", "-a", "ring", "--endpoints", "2", "--home", str(tmp_path))
    failed = run("run", "-m", "ot", *words)
    assert failed.exit_code == 1 and "mcbench plot" not in failed.stderr
    (line,) = (line for line in failed.stderr.splitlines() if "compare" in line)
    assert line.startswith("Next: mcbench run -m ot -m linear -m polychain")


def test_bars_say_what_moves_them() -> None:
    bars = Bars()
    one = Run({}, (0, 1), "neb", {}, Protocol(5))
    bars.mcbench_run_started(one)
    for title in ("neb 0-1", "hessian-top of neb 0-1"):
        for step in (1, 2):
            bars.mcbench_method_progressed(title, step, 4, 0.5)
    shown = {task.description: task.completed for task in bars.progress.tasks}
    assert shown == {"neb 0-1": 0, "neb 0-1: training": 2, "hessian-top of neb 0-1": 2}
    bars.mcbench_run_failed(one, ValueError("no"))
    assert [task.description for task in bars.progress.tasks] == ["hessian-top of neb 0-1"]


def test_a_training_that_diverges_is_a_failed_run(home: Path) -> None:
    result = run("run", "-m", "linear", "-a", "mlp2[width=8]", "-r", "quick[epochs=2,lr=1e9]")
    assert result.exit_code == 1
    assert "seed 0 failed: training of seed 0 diverged" in result.stderr
    assert "Traceback" not in result.output


def test_one_method_that_does_not_apply_does_not_stop_the_others(
    home: Path, residual: None
) -> None:
    arguments = ["-a", "residual", "-r", "quick[epochs=2]", "--endpoints", "2"]
    result = run("run", "-m", "ot-wa", "-m", "linear", *arguments, "--points", "3", "--json")
    assert result.exit_code == 1
    assert "ot-wa on pair 0-1 failed: add breaks the chain" in result.stderr
    rows = {row["method"]: row for row in json.loads(result.stdout)["ranking"]}
    column = "worst-accuracy-refined:test"
    assert column in rows["linear"] and column not in rows["ot-wa"]


def test_a_metric_that_fails_is_said_and_the_run_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> float:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("mcbench_wa.ensemble.WAEnsemble.measure", fail)
    arguments = ["-m", "linear", *SMALL[:4], "--points", "4", "--endpoints", "2"]
    result = run("run", *arguments, "--json")
    assert result.exit_code == 1
    said = "metric 'wa-ensemble' on linear 0-1 failed: ZeroDivisionError: by zero"
    assert said in result.stderr
    names = {row["metric"] for row in json.loads(result.stdout)["metrics"]}
    assert "barrier:test" in names and "wa-ensemble:test" not in names
    monkeypatch.undo()
    monkeypatch.setenv("MCBENCH_HOME", str(home))
    again = json.loads(run("run", *arguments, "--json").stdout)
    assert "wa-ensemble:test" in {row["metric"] for row in again["metrics"]}


def test_train_then_run_then_verify(home: Path) -> None:
    trained = run("train", *SMALL[:6], "--json")
    assert trained.exit_code == 0
    rows = json.loads(trained.stdout)["endpoints"]
    assert [row["seed"] for row in rows] == [0, 1, 2]
    assert all(row["test"] > 30 and len(row["key"]) == 32 for row in rows)
    listed = run("store", "list", "--json")
    kinds = {row["key"]: row["kind"] for row in json.loads(listed.stdout)["store"]}
    assert all(kinds[row["key"]] == "endpoints" for row in rows)
    assert run("store", "verify").exit_code == 0


def test_the_list_of_the_store_tells_networks_and_protocols_apart(tmp_path: Path) -> None:
    store = ("--home", str(tmp_path))
    for width, points in (("4", "2"), ("5", "2"), ("5", "3")):
        words = ("-a", f"mlp2[width={width}]", "-r", "quick[epochs=1]", "--endpoints", "2")
        done = run("run", "-m", "linear", *words, "--points", points, "--refine", "0", *store)
        assert done.exit_code == 0, done.output
    rows = json.loads(run("store", "list", *store, "--json").stdout)["store"]
    what = [row["what"] for row in rows if row["kind"] in ("endpoints", "runs")]
    assert len(set(what)) == len(what) == 4 + 3
    network = "digits/mlp2[width=5]/quick[epochs=1]"
    assert f"{network} seed 1" in what
    assert f"{network} linear pair 0-1, 3 points, refine 0" in what


def test_verify_names_damage_and_gc_deletes_garbage(home: Path, tmp_path: Path) -> None:
    assert run("train", *SMALL[:4], "--seed", "0", "--home", str(tmp_path)).exit_code == 0
    (endpoint,) = (tmp_path / "endpoints").iterdir()
    endpoint.write_bytes(endpoint.read_bytes()[:-3])
    result = run("store", "verify", "--home", str(tmp_path))
    assert result.exit_code == 1
    assert endpoint.name in result.stderr and "1 damaged" in result.stdout
    assert "damaged" in run("store", "list", "--home", str(tmp_path)).stdout
    (tmp_path / "endpoints" / ".left.tmp").write_text("x")
    kept = run("store", "gc", "--home", str(tmp_path), "--older-than", "0", "--dry-run")
    assert "would delete" in kept.stdout and (tmp_path / "endpoints" / ".left.tmp").exists()
    run("store", "gc", "--home", str(tmp_path), "--older-than", "0")
    assert not (tmp_path / "endpoints" / ".left.tmp").exists() and endpoint.exists()


def test_a_plot_is_a_png_and_an_svg(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures" / "paths"
    result = run("plot", "-m", "linear", "-m", "ot-wa", *SMALL, "-o", str(out))
    assert result.exit_code == 0, result.output
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    svg = out.with_suffix(".svg").read_text()
    assert "<svg" in svg
    assert result.stdout.split() == [str(out.with_suffix(s)) for s in (".png", ".svg")]


def test_a_plot_of_the_ensemble_with_a(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "along"
    methods = ("-m", "linear", "-m", "random-direction")
    result = run("plot", "--ensemble", *methods, *SMALL, "-o", str(out))
    assert result.exit_code == 0, result.output
    assert "A and the point averaged" in out.with_suffix(".svg").read_text()


def test_the_overview_of_a_board_has_traits_and_costs() -> None:
    result = run("leaderboard", "overview", "icml2020-mnist", "--json")
    rows = {row["method"]: row for row in json.loads(result.stdout)["overview"]}
    linear, adjusted = rows["linear"], rows["ot-wa"]
    assert (linear["explicit"], linear["learnable"], linear["route"]) == (True, False, "one line")
    assert (adjusted["explicit"], adjusted["learnable"]) == (False, False)
    assert rows["garipov-3[epochs=100]"]["learnable"] is True
    assert linear["accuracy_lost"] > 1 > adjusted["accuracy_lost"] > 0
    shown = run("leaderboard", "overview", "icml2020-mnist", "--format", "markdown").stdout
    assert "explicit formula" in shown and "ot matching" in shown


def test_a_plot_that_cannot_be_written_is_one_line(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("plot", "-m", "linear", *SMALL, "-o", str(tmp_path / "file" / "x.png"))
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("mcbench: cannot write")


def test_every_kind_is_listed_and_every_component_shown() -> None:
    from mcbench.cli.list_ import LISTED

    for kind in LISTED:
        result = run("list", kind, "--json")
        rows = json.loads(result.stdout)[kind]
        assert rows and all(row["summary"] for row in rows), kind
        for row in rows:
            shown = run("show", row["name"])
            assert shown.exit_code == 0 and row["name"] in shown.stdout
            assert json.loads(run("show", row["name"], "--json").stdout)


def test_show_names_parameters_and_those_of_parts() -> None:
    shown = run("show", "ot-wa").stdout
    assert "matching=ot" in shown and "one of: identity, ot" in shown
    assert "end=b  (b | permuted | short)" in shown
    assert "max_t L(t) - ½ (L(0) + L(1))" in run("show", "barrier").stdout


def test_a_leaderboard_says_what_has_not_run() -> None:
    result = run("leaderboard", "show", "icml2020-mnist", "--format", "markdown")
    assert result.exit_code == 0
    assert "96.54 ± 0.40" in result.stdout and "98.01 ± 0.03" in result.stdout


def test_every_verb_has_help_that_teaches() -> None:
    from mcbench.cli import VERBS

    assert all(name in run("--help").stdout for name in VERBS)
    for name in VERBS:
        text = run(name, "--help").stdout
        assert len(text.splitlines()) > 4 and "Usage: mcbench" in text


def test_a_plugins_command_is_offered_and_cannot_take_a_built_ins_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import click

    import mcbench
    from mcbench.plugins.host import Host, Plugin

    @click.command()
    def hello() -> None:
        """Say hello."""
        click.echo("hello")

    class Theirs:
        @mcbench.hookimpl
        def mcbench_commands(self) -> list[click.Command]:
            return [hello, click.Command("run", callback=lambda: click.echo("taken"))]

    host = Host()
    host.register(Plugin("theirs", "third", "1"), Theirs)
    monkeypatch.setattr("mcbench.plugins.host.host", lambda: host)
    assert run("hello").stdout == "hello\n"
    assert "Say hello." in run("--help").stdout
    assert "name a method" in run("run").stderr


def test_show_says_what_a_user_can_set() -> None:
    assert "The method's name" not in run("show", "ot").stdout
    assert "Problem: mnist, mlp2[width=2000]" in run("show", "icml2020-mnist").stdout
