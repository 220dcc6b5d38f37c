"""Packages: their oldest dependencies, and their wheels, run outside of the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from programs import environment

ROOT = Path(__file__).parents[1]
PACKAGES = {"mcbench", *(folder.name for folder in (ROOT / "plugins").glob("mcbench-*"))}


def python(*arguments: str, cwd: Path, **changes: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment(**changes),
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all packages as their wheels have them; the environment has the rest."""
    pytest.importorskip("hatchling")
    wheels, site = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    offline = ("--quiet", "--no-deps", "--no-index")
    python(
        "-m", "pip", "wheel", *offline, "--no-build-isolation", "--wheel-dir", str(wheels),
        "--requirement", "requirements.txt", cwd=ROOT,
    )  # fmt: skip
    files = [str(file) for file in wheels.glob("*.whl")]
    assert len(files) == len(PACKAGES)
    python("-m", "pip", "install", *offline, "--target", str(site), *files, cwd=wheels)
    return site


def mcbench(site: Path, tmp_path: Path, *arguments: str) -> str:
    return python("-m", "mcbench", *arguments, cwd=tmp_path, PYTHONPATH=site)


def project(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(file.read_text())["project"]
    return found


def test_the_oldest_dependencies_are_those_that_the_packages_name() -> None:
    files = [ROOT / "pyproject.toml", *(ROOT / "plugins").glob("*/pyproject.toml")]
    needed = {line for file in files for line in project(file)["dependencies"]}
    pins = {line.replace(">=", "==") for line in needed if not line.startswith("mcbench")}
    text = (ROOT / ".ci/oldest.txt").read_text()
    assert {line for line in text.splitlines() if not line.startswith("#")} == pins


@pytest.mark.slow
def test_what_is_no_code_is_in_the_wheel(site: Path) -> None:
    def files(top: Path, pattern: str) -> set[str]:
        return {str(p.relative_to(top)) for p in top.rglob(pattern)}

    for folder, patterns in {
        "mcbench/scaffold": ["*.in"],
        "mcbench/leaderboard/site": ["*.html", "*.css", "*.js"],
        "leaderboards": ["*.toml", "*.json"],
    }.items():
        packed = site / "mcbench" / folder.removeprefix("mcbench/")
        for pattern in patterns:
            kept = files(ROOT / folder, pattern)
            assert kept and kept <= files(packed, pattern), (folder, pattern)


@pytest.mark.slow
def test_the_wheels_run_outside_of_the_checkout(site: Path, tmp_path: Path) -> None:
    where = python("-c", "import mcbench; print(mcbench.__file__)", cwd=tmp_path, PYTHONPATH=site)
    assert Path(where.strip()).is_relative_to(site)
    plugins = json.loads(mcbench(site, tmp_path, "plugins", "--json"))["plugins"]
    assert {p["distribution"] for p in plugins} >= PACKAGES
    assert not [p for p in plugins if p["distribution"] in PACKAGES and p["errors"]]
    table = mcbench(
        site, tmp_path, "run", "--method", "ot-wa", "-a", "mlp2[width=4]",
        "-r", "quick[epochs=1]", "--endpoints", "2", "--points", "3", "--refine", "0",
    )  # fmt: skip
    assert "ot-wa" in table
    assert "digits-two-layer" in mcbench(site, tmp_path, "list", "leaderboards")
    assert {p.name for p in tmp_path.iterdir()} == {"home"}
