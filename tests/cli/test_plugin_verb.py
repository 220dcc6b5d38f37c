"""``mcbench plugin``: what it writes, what it refuses, what it reports, and its exit codes."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result

import mcbench
from faulty_components import Straight
from faulty_paths import Short
from mcbench import scaffold
from mcbench.cli import main
from mcbench.plugins.host import Host, Plugin, host

KINDS = ("method", "metric", "dataset", "architecture", "ensemble")


HEAVY = "the tests' own module imports torch"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plugin", *arguments], prog_name="mcbench")


# new ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_is_complete(kind: str, tmp_path: Path) -> None:
    came = run("new", "two-words", "--kind", kind, "--into", str(tmp_path))
    assert came.exit_code == 0, came.output
    folder = tmp_path / "mcbench-two-words"
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert names == {
        "pyproject.toml", "README.md", ".gitignore", ".github/workflows/tests.yml",
        "src/mcbench_two_words/__init__.py", "tests/test_two_words.py",
    }  # fmt: skip
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["mcbench"] == {"two-words": "mcbench_two_words"}
    for name in names:
        text = (folder / name).read_text()
        assert not re.search(r"\$(name|kind|module|cls|version)\b|\$\{(?!\{)", text), name
        if name.endswith(".py"):
            compile(text, name, "exec")
    assert "pip install -e" in came.output and "mcbench plugin check two-words" in came.output


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    assert run("new", "mine", "--into", str(tmp_path)).exit_code == 0
    module = tmp_path / "mcbench-mine/src/mcbench_mine/__init__.py"
    module.write_text("work of a week")
    refused = run("new", "mine", "--into", str(tmp_path))
    assert refused.exit_code == 2 and "exists: choose another name" in refused.stderr
    assert module.read_text() == "work of a week"
    assert run("new", "mine", "--into", str(tmp_path), "--force").exit_code == 0
    assert "class Mine:" in module.read_text()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Big", "cannot be a plugin's name"),
        ("2nd", "cannot be a plugin's name"),
        ("a b", "cannot be a plugin's name"),
        ("a--b", "cannot be a plugin's name"),
        ("../x", "cannot be a plugin's name"),
        ("mcbench-x", "leave out 'mcbench-'"),
        ("linear", "taken by the plugin of mcbench-linear"),
        ("ot-wa", "mcbench-wa already provides the method 'ot-wa'"),
    ],
)
def test_bad_names_are_refused_in_one_line(name: str, said: str, tmp_path: Path) -> None:
    came = run("new", name, "--into", str(tmp_path))
    assert came.exit_code == 2 and said in came.stderr
    assert came.stderr.count("\n") == 1 and came.stderr.startswith("mcbench: ")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "mcbench-mine").write_text("")
    came = run("new", "mine", "--into", str(tmp_path))
    assert came.exit_code == 2 and "cannot write" in came.stderr and "\n" not in came.stderr[:-1]


def test_templates_are_part_of_the_wheel() -> None:
    from hatchling.builders.wheel import WheelBuilder

    root = Path(scaffold.__file__).parents[2]
    packed = {f.relative_path for f in WheelBuilder(str(root)).recurse_included_files()}
    templates = {str(p.relative_to(root)) for p in scaffold.HERE.rglob("*.in")}
    assert len(templates) == 5 + 3 * len(KINDS) and templates <= packed


# check -------------------------------------------------------------------------------------


def provide(*methods: Any) -> None:
    module = SimpleNamespace(mcbench_methods=mcbench.hookimpl(lambda: list(methods)))
    host().register(Plugin("theirs", "mcbench-theirs", "1.0"), lambda: module)


@pytest.fixture
def theirs(fresh_host: Host) -> Iterator[Host]:
    yield fresh_host


def test_a_fault_is_reported_with_what_to_fix(theirs: Host) -> None:
    provide(Short())
    came = run("check", "theirs", "--expect", f"light import={HEAVY}")
    assert came.exit_code == 1
    lines = came.stdout.splitlines()
    assert lines[:2] == ["plugin theirs (mcbench-theirs 1.0)", "  ok                loading"]
    at = lines.index("  failed            path(1) is the declared end")
    assert lines[at + 1].startswith("      property: `path(1)` is B bit for bit")
    assert "path(1) differs from B by" in lines[at + 2]
    assert lines[at + 3].startswith("      to fix:   end the last leg with b.params itself")
    assert "  ok                path(0) is A" in lines
    assert re.fullmatch(
        r"\d+ checks: \d+ ok, 1 failed, \d+ skipped, 1 expected failure", lines[-1]
    )


class Known(Short):
    """Ends short of B, and says so."""

    expected_failures: ClassVar[dict[str, str]] = {
        "path(1) is the declared end": "it is a test",
        "light import": HEAVY,
    }


def test_expected_failures_are_no_failures(theirs: Host) -> None:
    provide(Known())
    came = run("check", "theirs", "--json")
    assert came.exit_code == 0, came.stdout
    checks = {c["check"]: c for c in json.loads(came.stdout)["components"][1]["checks"]}
    known = checks["path(1) is the declared end"]
    assert (known["state"], known["reason"]) == ("expected failure", "it is a test")
    assert known["found"] and checks["path(0) is A"]["state"] == "ok"


def test_an_expected_failure_that_does_not_come_is_one(theirs: Host) -> None:
    provide(Straight())
    wrong = run("check", "theirs", "--expect", "path(0) is A=just so")
    assert wrong.exit_code == 1 and "expected to fail (just so) and holds" in wrong.stdout


def test_what_a_plugin_could_not_load_is_a_failure(theirs: Host) -> None:
    def load() -> Any:
        raise ImportError("no module named 'theirs'")

    host().register(Plugin("broken", "mcbench-broken", "1.0"), load)
    came = run("check", "mcbench-broken")
    assert came.exit_code == 1
    assert "it cannot be imported: ImportError: no module named 'theirs'" in came.stdout


def test_all_that_a_distribution_provides_is_checked() -> None:
    came = run("check", "mcbench-ot", "--kind", "matching", "--json")
    assert came.exit_code == 0, came.stdout
    report = json.loads(came.stdout)
    assert [(c["kind"], c["name"]) for c in report["components"]] == [
        ("plugin", "ot"), ("matching", "ot"),
    ]  # fmt: skip
    states = [check["state"] for c in report["components"] for check in c["checks"]]
    assert report["counts"]["ok"] == states.count("ok") > 4 and report["counts"]["failed"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "lineer"], "unknown name 'lineer': did you mean 'linear'?"),
        (["check", "ot[cots=1]"], "has no parameter 'cots'"),
        (["check", "ot[cost"], "cannot read 'ot[cost'"),
        (["check", "linear", "--kind", "metric"], "unknown metric 'linear'"),
        (["check", "linear", "--expect", "float64"], "write CHECK=REASON"),
        (["check", "digits", "--expect", "float65=x"], "unknown check 'float65'"),
        (["check"], "Missing argument 'NAME'"),
        (["new"], "Missing argument 'NAME'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], said: str) -> None:
    came = run(*arguments)
    assert came.exit_code == 2, came.output
    assert said in came.stderr and came.stderr.count("\n") == 1
