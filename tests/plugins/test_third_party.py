"""A stranger's packages, installed from their own pyproject and found through entry points."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from programs import mcbench

PACKAGES = Path(__file__).parents[1] / "packages"

SMALL = (
    "-a", "mlp2[width=6]", "-r", "quick[epochs=2]", "--endpoints", "2", "--points", "3",
    "--refine", "0",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with both packages installed."""
    target = tmp_path_factory.mktemp("site")
    sources = [str(PACKAGES / name) for name in ("mcbench-sample", "mcbench-broken")]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--disable-pip-version-check", "--target", str(target), *sources],
        check=True,
    )  # fmt: skip
    return target


def test_the_method_is_listed_and_the_broken_plugin_reported(site: Path) -> None:
    listed = mcbench("list", "methods", "--json", PYTHONPATH=site)
    methods = {row["name"]: row for row in json.loads(listed.stdout)["methods"]}
    assert methods["detour"]["from"] == "mcbench-sample 0.3.0"
    assert methods["detour"]["summary"] == "Straight to the mean of both networks, and on to B."
    assert {"linear", "ot-wa"} <= set(methods)
    assert "plugins with errors: broken" in listed.stderr
    assert listed.returncode == 0


def test_the_broken_plugin_is_named_with_its_error_and_its_distribution(site: Path) -> None:
    shown = mcbench("plugins", "--json", PYTHONPATH=site)
    plugins = {p["name"]: p for p in json.loads(shown.stdout)["plugins"]}
    assert plugins["broken"]["distribution"] == "mcbench-broken"
    assert "a_package_that_does_not_exist" in plugins["broken"]["errors"][0]
    assert plugins["sample"] == {
        "name": "sample",
        "distribution": "mcbench-sample",
        "version": "0.3.0",
        "provides": {"methods": ["detour"]},
        "errors": [],
    }
    assert "a_package_that_does_not_exist" in mcbench("plugins", PYTHONPATH=site).stdout


def test_the_method_runs_beside_the_others(site: Path, tmp_path: Path) -> None:
    ran = mcbench(
        "run", "-m", "detour", "-m", "linear", *SMALL, "--json", PYTHONPATH=site,
        MCBENCH_HOME=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    ranking = {row["method"]: row for row in json.loads(ran.stdout)["ranking"]}
    # The mean lies on the segment: both paths are the same points.
    column = "worst-accuracy:test"
    assert ranking["detour"][column] == ranking["linear"][column]


def test_a_choice_of_plugins_can_be_loaded(site: Path) -> None:
    some = mcbench("list", "--json", PYTHONPATH=site, MCBENCH_LOAD_PLUGINS="mcbench-sample,linear")
    chosen = {m["name"] for m in json.loads(some.stdout)["methods"]}
    assert chosen == {"detour", "linear", "origin", "random-direction"}
    none = mcbench("list", "--json", PYTHONPATH=site, MCBENCH_LOAD_PLUGINS="")
    assert json.loads(none.stdout)["methods"] == []
    assert none.stderr == ""


def test_doctor_says_what_is_wrong(site: Path, tmp_path: Path) -> None:
    checked = mcbench("doctor", PYTHONPATH=site, MCBENCH_HOME=tmp_path)
    assert checked.returncode == 1
    wrong = [line for line in checked.stdout.splitlines() if line.startswith("WRONG")]
    assert len(wrong) == 1 and "mcbench-broken" in wrong[0]
    fine = mcbench("doctor", MCBENCH_HOME=tmp_path)
    assert fine.returncode == 0 and "WRONG" not in fine.stdout
