"""Numbers in documents and READMEs are those of the commands above them, in full size.

A block under ``<!-- output -->`` quotes lines of what the last command before it prints; columns
at the end, such as seconds, may be left out. Where they are quoted, they may be any number.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mcbench.cli import main

ROOT = Path(__file__).parents[2]
QUOTE = re.compile(r"```sh\n([^`]*)```\s+<!-- output -->\s+```text\n(.*?)```", re.DOTALL)
TIMES = ("s/pair",)
"""Headings of last columns that depend on the machine."""

NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+%?")


def quotes() -> Iterator[tuple[str, str, str]]:
    """Document, command and quoted lines."""
    documents = [
        ROOT / "README.md",
        *(ROOT / "plugins").glob("*/README.md"),
        *(ROOT / "docs").rglob("*.md"),
    ]
    for document in sorted(documents):
        for block, output in QUOTE.findall(document.read_text()):
            yield (
                str(document.relative_to(ROOT)),
                block.replace("\\\n", " ").strip().splitlines()[-1],
                output,
            )


QUOTES = list(quotes())


def alike(one: str, two: str) -> bool:
    """Whether two words are the same, numbers up to other hardware and libraries."""
    one, two = (word.strip("[],") or word for word in (one, two))
    if not (NUMBER.fullmatch(one) and NUMBER.fullmatch(two)):
        return one == two or set(one + two) == {"─"}
    values = (float(word.replace(",", "").rstrip("%")) for word in (one, two))
    return next(values) == pytest.approx(next(values), rel=0.01, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "command", "output"), QUOTES, ids=[q[0] for q in QUOTES])
def test_the_quoted_numbers_are_measured(
    name: str, command: str, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    program, *words = shlex.split(command)
    assert program == "mcbench"
    done = CliRunner().invoke(main, words, prog_name="mcbench")
    assert done.exit_code == 0, done.output
    printed = [line.split() for line in done.stdout.splitlines()]
    timed = False
    for line in filter(None, (line.split() for line in output.splitlines())):
        timed = timed or line[-1] in TIMES
        if timed and NUMBER.fullmatch(line[-1]):
            line = line[:-1]
        cut = (words[: len(line)] for words in printed if len(words) >= len(line))
        assert any(all(map(alike, line, words)) for words in cut), f"not printed: {line}"


def test_some_documents_quote_what_a_command_prints() -> None:
    assert {"docs/methods.md", "plugins/mcbench-fge/README.md"} <= {name for name, _, _ in QUOTES}
