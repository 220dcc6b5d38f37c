"""Small real problems: scikit-learn's digits and narrow networks, trained once per session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch

import mcbench
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.plugins.host import Host, Plugin, host
from mcbench.problem import loading
from mcbench.problem.dataset import Data
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.store import Store

# The same examples each time, however busy the machine is.
hypothesis.settings.register_profile(
    "suite", derandomize=True, deadline=None, max_examples=60, database=None
)
hypothesis.settings.load_profile("suite")

torch.set_num_threads(1)  # Networks this small gain nothing from more.

PLAN = Plan(architecture="mlp2[width=16]", recipe="quick[epochs=15]", seeds=(0, 1, 2))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--update``."""
    parser.addoption(
        "--update", action="store_true", help="write the documents' pages that tests compute"
    )


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's store or data, or logs to a tracker of theirs."""
    monkeypatch.setenv("MCBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MCBENCH_DATA", raising=False)
    monkeypatch.delenv("MCBENCH_MLFLOW", raising=False)


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that tests share, for what is costly and does not change."""
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def experiment(shared_store: Store) -> Experiment:
    """Three trained endpoints of a narrow two-layer network on digits."""
    prepared = Experiment(PLAN, shared_store)
    assert not prepared.train().failures
    return prepared


@pytest.fixture(scope="session")
def problem(experiment: Experiment) -> Problem:
    """The problem of the shared experiment."""
    return experiment.problem


@pytest.fixture(scope="session")
def pair(experiment: Experiment) -> tuple[Endpoint, Endpoint]:
    """Two trained endpoints."""
    return experiment.endpoint(0), experiment.endpoint(1)


Deep = tuple[Problem, tuple[Endpoint, Endpoint]]


@pytest.fixture(scope="session")
def deep(shared_store: Store) -> Callable[[str], Deep]:
    """Makes the problem of an architecture, and two endpoints that were trained shortly."""

    @cache
    def make(architecture: str) -> Deep:
        plan = Plan(architecture=architecture, recipe="quick[epochs=3,lr=0.02]", seeds=(0, 1))
        prepared = Experiment(plan, shared_store)
        assert not prepared.train().failures
        return prepared.problem, (prepared.endpoint(0), prepared.endpoint(1))

    return make


class Residual:
    """A network that is no chain: its input is added to what a layer makes of it."""

    name = "residual"
    summary = "no chain"

    def build(self, input_shape: tuple[int, ...], classes: int) -> torch.nn.Module:
        from torch import nn

        class Block(nn.Module):
            def __init__(self, size: int) -> None:
                super().__init__()
                self.inner, self.last = nn.Linear(size, size), nn.Linear(size, classes)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                x = x.flatten(1)
                return self.last(x + self.inner(x).relu())

        return Block(input_shape[1] * input_shape[2])


@pytest.fixture
def residual() -> Iterator[None]:
    """A plugin with an architecture that is no chain."""

    class Theirs:
        @mcbench.hookimpl
        def mcbench_architectures(self) -> list[Residual]:
            return [Residual()]

    host.cache_clear()
    host().register(Plugin("residual", "third", "1.0"), Theirs)
    yield
    host.cache_clear()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store")


@pytest.fixture
def fresh_host() -> Iterator[Host]:
    """A host of its own, which the test may fill; it takes the place of the process's."""
    host.cache_clear()
    yield host()
    host.cache_clear()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the data sets that experiments load, one for each time."""
    load, loaded = loading.load, []

    def counted(dataset: Any, *where: Any) -> tuple[Data, str]:
        loaded.append(dataset.name)
        return load(dataset, *where)

    monkeypatch.setattr("mcbench.experiments.problems.loading.load", counted)
    return loaded


@pytest.fixture(scope="session")
def coarse() -> Protocol:
    """A protocol for quick evaluations."""
    return Protocol(points=7, refine=1)


@pytest.fixture(scope="session")
def mnist_dir() -> str:
    """The directory with real MNIST; the test is skipped where there is none."""
    named = REAL_DATA
    if not named or not (Path(named) / "MNIST").is_dir():
        pytest.skip("MCBENCH_DATA names no directory with MNIST")
    return named


REAL_DATA = os.environ.get("MCBENCH_DATA")
