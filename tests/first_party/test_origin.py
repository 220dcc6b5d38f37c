"""The path through 0: what it says of accuracy as a criterion, and whom it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
import torch
from torch import nn

import mcbench
from conftest import Deep
from mcbench.errors import StructureError
from mcbench.evaluation.losses import measure
from mcbench.paths.params import distance
from mcbench.plugins.host import Plugin, host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.problem.recipe import Recipe

NETWORKS = ("mlp2[width=16]", "mlp[widths=(12,9),bias=false]", "conv2fc1[channels=(4,5)]")


def path_of(problem: Problem, pair: tuple[Endpoint, Endpoint]) -> mcbench.Path:
    path: mcbench.Path = host().get("method", "origin").connect(*pair, problem)
    return path


@pytest.mark.parametrize("architecture", NETWORKS)
def test_logits_are_those_of_the_end_times_a_power(
    architecture: str, deep: Callable[[str], Deep]
) -> None:
    problem, (a, b) = deep(architecture)
    path, n = path_of(problem, (a, b)), len(problem.chain.layers)
    inputs = problem.splits["test"].inputs[:50]
    for t, end in ((0.1, a), (0.25, a), (0.45, a), (0.55, b), (0.7, b), (0.99, b)):
        logits = problem.forward(path(t), inputs)
        whole = problem.forward(end.params, inputs)
        expected = abs(1 - 2 * t) ** n * whole
        torch.testing.assert_close(
            logits, expected, rtol=1e-3, atol=1e-5 * float(whole.abs().max())
        )
    assert all(not x.any() for x in path(0.5).values())


def test_accuracy_is_constant_and_the_loss_is_not(
    problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    """But at 0, where all logits are 0: there the loss is log 10, and nothing is predicted."""
    path = path_of(problem, pair)
    protocol = mcbench.Protocol()
    for times, end in (((0.0, 0.2, 0.4, 0.49), pair[0]), ((0.51, 0.7, 1.0), pair[1])):
        whole = measure(end.params, problem, protocol)
        values = [measure(path(t), problem, protocol) for t in times]
        assert all(v["accuracy"] == whole["accuracy"] for v in values)
        losses = [v["loss"]["test"] for v in values]
        assert losses == sorted(losses, reverse=end is pair[1])
        assert max(losses) > 2 > 0.5 > min(losses)
    middle = measure(path(0.5), problem, protocol)
    assert middle["loss"]["test"] == pytest.approx(torch.tensor(10.0).log().item(), rel=1e-6)
    share = (problem.splits["test"].targets == 0).double().mean()
    assert middle["accuracy"]["test"] == pytest.approx(100 * float(share))


@pytest.mark.parametrize("architecture", NETWORKS)
def test_lengths_are_those_of_the_curve(architecture: str, deep: Callable[[str], Deep]) -> None:
    """With biases a ray bends; without it is as long as the network is far from 0."""
    problem, (a, b) = deep(architecture)
    path = path_of(problem, (a, b))
    for s, t in ((0.0, 0.5), (0.1, 0.3), (0.5, 1.0)):
        times = [s + (t - s) * i / 400 for i in range(401)]
        chords = sum(distance(path(u), path(v)) for u, v in pairwise(times))
        assert path.length(s, t) == pytest.approx(chords, rel=1e-4)
    if "bias=false" in architecture:
        zero = {n: torch.zeros_like(x) for n, x in a.params.items()}
        assert path.length(0, 0.5) == pytest.approx(distance(a.params, zero), rel=1e-6)


class Layers:
    """Two layers with something between them."""

    summary = "two layers"

    def __init__(self, name: str, between: nn.Module) -> None:
        self.name, self.between = name, between

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        first = nn.Linear(input_shape[1] * input_shape[2], 8)
        return nn.Sequential(nn.Flatten(), first, self.between, nn.Linear(8, classes))


BETWEEN: dict[str, tuple[nn.Module, str]] = {
    "relu": (nn.ReLU(), ""),
    "leaky": (nn.LeakyReLU(0.2), ""),
    "dropout": (nn.Sequential(nn.ReLU(), nn.Dropout(0.5)), ""),
    "tanh": (nn.Tanh(), "behind '1.weight' are not positively homogeneous"),
    "gelu": (nn.GELU(), "behind '1.weight' are not positively homogeneous"),
    "silu": (nn.SiLU(), "behind '1.weight' are not positively homogeneous"),
    "clipped": (nn.Hardtanh(0, 600), "behind '1.weight' are not positively homogeneous"),
    "normalised": (nn.BatchNorm1d(8), "normalisation behind '1.weight'"),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_what_does_not_scale_is_refused_in_a_line(name: str, problem: Problem) -> None:
    between, message = BETWEEN[name]
    network = Problem(problem.data, Layers(name, between), Recipe("r"))
    ends = [Endpoint(dict(network.build(s).eval().state_dict()), s, str(s)) for s in (0, 1)]
    if not message:
        assert path_of(network, (ends[0], ends[1])).end == "b"
        return
    with pytest.raises(StructureError, match=message) as error:
        path_of(network, (ends[0], ends[1]))
    assert len(str(error.value).splitlines()) == 1


@pytest.fixture
def theirs() -> Iterator[None]:
    """A plugin with an architecture that does not scale."""

    class Plug:
        @mcbench.hookimpl
        def mcbench_architectures(self) -> list[Layers]:
            return [Layers("curved", nn.Tanh())]

    host.cache_clear()
    host().register(Plugin("curved", "third", "1.0"), Plug)
    yield
    host.cache_clear()


def test_a_run_says_why_it_does_not_apply(theirs: None) -> None:
    from click.testing import CliRunner

    from mcbench.cli import main

    words = ["run", "-m", "origin", "-a", "curved", "-r", "quick[epochs=1]", "--endpoints", "2"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    (line,) = [x for x in result.stderr.splitlines() if x.startswith("mcbench:")]
    assert line.startswith("mcbench: origin on pair 0-1 failed: the functions behind '1.weight'")
