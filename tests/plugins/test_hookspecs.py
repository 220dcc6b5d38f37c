"""Every hook's example runs as it stands, and does what its hook is for."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conftest import Residual
from mcbench.leaderboard import Board
from mcbench.plugins import hookspecs
from mcbench.plugins.host import KINDS, Host, Plugin, plural

PREAMBLE = """
import pathlib
from dataclasses import dataclass
import click
import mcbench
"""

HOOKS = [name for name in vars(hookspecs) if name.startswith("mcbench_")]


def example(hook: str) -> str:
    text = inspect.cleandoc(getattr(hookspecs, hook).__doc__)
    match = re.search(r"^Example::\n\n(.*)", text, re.S | re.M)
    assert match is not None, f"{hook} has no example"
    return textwrap.dedent(match[1])


def module_of(hook: str, folder: Path) -> ModuleType:
    """The example as a module that was imported."""
    module = sys.modules[f"example_{hook}"] = ModuleType(f"example_{hook}")
    module.__file__ = str(folder / "example.py")
    exec(compile(PREAMBLE + example(hook), hook, "exec", dont_inherit=True), vars(module))
    return module


def plugin_of(hook: str, folder: Path) -> tuple[Host, Plugin]:
    module = module_of(hook, folder)
    host = Host(only=set())
    plugin = Plugin("example", "third", "1.0")
    host.register(plugin, lambda: module)
    return host, plugin


@pytest.mark.parametrize("hook", list(KINDS.values()))
def test_examples_of_provider_hooks_provide(hook: str, tmp_path: Path) -> None:
    (tmp_path / "myboard").mkdir()
    (tmp_path / "myboard" / "board.toml").write_text(
        'name="mine"\ntitle="t"\nreference="r"\ndataset="digits"\narchitecture="mlp2"\n'
        'recipe="quick"\nendpoints=2\nrow=[]\n[protocol]\n[columns]\n'
    )
    host, plugin = plugin_of(hook, tmp_path)
    host.listing()
    assert plugin.errors == []
    kind = next(k for k, h in KINDS.items() if h == hook)
    (name,) = plugin.provides[plural(kind)]
    component = host.find(kind, name).component
    assert component.name == name
    if kind == "leaderboard":
        assert isinstance(component, Board)


ARGUMENTS: dict[str, Any] = {
    "problem": {"recipe": {"name": "quick"}},
    "seeds": (0,),
    "keys": ("k",),
    "seed": 0,
    "key": "k",
    "epoch": 1,
    "epochs": 2,
    "loss": 0.5,
    "endpoint": SimpleNamespace(key="k", seed=0),
    "run": SimpleNamespace(key="k", method="linear", pair=(0, 1)),
    "t": 0.5,
    "title": "a curve",
    "step": 1,
    "steps": 2,
    "values": {"loss": {"test": 0.1}, "accuracy": {"test": 90.0}},
    "record": SimpleNamespace(metrics={}),
    "units": {"barrier": "nats"},
    "error": ValueError("x"),
}


@pytest.mark.parametrize("hook", [h for h in HOOKS if h not in KINDS.values()])
def test_examples_of_the_life_of_a_run_listen(
    hook: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host, plugin = plugin_of(hook, tmp_path)
    names = inspect.signature(getattr(hookspecs, hook)).parameters
    host.notify(hook, **{name: ARGUMENTS[name] for name in names})
    assert plugin.errors == []
    assert capsys.readouterr().out.strip()


def run_with(host: Host, plan: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from mcbench.experiments.experiment import Experiment
    from mcbench.store.store import Store

    users = ("experiment", "problems", "endpoints", "runner", "metrics")
    others = ("plugins.host", "problem.loading", "methods.composition")
    for module in (*(f"experiments.{user}" for user in users), *others):
        monkeypatch.setattr(f"mcbench.{module}.host", lambda: host)
    return Experiment(plan, Store(home)).run()


def test_examples_work_together_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's data, network, recipe, method, metric, parts and executor, all at once."""
    from mcbench.evaluation.protocol import Protocol
    from mcbench.experiments.plan import Plan

    host = Host()
    for hook in KINDS.values():
        if hook not in ("mcbench_leaderboards", "mcbench_commands"):
            module = module_of(hook, tmp_path)
            host.register(Plugin(hook, "third", "1.0"), lambda module=module: module)
    plan = Plan(
        dataset="noise",
        architecture="perceptron[bias=false]",
        recipe="long[epochs=2]",
        methods=("straight",),
        seeds=(0, 1),
        protocol=Protocol(3, 0),
        metrics=("best-accuracy", "worst-accuracy"),
        executor="backwards",
    )
    results = run_with(host, plan, tmp_path, monkeypatch)
    assert results.failures == {}
    (record,) = results.records.values()
    best = record.metrics["best-accuracy"].values["test"]
    assert best == max(record.curve.accuracy["test"])
    parts = "ot-wa[matching=reversed,interpolation=smooth,adjustment=keep]"
    composed = Plan(
        dataset="noise",
        architecture="mlp2[width=4]",
        recipe="long[epochs=1]",
        methods=(parts,),
        seeds=(0, 1),
        protocol=Protocol(5, 0),
    )
    results = run_with(host, composed, tmp_path, monkeypatch)
    assert results.failures == {}


def test_the_life_of_a_run_is_told_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mcbench
    from mcbench.evaluation.protocol import Protocol
    from mcbench.experiments.plan import Plan

    told: list[str] = []
    expected: list[str] = []

    class Tracker:
        @mcbench.hookimpl
        def mcbench_training_started(
            self, problem: Any, seeds: tuple[int, ...], keys: tuple[str, ...]
        ) -> None:
            assert problem["recipe"]["name"] == "quick"
            expected.extend(keys)
            told.append(f"training {seeds}")

        @mcbench.hookimpl
        def mcbench_epoch_finished(self, seeds: tuple[int, ...], keys: tuple[str, ...]) -> None:
            assert keys == tuple(expected[seed] for seed in seeds)

        @mcbench.hookimpl
        def mcbench_endpoint_trained(self, endpoint: Any) -> None:
            assert endpoint.key == expected[endpoint.seed]
            told.append(f"trained {endpoint.seed}")

        @mcbench.hookimpl
        def mcbench_run_started(self, run: Any) -> None:
            told.append(f"started {run.method}")

        @mcbench.hookimpl
        def mcbench_point_evaluated(self, run: Any, t: float) -> None:
            told.append(f"point {t}")

        @mcbench.hookimpl
        def mcbench_run_finished(self, run: Any, record: Any, units: dict[str, str]) -> None:
            assert units.keys() == record.metrics.keys() and units["barrier"] == "nats"
            told.append(f"finished {run.method} {len(record.metrics) > 5}")

        @mcbench.hookimpl
        def mcbench_run_failed(self, run: Any, error: Exception) -> None:
            told.append(f"failed {run.method}: {type(error).__name__}")

    class Networks:
        @mcbench.hookimpl
        def mcbench_architectures(self) -> list[Any]:
            return [Residual()]

    host = Host()
    host.register(Plugin("tracker", "third", "1.0"), Tracker)
    host.register(Plugin("residual", "third", "1.0"), Networks)
    plan = Plan(
        dataset="digits",
        architecture="residual",
        recipe="quick[epochs=1]",
        methods=("linear", "arc"),
        seeds=(0, 1),
        protocol=Protocol(3, 0),
    )
    run_with(host, plan, tmp_path, monkeypatch)
    assert told == [
        "training (0, 1)", "trained 0", "trained 1", "started linear",
        "point 0.0", "point 0.5", "point 1.0",
        "finished linear True", "started arc", "failed arc: StructureError",
    ]  # fmt: skip


def test_a_training_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mcbench
    from mcbench.experiments.plan import Plan

    told: list[str] = []

    class Tracker:
        @mcbench.hookimpl
        def mcbench_training_failed(self, seed: int, key: str, error: Exception) -> None:
            told.append(f"{seed}: {error}")
            assert len(key) == 32

    host = Host()
    host.register(Plugin("tracker", "third", "1.0"), Tracker)
    run_with(
        host,
        Plan(
            dataset="digits",
            architecture="mlp2[width=4]",
            recipe="quick[epochs=2,lr=1e9]",
            methods=(),
            seeds=(0,),
        ),
        tmp_path,
        monkeypatch,
    )
    assert len(told) == 1 and told[0].startswith("0: training of seed 0 diverged")
