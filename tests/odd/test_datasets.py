"""Odd data sets: the number of plain PyTorch, or one line that names what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from odd import datasets, images, refused

from mcbench.plugins.host import Plugin, host

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "odd-data.md"

CLOSE = 1e-4
"""Differences of losses by rounding: networks that train together sum in another order."""

NUMBERS = re.compile(r"\d+\.\d+|below \S+")
"""What differs between machines by rounding."""


@pytest.fixture(autouse=True)
def plugin() -> Iterator[None]:
    """The data sets of tensors."""
    host.cache_clear()
    host().register(Plugin("odd", "odd", "1.0"), datasets.Plugin)
    yield
    host.cache_clear()


@pytest.mark.parametrize("name", images.CASES)
def test_the_number_is_that_of_plain_pytorch(name: str, tmp_path: Path) -> None:
    row = datasets.measured(name, tmp_path / "data")
    assert row.difference <= CLOSE and row.suite == pytest.approx(row.plain), row
    assert row.plain is not None and row.plain > 50  # The classes can be told apart.


def test_a_regression_is_possible_with_a_network_that_gives_its_loss(tmp_path: Path) -> None:
    row = datasets.measured_regression(tmp_path / "data")
    assert row.difference <= CLOSE and row.suite == pytest.approx(row.plain), row
    assert row.plain is not None and row.plain > 10


def _matches(row: datasets.Row, pattern: str) -> None:
    assert re.search(pattern, row.note) and "\n" not in row.note, row.note


@pytest.mark.parametrize("title", refused.REFUSED)
def test_a_folder_without_a_right_number_is_refused(title: str, tmp_path: Path) -> None:
    make, pattern = refused.REFUSED[title]
    make(tmp_path / "data" / "odd")
    row = datasets.refused(title, "imagefolder[folder=odd]", tmp_path / "data")
    _matches(row, pattern)


@pytest.mark.parametrize("title", refused.PATTERNS)
def test_data_without_a_right_number_are_refused(title: str, tmp_path: Path) -> None:
    name, pattern = refused.PATTERNS[title]
    _matches(datasets.refused(title, name, tmp_path / "data"), pattern)


@pytest.mark.slow
def test_the_page_is_up_to_date(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text, mark = PAGE.read_text(), "<!-- data sets -->\n"
    made = text.partition(mark)[0] + f"{mark}\n{datasets.table(list(datasets.rows(tmp_path)))}\n"
    if request.config.getoption("--update"):
        PAGE.write_text(made)
        return
    assert NUMBERS.sub("#", made) == NUMBERS.sub("#", text), "run pytest tests/odd --update"
