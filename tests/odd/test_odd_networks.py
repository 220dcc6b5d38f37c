"""Odd networks: the numbers of plain PyTorch, or one line that names what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from odd.table import NETWORKS, Plugin, Row, insert, row, tables

import programs
from mcbench.plugins.host import Plugin as Provided
from mcbench.plugins.host import host
from mcbench.store.store import Store

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "odd.md"

CLOSE = 1e-4
"""Differences of losses by rounding: networks that train together sum in another order."""

NUMBERS = re.compile(r"\d+\.\d+(?:e[+-]?\d+)?|below \S+|(?<=\| )0(?= \|)")
"""What differs between machines by rounding."""


@pytest.fixture(autouse=True)
def plugin() -> Iterator[None]:
    """The odd networks as architectures."""
    host.cache_clear()
    host().register(Provided("odd", "odd", "1.0"), Plugin)
    yield
    host.cache_clear()


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Gives the row of a network, computed once."""
    store = Store(tmp_path_factory.mktemp("odd"))
    return cache(lambda name: row(NETWORKS[name], store))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_numbers_are_those_of_plain_pytorch(name: str, rows: object) -> None:
    found: Row = rows(name)
    if NETWORKS[name].refused:
        assert NETWORKS[name].refused in found.note and "\n" not in found.note, found
    else:
        assert found.suite is not None and found.difference <= CLOSE, found


def test_the_program_refuses_in_one_line_with_exit_code_2() -> None:
    command = ("run", "-a", "odd-outputs-in-a-tuple", "-m", "linear", "--endpoints", "2")
    result = programs.run(*command)
    assert result.exit_code == 2
    (line,) = result.output.splitlines()
    assert "'odd-outputs-in-a-tuple': its output is a tuple" in line


def test_the_page_is_up_to_date(rows: object, request: pytest.FixtureRequest) -> None:
    stored = PAGE.read_text()
    made = insert(stored, "networks", tables([rows(name) for name in NETWORKS]))
    if request.config.getoption("--update"):
        PAGE.write_text(made)
        return
    assert NUMBERS.sub("#", made) == NUMBERS.sub("#", stored), "run pytest tests/odd --update"
