"""The program as its user runs it, in a process of its own or in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from mcbench.cli import main


def environment(**changes: str | Path) -> dict[str, str]:
    """This process's environment, with changes; one thread, as tests share few cores."""
    fixed = {"COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **fixed, **{k: str(v) for k, v in changes.items()}}


def mcbench(*arguments: str, **changes: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``mcbench ARGUMENTS`` to its end; ``changes`` are of the environment."""
    return subprocess.run(
        [sys.executable, "-m", "mcbench", *arguments],
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=300,
    )


def run(*arguments: str) -> Result:
    """Run ``mcbench ARGUMENTS`` in this process, where the test's host and patches hold."""
    return CliRunner().invoke(main, list(arguments), prog_name="mcbench")
