"""Examples in docstrings run and print what they say."""

from __future__ import annotations

import doctest
import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOPS = [ROOT, *(ROOT / "plugins").glob("*/src")]
MODULES = [
    ".".join(file.relative_to(top).with_suffix("").parts).removesuffix(".__init__")
    for top in TOPS
    for file in sorted(top.glob("mcbench*/**/*.py"))
    if ">>>" in file.read_text()
]


@pytest.mark.parametrize("module", MODULES)
def test_examples_print_what_they_say(module: str) -> None:
    importlib.import_module(module)
    results = doctest.testmod(sys.modules[module])
    assert results.attempted and not results.failed
