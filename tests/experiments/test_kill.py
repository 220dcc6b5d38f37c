"""Killed with SIGKILL at any time, the same command finishes with the same numbers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcbench.store.store import Store
from programs import environment, mcbench

COMMAND = (
    "run", "-m", "ot-wa", "-a", "mlp2[width=24]", "-r", "quick[epochs=40]", "--endpoints", "3",
    "--points", "31", "--json",
)  # fmt: skip


def kill_when(home: Path, reached: Callable[[Store], bool]) -> None:
    """Start the command and kill it as soon as its store shows that it got so far."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mcbench", *COMMAND],
        env=environment(MCBENCH_HOME=home, MCBENCH_SAVE_SECONDS="0"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not reached(Store(home)):
        assert process.poll() is None, "the program ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def partial(store: Store) -> int:
    return len(list(store.entries("partial")))


def finish(home: Path) -> dict[str, Any]:
    done = mcbench(*COMMAND, MCBENCH_HOME=home)
    assert done.returncode == 0, done.stderr
    return timeless(done.stdout)


def timeless(text: str) -> dict[str, Any]:
    """The JSON of a run without times: all that must not depend on interruptions."""
    results: dict[str, Any] = json.loads(text)
    for row in results["ranking"]:
        row.pop("seconds", None)
    for record in results["records"]:
        del record["cost"], record["provenance"]
    return results


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return finish(tmp_path_factory.mktemp("undisturbed"))


def test_killed_during_training(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    kill_when(tmp_path, lambda store: partial(store) > 0)
    assert not list(Store(tmp_path).entries("runs"))
    before = {e.key: e.modified for e in Store(tmp_path).entries("endpoints")}
    assert finish(tmp_path) == undisturbed
    after = {e.key: e.modified for e in Store(tmp_path).entries("endpoints")}
    assert before.items() <= after.items()


def test_killed_during_evaluation(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    def evaluating(store: Store) -> bool:
        return len(list(store.entries("endpoints"))) == 3 and partial(store) > 0

    kill_when(tmp_path, evaluating)
    trained = {e.key: e.modified for e in Store(tmp_path).entries("endpoints")}
    assert finish(tmp_path) == undisturbed
    assert {e.key: e.modified for e in Store(tmp_path).entries("endpoints")} == trained
    assert partial(Store(tmp_path)) == 0


def test_killed_again_and_again(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    for runs in (1, 2):
        kill_when(tmp_path, lambda store, n=runs: len(list(store.entries("runs"))) >= n)  # type: ignore[misc]
    assert finish(tmp_path) == undisturbed


def test_two_processes_on_one_store_do_not_harm_each_other(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "mcbench", *COMMAND],
            env=environment(MCBENCH_HOME=tmp_path),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in both:
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
        assert timeless(out) == undisturbed
    assert len(list(Store(tmp_path).entries("runs"))) == 3
