"""Intervals and ranks in simulations with a known truth, and the page that shows them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "ranks.md"


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    """The script that draws the page's figure."""
    spec = importlib.util.spec_from_file_location("ranks", ROOT / "docs" / "figures" / "ranks.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("n", [3, 4, 10])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.0])
def test_intervals_hold_the_mean(simulation: ModuleType, n: int, share: float) -> None:
    assert simulation.coverage(n, share, 300) >= 0.92


def test_intervals_hold_less_often_where_effects_are_skewed_and_the_page_says_so(
    simulation: ModuleType,
) -> None:
    assert 0.82 < simulation.coverage(4, 1.0, 300, skewed=True) < 0.95
    assert "very skewed" in PAGE.read_text()


def test_pairs_taken_as_independent_would_give_intervals_that_do_not_hold(
    simulation: ModuleType,
) -> None:
    assert simulation.coverage(10, 1.0, 300, independent=True) < 0.75


@pytest.mark.parametrize("n", [3, 4, 10])
@pytest.mark.parametrize("spread", ["equal", "one", "from"])
def test_wrong_claims_are_rare(simulation: ModuleType, n: int, spread: str) -> None:
    """Eight methods, variances equal or from 1 to 10,000: all methods equal, or half better."""
    (name,) = (name for name in simulation.SPREADS if name.startswith(spread))
    for gap in (0.0, 3.0):
        wrong, _ = simulation.claims(n, 8, simulation.SPREADS[name](8), 0.5, gap, 60)
        assert wrong <= 0.08


def test_more_endpoints_find_more(simulation: ModuleType) -> None:
    found = [simulation.claims(n, 8, np.ones(8), 0.5, 3.0, 30)[1] for n in (3, 4, 10)]
    assert found == sorted(found) and found[-1] > 0.95


def test_the_page_has_the_tables_that_the_script_prints(simulation: ModuleType) -> None:
    """The same rows; the numbers are those of more repeats."""
    page = PAGE.read_text()

    def labels(text: str) -> list[str]:
        return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]

    printed = labels(simulation.markdown(simulation.simulate(1)))
    ours = labels(page)
    assert [x for x in ours if x in printed and x != "---"] == [x for x in printed if x != "---"]


def test_the_pages_example_is_the_published_table() -> None:
    board = (ROOT / "leaderboards" / "digits-two-layer" / "README.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)` \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == 4
    for method, cells in rows:
        test, rank, interval = (cell.strip() for cell in cells.split("|"))
        (line,) = (x for x in board.splitlines() if re.search(rf"\| {method} +\|", x))
        published = [cell.strip() for cell in line.split("|")]
        assert {test, rank, interval} <= set(published), (method, published)
