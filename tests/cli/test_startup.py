"""Fast to start: what needs no numbers imports no torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from programs import environment

CHECK = """
import sys
from mcbench.cli import main
try:
    main({arguments!r}, prog_name="mcbench")
except SystemExit as error:
    assert error.code in (0, None), error.code
heavy = {{"torch", "torchvision", "numpy", "scipy", "pandas", "matplotlib", "plotly"}}
heavy &= set(sys.modules)
assert not heavy, heavy
"""


def light(arguments: list[str], **changes: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CHECK.format(arguments=arguments)],
        env=environment(**changes), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--help"], "Benchmark mode connectivity"),
        (["run", "--help"], "--method"),
        (["explore", "--help"], "--budget"),
        (["plugins"], "mcbench-ot"),
        (["plugins", "--json"], '"plugins"'),
        (["list", "methods"], "ot-wa"),
        (["show", "ot-wa"], "layer by layer"),
        (["store", "list"], "Store"),
    ],
)
def test_no_torch(arguments: list[str], said: str) -> None:
    assert said in light(arguments)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mcbench run --method ot", {"ot", "ot-wa"}),
        ("mcbench run -d m", {"mnist"}),
        ("mcbench show anokhin", {"anokhin2020-mnist", "anokhin2020-cifar10"}),
        ("mcbench lead", {"leaderboard"}),
        ("mcbench leaderboard show icml", {"icml2020-mnist"}),
    ],
)
def test_completion_knows_names_and_imports_no_torch(words: str, expected: set[str]) -> None:
    printed = light(
        [],
        _MCBENCH_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )
    found = {line.partition(",")[2] for line in printed.splitlines()}
    assert expected <= found
    assert all(name.startswith(words.split()[-1]) for name in found)
