"""Start of commands that need no tensors (help, plugins, completion), against importing click."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click
import options
from common import interleaved
from results import Result, report, reporting

LIMIT = 5.0
COMMAND = str(Path(sys.executable).with_name("mcbench"))
COMPLETION = {
    "_MCBENCH_COMPLETE": "bash_complete",
    "COMP_WORDS": "mcbench run --method ot",
    "COMP_CWORD": "3",
}
CASES: dict[str, tuple[list[str], dict[str, str], str]] = {
    "mcbench --help": (["--help"], {}, "Usage"),
    "mcbench plugins": (["plugins"], {}, "ot"),
    "completion of 'mcbench run --method ot'": ([], COMPLETION, "plain,ot"),
}
"""Arguments, environment and a text that the output must contain, by case."""


def process(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Start a program and wait for its end."""
    everything = {**os.environ, **environment}
    everything.pop("PYTHONDONTWRITEBYTECODE", None)  # Users have compiled files.
    return subprocess.run(command, env=everything, check=True, capture_output=True, text=True)


def check(command: list[str], environment: dict[str, str], expected: str) -> None:
    """Raise unless the program works and does so without torch."""
    done = process([sys.executable, "-X", "importtime", *command], environment)
    if expected not in done.stdout:
        raise click.ClickException(f"{' '.join(command)} does not print '{expected}'")
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    if "torch" in modules:
        raise click.ClickException(f"{' '.join(command)} imports torch")


def run(repeats: int = 15) -> list[Result]:
    """Median seconds of whole processes."""
    results = []
    bare = partial(process, [sys.executable, "-c", "import click"], {})
    for title, (arguments, environment, expected) in CASES.items():
        check([COMMAND, *arguments], environment, expected)
        ours, naive = interleaved(
            partial(process, [COMMAND, *arguments], environment), bare, repeats
        )
        results.append(Result(title, "seconds", ours, naive, LIMIT))
    return results


@click.command()
@options.repeats(15)
@reporting
def main(style: str, out: Any, **sizes: Any) -> None:
    """Time what must not wait for torch: help, the list of plugins, completion in the shell.

    OURS: whole processes of mcbench, all installed plugins loaded. NAIVE: a process of the same
    Python that only imports click. It is an error if one of ours imports torch.

    \b
    Claim: at most 5 times. Takes half a minute.
    Try: python benchmarks/startup.py --repeats 3
    """
    report(run(**sizes), style, out)


if __name__ == "__main__":
    main()
