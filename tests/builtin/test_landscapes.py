"""Landscapes: known minima, known best paths, and verbs on data that have no classes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from torch import Tensor

from mcbench.builtin.landscapes import Flatland, eggbox, ring, valley
from mcbench.cli import main
from mcbench.evaluation.evaluate import evaluate
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.store import Store

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "ring": ring,
    "valley": valley,
    "eggbox": eggbox,
}


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


def landscape(name: str) -> Problem:
    recipe = host().get("recipe", "landscape")
    return Problem(Flatland().read(Path()), host().get("architecture", name), recipe)


def connect(name: str, method: str, *ends: tuple[float, float]) -> list[float]:
    """The losses of a method's path between two points, at 201 times."""
    a, b = (Endpoint({"w": torch.tensor(w)}, i, str(w)) for i, w in enumerate(ends))
    problem = landscape(name)
    path = host().get("method", method).connect(a, b, problem)
    curve = evaluate(path, problem, Protocol(201, 3))
    return curve.loss["test"]


def on_ring(degrees: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Two minima of the ring that are so far apart."""
    half = math.radians(degrees) / 2
    return (math.cos(half), -math.sin(half)), (math.cos(half), math.sin(half))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_training_finds_a_minimum_and_other_seeds_others(name: str, store: Store) -> None:
    seeds = tuple(range(6))
    experiment = Experiment(Plan(dataset="landscape", architecture=name, seeds=seeds), store)
    assert not experiment.train().failures
    points = [experiment.endpoint(seed).params["w"].double() for seed in seeds]
    for w in points:
        assert float(FUNCTIONS[name](w)) < 1e-9
        gradient = torch.func.grad(FUNCTIONS[name])(w)
        assert float(gradient.norm()) < 1e-4
    gaps = [float((v - w).norm()) for i, v in enumerate(points) for w in points[:i]]
    assert min(gaps) > 0.02


def test_the_network_is_the_formula_of_its_two_weights() -> None:
    problem = landscape("ring")
    w = torch.tensor([0.5, -1.5])
    outputs = problem.forward({"w": w}, torch.zeros(5, 1, 1, 1))
    assert outputs.shape == (5, 1)
    assert outputs.tolist() == [[pytest.approx((0.25 + 2.25 - 1) ** 2)]] * 5
    assert float(valley(torch.tensor([2.0, 3.0]))) == pytest.approx((3 - math.sin(2)) ** 2)
    places = torch.tensor([[0.0, 1.0], [0.5, 2.0], [0.5, 0.5]])
    assert eggbox(places).tolist() == pytest.approx([0, 0.5, 1], abs=1e-6)


@pytest.mark.parametrize("degrees", [60, 120, 170])
def test_the_segment_across_the_ring_is_known(degrees: float) -> None:
    losses = connect("ring", "linear", *on_ring(degrees))
    assert max(losses) == pytest.approx(math.sin(math.radians(degrees) / 2) ** 4, abs=1e-6)


def test_more_bends_come_nearer_to_the_arc() -> None:
    """At 150 degrees the chains of lowest mean loss have these highest losses, by quadrature.

    A Bezier curve with one bend is no arc either; one with two is an arc but for 1e-5.
    """
    ends = on_ring(150)
    best = {"polychain": 0.143, "polychain[bends=2]": 0.0271, "polychain[bends=3]": 0.0083,
            "bezier": 0.0136}  # fmt: skip
    highest = []
    for method in best:
        longer = method.replace("]", ",epochs=40]") if "[" in method else f"{method}[epochs=40]"
        highest.append(max(connect("ring", longer, *ends)))
    assert highest == pytest.approx(list(best.values()), rel=0.3)
    assert highest[0] > 3 * highest[1] > 6 * highest[2]
    assert max(connect("ring", "bezier[bends=2]", *ends)) < 1e-4


def test_curves_follow_the_floor_of_the_valley() -> None:
    """Between two crests of the floor the segment is at the height 4 above the hollow."""
    ends = (-1.5 * math.pi, 1.0), (0.5 * math.pi, 1.0)
    assert max(connect("valley", "linear", *ends)) == pytest.approx(4, rel=1e-3)
    assert max(connect("valley", "bezier[bends=5,epochs=40]", *ends)) < 0.02


def test_no_path_in_the_eggbox_is_below_the_pass() -> None:
    """From pit to pit the lowest way is over a pass, at 1/2; the segment to (2, 1) is higher."""
    assert max(connect("eggbox", "linear", (0.0, 0.0), (1.0, 0.0))) == pytest.approx(0.5)
    ends = (0.0, 0.0), (2.0, 1.0)
    assert max(connect("eggbox", "linear", *ends)) == pytest.approx(25 / 32, abs=1e-4)
    lowest = max(connect("eggbox", "bezier[bends=3,objective=max,epochs=30]", *ends))
    assert 0.5 - 1e-3 < lowest < 0.53


def test_every_table_ranks_by_the_highest_loss() -> None:
    words = ("-d", "landscape", "-a", "ring", "--endpoints", "2")
    result = run("run", "-m", "linear", "-m", "bezier", "-m", "ot-wa", *words, "--json")
    assert result.exit_code == 1
    failures = [x for x in result.stderr.splitlines() if x.startswith("mcbench:")]
    assert failures == ["mcbench: ot-wa on pair 0-1 failed: 'ring' is a landscape, which has no "
                        "layers"]  # fmt: skip
    tables = json.loads(result.stdout)
    methods = [row["method"] for row in tables["ranking"]]
    assert methods == ["bezier", "linear", "ot-wa", "End Points"]
    bezier, linear = tables["ranking"][:2]
    assert bezier["highest-loss:test"] < linear["highest-loss:test"]
    assert tables["ranking"][3]["highest-loss:test"] < 1e-9
    named = {row["metric"].partition(":")[0] for row in tables["metrics"]}
    assert {"highest-loss", "barrier", "length"} <= named
    assert not [name for name in named if "accuracy" in name or "ensemble" in name]
    shown = run("run", "-m", "linear", "-m", "bezier", *words)
    assert "Highest loss along the path" in shown.stdout and "ccuracy" not in shown.stdout
    assert "t = " not in shown.stderr  # From the store: no point is evaluated again.


def test_train_and_plot_show_losses(tmp_path: Path) -> None:
    words = ("-d", "landscape", "-a", "valley", "--endpoints", "2")
    (first, _) = json.loads(run("train", *words, "--json").stdout)["endpoints"]
    assert first["test"] == first["train"] < 1e-9
    result = run("plot", "-m", "linear", *words, "-o", str(tmp_path / "paths"))
    assert result.exit_code == 0
    drawn = (tmp_path / "paths.svg").read_text()
    assert ">loss<" in drawn and "accuracy" not in drawn


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run -m linear -d landscape -a mlp2", "'mlp2' is for data with classes"),
        ("run -m linear -a ring", "'ring' is a landscape, for data without classes"),
        ("run -m linear -d landscape -a ring[size=2]", "it takes no parameters"),
        ("ensemble -d landscape -a ring", "these data have none"),
        ("plot --ensemble -m linear -d landscape -a ring", "these data have no classes"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(words: str, said: str) -> None:
    result = run(*words.split())
    assert result.exit_code == 2 and not result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith("mcbench: ") and said in line
