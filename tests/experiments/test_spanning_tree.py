"""The minimum spanning tree of saddle losses: which pairs are tried, and what is shown."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pandas
import pytest
from click.testing import CliRunner, Result

import mcbench
from mcbench import Endpoint, Problem, RunError
from mcbench.cli import main
from mcbench.cli.explore import _explorer
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments import runner
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.experiments.runner import compute_curve
from mcbench.experiments.spanning_tree import Exploration, Pair, explore, spanning_tree, suggest
from mcbench.figures.tree import draw_tree
from mcbench.plugins.host import Plugin, host
from mcbench.stats.epochs import epochs_below
from mcbench.store.store import Store

INFINITE = float("inf")
SEEDS = (0, 1, 2, 3, 4)
RING = ("-d", "landscape", "-a", "ring", "-m", "linear", "--points", "9", "--refine", "1")


def test_the_tree_is_minimal() -> None:
    weights = {(0, 1): 3.0, (0, 2): 1.0, (0, 3): 9.0, (1, 2): 2.0, (2, 3): INFINITE}
    assert spanning_tree(range(4), weights) == [(0, 2), (1, 2), (0, 3)]
    assert spanning_tree(range(5), weights) == [(0, 2), (1, 2), (0, 3)]  # A forest.
    assert spanning_tree(range(3), {(0, 1): 0.0, (0, 2): 0.0, (1, 2): 0.0}) == [(0, 1), (0, 2)]


def test_the_heaviest_edge_is_replaced_first() -> None:
    heights = {0: 0.0, 1: 0.5, 2: 0.1, 3: 0.3}
    star: dict[Pair, float] = {(0, 1): 1.0, (0, 2): 3.0, (0, 3): 2.0}
    # Across the cut at 2 are 1-2 and 2-3, whose minima are lower.
    assert suggest(range(4), star, heights) == (2, 3)
    assert suggest(range(4), star | {(2, 3): 5.0}, heights) == (1, 2)
    # All pairs with 2 were tried in vain: the next heaviest edge is 0-3.
    assert suggest(range(4), star | {(2, 3): 5.0, (1, 2): 5.0}, heights) == (1, 3)
    # What failed comes first.
    assert suggest(range(4), star | {(0, 1): INFINITE}, heights) == (1, 2)
    every = {pair: 1.0 for pair in combinations(range(4), 2)}
    assert suggest(range(4), every, heights) is None


def test_the_epoch_is_the_first_below_the_saddle() -> None:
    """The mean over endpoints; one that never falls below it counts with its last epoch."""
    assert epochs_below([[3.0, 2.0, 1.0], [3.0, 1.0, 1.0]], 1.6) == 2.5
    assert epochs_below([[3.0, 2.0, 1.0], [3.0, 1.0]], 1.0) == 2.5
    assert epochs_below([[], [3.0, 1.0]], 2.0) is None


class Partly:
    """The straight line, but not between some endpoints."""

    name = "partly"
    refused: tuple[Pair, ...] = ()

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> mcbench.Path:
        if (a.seed, b.seed) in self.refused:
            raise RunError("there is a wall")
        return mcbench.segment(a.params, b.params)


@pytest.fixture
def partly() -> Iterator[type[Partly]]:
    class Theirs:
        @mcbench.hookimpl
        def mcbench_methods(self) -> list[Partly]:
            return [Partly()]

    host.cache_clear()
    host().register(Plugin("partly", "third", "1.0"), Theirs)
    yield Partly
    Partly.refused = ()
    host.cache_clear()


def experiment_of(store: Store, method: str = "linear") -> Experiment:
    return Experiment(
        Plan(
            dataset="landscape",
            architecture="ring",
            methods=(method,),
            seeds=SEEDS,
            protocol=Protocol(9, 1),
            metrics=("length-ratio",),
        ),
        store,
    )


def saddles(found: Exploration) -> dict[Pair, float]:
    known = {run.pair: found.record(run.pair) for run in found.results.runs}
    return {pair: max(r.curve.loss["train"]) for pair, r in known.items() if r}


def test_all_pairs_give_the_tree_of_all_pairs(store: Store) -> None:
    found = explore(experiment_of(store))
    every = experiment_of(store).run()
    assert {run.key for run in found.results.runs} == {run.key for run in every.runs}
    weights = {run.pair: max(every.records[run.key].curve.loss["train"]) for run in every.runs}
    assert found.tree == spanning_tree(SEEDS, weights)[::-1]
    assert found.left == 0
    heights = [weights[pair] for pair in found.tree]
    assert heights == sorted(heights, reverse=True)


def test_a_budget_is_kept_to_and_more_of_it_never_makes_the_tree_worse(store: Store) -> None:
    sums = []
    for budget in (0, 1, 3, 20):
        found = explore(experiment_of(store), budget)
        assert len(found.results.runs) == min(4 + budget, 10)
        assert found.left == 10 - len(found.results.runs)
        known = saddles(found)
        sums.append(sum(known[pair] for pair in found.tree))
        if budget == 0:
            assert all(found.first in pair for pair in found.tree)
            low = {seed: m["loss"]["train"] for seed, m in found.minima.items()}
            assert low[found.first] == min(low.values())
    assert sums == sorted(sums, reverse=True) and sums[-1] < sums[0]


def test_an_exploration_that_was_stopped_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    explore(experiment_of(store), 2)
    computed = []

    def counted(run: Any, *given: Any) -> Any:
        computed.append(run.pair)
        return compute_curve(run, *given)

    monkeypatch.setattr(runner, "compute_curve", counted)
    found = explore(experiment_of(store))
    assert len(computed) == 4 and len(found.results.runs) == 10
    again = explore(experiment_of(store))
    assert len(computed) == 4 and again.tree == found.tree


def test_failed_paths_are_gone_round(store: Store, partly: type[Partly]) -> None:
    first = explore(experiment_of(store, "partly"), 0).first
    partly.refused = tuple(pair for pair in combinations(SEEDS, 2) if first in pair)[:2]
    found = explore(experiment_of(Store(store.root / "other"), "partly"), 2)
    assert len(found.results.failures) == 2
    assert len(found.tree) == 4 and not set(found.tree) & set(partly.refused)
    partly.refused = tuple(combinations(SEEDS, 2))
    found = explore(experiment_of(Store(store.root / "third"), "partly"))
    assert found.tree == [] and len(found.results.failures) == 10


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explore", *arguments])


def test_what_is_shown() -> None:
    done = run(*RING, "--endpoints", "4", "--json")
    assert done.exit_code == 0, done.output
    tables = json.loads(done.stdout)
    (summary,) = tables["saddles"]
    edges = tables["edges"]
    assert len(edges) == summary["edges"] == 3
    mean = sum(edge["saddle:train"] for edge in edges) / 3
    assert summary["saddle:train"] == pytest.approx(mean)
    assert "ratio" not in summary and "difference" not in summary  # Minima at 0, no classes.
    shown = run(*RING, "--endpoints", "4")
    for edge in edges:
        assert shown.stdout.count(f"saddle {edge['saddle:train']:.4f}, seed ") >= 1
    tree = shown.stdout.partition("saddles between them")[2]
    assert sorted(re.findall(r"seed (\d):", tree)) == ["0", "1", "2", "3"]
    csv = pandas.read_csv(io.StringIO(run(*RING, "--endpoints", "4", "--format", "csv").stdout))
    assert csv["saddle:train"].tolist() == pytest.approx([e["saddle:train"] for e in edges])
    assert "6 of 6 pairs were tried" in shown.stdout
    assert "train loss: minima" in shown.stdout


def test_the_figure_has_the_loss_along_each_edge(store: Store) -> None:
    found = explore(experiment_of(store))
    (axes,) = draw_tree(found).axes
    lines = {line.get_label().partition(":")[0]: line for line in axes.lines}
    for pair in found.tree:
        record = found.record(pair)
        assert record
        assert list(lines["{}-{}".format(*pair)].get_ydata()) == record.curve.loss["train"]


def test_errors_are_shown_where_there_are_classes() -> None:
    small = ("-m", "linear", "-a", "mlp2[width=4]", "-r", "quick[epochs=8]", "--points", "5")
    done = run(*small, "--endpoints", "3", "--json")
    assert done.exit_code == 0, done.output
    (summary,) = json.loads(done.stdout)["saddles"]
    expected = summary["saddle:error"] - summary["minima:error"]
    assert summary["difference"] == pytest.approx(expected) and expected > 0
    assert summary["ratio"] == pytest.approx(summary["saddle:train"] / summary["minima:train"])
    assert 1 <= summary["epoch"] <= 8


def test_what_fails_is_said(partly: type[Partly]) -> None:
    partly.refused = ((0, 1),)
    arguments = ["partly" if a == "linear" else a for a in RING]
    done = run(*arguments, "--endpoints", "2")
    assert done.exit_code == 1
    assert "partly on pair 0-1 failed: there is a wall" in done.stderr
    assert run("-m", "linear", "--endpoints", "1").exit_code == 2
    assert "unknown method" in run("-m", "nothing").output


def test_without_a_method_it_is_the_one_that_explores(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _explorer() == "autoneb"
    monkeypatch.setattr("mcbench_neb.AutoNEB.explores", False)
    done = run("--endpoints", "2")
    assert done.exit_code == 2
    assert "no installed method declares that it explores" in done.output
