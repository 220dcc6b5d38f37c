"""The route of a newcomer: write a plugin, install it, check it, test it, run it.

Packages are written by ``mcbench plugin new``, installed from their own pyproject into a
directory, and used by processes that find them there, as a stranger's would be.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import programs

KINDS = {
    "method": "corner",
    "metric": "low-share",
    "dataset": "four-spots",
    "architecture": "tanh-net",
    "ensemble": "drawn",
}


@dataclass(frozen=True)
class Newcomer:
    """Somebody with a directory of sources, one of installed packages, and a store."""

    sources: Path
    site: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """What is installed comes before what is on the path already."""
        places = [str(self.site), os.environ.get("PYTHONPATH", "")]
        return {
            "PYTHONPATH": os.pathsep.join(filter(None, places)),
            "MCBENCH_HOME": str(self.home),
        }

    def mcbench(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return programs.mcbench(*arguments, **self.environment)

    def pytest(self, *folders: Path) -> subprocess.CompletedProcess[str]:
        """Run the packages' own tests."""
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, folders)],
            env=programs.environment(**self.environment),
            cwd=self.sources,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def package(self, kind: str) -> Path:
        """The folder of a package."""
        return self.sources / f"mcbench-{KINDS[kind]}"


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Newcomer:
    """Has written one package of each kind, and installed them."""
    root = tmp_path_factory.mktemp("newcomer")
    someone = Newcomer(root / "src", root / "site", root / "home")
    for kind, name in KINDS.items():
        wrote = someone.mcbench("plugin", "new", name, "--kind", kind, "--into", str(root / "src"))
        assert wrote.returncode == 0, wrote.stderr
        assert f"mcbench plugin check {name}" in wrote.stdout
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--disable-pip-version-check", "--target", str(someone.site),
         *(str(someone.package(kind)) for kind in KINDS)],
        check=True,
    )  # fmt: skip
    return someone


@pytest.mark.parametrize(("kind", "name"), KINDS.items())
def test_it_is_listed(newcomer: Newcomer, kind: str, name: str) -> None:
    listed = newcomer.mcbench("list", f"{kind}s", "--json")
    rows = {row["name"]: row for row in json.loads(listed.stdout)[f"{kind}s"]}
    assert rows[name]["from"] == f"mcbench-{name} 0.1.0"
    assert len(rows[name]["parameters"]) == 1 and rows[name]["summary"]
    assert listed.stderr == ""


@pytest.mark.slow
def test_it_passes_the_checks(newcomer: Newcomer) -> None:
    checked = newcomer.mcbench("plugin", "check", "mcbench-corner")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    lines = checked.stdout.splitlines()
    assert lines[0] == "plugin corner (mcbench-corner 0.1.0)"
    assert "  ok                path(0) is A" in lines
    assert " ok" in lines[-1] and "failed" not in checked.stdout


@pytest.mark.slow
def test_its_own_tests_are_green(newcomer: Newcomer) -> None:
    tested = newcomer.pytest(*(newcomer.package(kind) for kind in KINDS))
    assert tested.returncode == 0, tested.stdout
    assert "passed" in tested.stdout and "failed" not in tested.stdout


@pytest.mark.slow
def test_it_runs_beside_the_built_ins(newcomer: Newcomer) -> None:
    small = ("-r", "quick[epochs=2]", "--points", "3", "--refine", "0", "--json")
    methods = ("-m", "corner", "-m", "corner[aside=0]", "-m", "linear")
    ran = newcomer.mcbench(
        "run", *methods, "-d", "four-spots", "-a", "tanh-net[width=6]", "--endpoints", "2", *small
    )
    assert ran.returncode == 0, ran.stderr
    ranking = {row["method"]: row for row in json.loads(ran.stdout)["ranking"]}
    assert {"corner", "corner[aside=0]", "linear"} < set(ranking)
    column = "worst-accuracy:test"
    assert ranking["corner[aside=0]"][column] == ranking["linear"][column]


@pytest.mark.slow
def test_it_gets_on_a_leaderboard(newcomer: Newcomer, tmp_path: Path) -> None:
    """Run under a board's protocol, submit, verify, refuse what was altered, publish."""
    board, entry, site = "digits-two-layer", tmp_path / "corner.json", tmp_path / "site"
    ran = newcomer.mcbench("run", "-l", board, "-m", "corner", "-m", "linear", "--endpoints", "2")
    assert ran.returncode == 0, ran.stderr
    assert f"mcbench leaderboard show {board} -m 'corner'" in ran.stderr
    packed = newcomer.mcbench(
        "leaderboard", "submit", board, "-m", "corner", "-o", str(entry), "--name", "A newcomer"
    )
    assert packed.returncode == 0, packed.stderr
    verified = newcomer.mcbench("leaderboard", "verify", str(entry), "--points", "3", "--json")
    assert verified.returncode == 0, verified.stderr
    (row,) = json.loads(verified.stdout)["verification"]
    assert row["state"] == "confirmed" and row["exact"]

    content = json.loads(entry.read_text())
    content["content"]["records"][0]["record"]["curve"]["accuracy"]["test"][3] += 1
    altered = tmp_path / "altered.json"
    altered.write_text(json.dumps(content))
    refused = newcomer.mcbench("leaderboard", "check", str(altered))
    assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1

    publish = ("leaderboard", "publish", board, "--with-store", "-m", "corner")
    published = newcomer.mcbench(*publish, "--out", str(site))
    assert published.returncode == 0, published.stderr
    page = (site / "boards" / f"{board}.html").read_text()
    assert "corner" in page and "Linear" in page
    assert (site / "methods" / "corner.html").exists()
