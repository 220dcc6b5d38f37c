"""Layer-wise connection of deep and convolutional networks: ends, stages, adjusted outputs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

import mcbench
from conftest import Deep
from mcbench.evaluation.ends import check_ends
from mcbench.paths.params import distance, equal
from mcbench.plugins.host import host

MLP, CONV, NORMED, POOLED = (
    "mlp[widths=(9,8,7)]", "conv2fc1[channels=(4,5)]", "vgg16[channels=2,head=5,norm=true]",
    "cnn[width=3,depth=2,hidden=5]",
)  # fmt: skip

METHODS = [
    "linear", "arc", "ot", "linear-wa", "arc-wa", "ot-wa", "linear-bfly", "arc-bfly", "ot-bfly",
]  # fmt: skip


def connect(method: str, deep: Deep) -> mcbench.Path:
    problem, pair = deep
    return host().get("method", method).connect(*pair, problem)


@pytest.mark.parametrize("text", [MLP, CONV])
@pytest.mark.parametrize("method", METHODS)
def test_ends_are_exact_and_legs_meet(method: str, text: str, deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep(text)
    path = connect(method, (problem, (a, b)))
    check_ends(path, a.params, b.params, problem)
    assert path.end == "b" and equal(path(1.0), b.params)
    for one, two in pairwise(path.legs):
        assert equal(one.stop, two.start)
    for leg in path.legs:
        middle = leg(0.5)
        whole = distance(leg.start, middle) + distance(middle, leg.stop)
        assert distance(leg.start, leg(1e-4)) <= 0.02 * whole + 1e-6
        assert distance(leg(1 - 1e-4), leg.stop) <= 0.02 * whole + 1e-6


@pytest.mark.parametrize("text", [NORMED, POOLED])
@pytest.mark.parametrize("method", ["linear", "arc", "ot-wa[positions=3]", "arc-bfly"])
def test_batch_normalisation_is_kept_with_its_layer(
    method: str, text: str, deep: Callable[[str], Deep]
) -> None:
    """Where pooling stands between them too."""
    problem, (a, b) = deep(text)
    path = connect(method, (problem, (a, b)))
    check_ends(path, a.params, b.params, problem)
    for i in range(1, 12):
        point = path(i / 12)
        assert all(float(x.min()) > 0 for n, x in point.items() if "running_var" in n)


@pytest.mark.parametrize("method", ["linear-wa", "arc-wa", "linear-bfly", "ot-wa"])
@pytest.mark.parametrize("text", [MLP, CONV])
def test_a_stage_ends_with_bs_layers_below_and_as_above(
    method: str, text: str, deep: Callable[[str], Deep]
) -> None:
    problem, (a, b) = deep(text)
    path = connect(method, (problem, (a, b)))
    layers = problem.chain.layers
    for k in range(len(layers) - 1):
        stop = path.legs[k].stop
        for layer in layers[k + 2 :]:
            assert all(torch.equal(stop[n], a.params[n]) for n in layer.entries)
        if not method.startswith("ot"):
            for layer in layers[: k + 1]:
                assert all(torch.equal(stop[n], b.params[n]) for n in layer.entries)


@pytest.mark.parametrize("method", ["linear-wa", "arc-wa", "ot-wa", "linear-bfly"])
@pytest.mark.parametrize("text", [MLP, CONV, POOLED])
def test_the_adjusted_layer_is_the_least_squares_optimum(
    method: str, text: str, deep: Callable[[str], Deep]
) -> None:
    """Where a stage ends, A's outputs of the layer are met as well as any weights can."""
    problem, (a, b) = deep(text)
    path = connect(f"{method}[precision=float64,cutoff=1e-12]", (problem, (a, b)))
    inputs = problem.splits["train"].inputs
    for k, layer in enumerate(problem.chain.layers[1:], 1):
        stop = path.legs[k - 1].stop
        features = layer.patches(problem.chain.features(stop, inputs, k)).double()
        own = layer.patches(problem.chain.features(a.params, inputs, k)).double()
        wanted = own @ layer.matrix(a.params).double().T
        residual = wanted - features @ layer.matrix(stop).double().T
        best = wanted - features @ torch.linalg.lstsq(features, wanted, driver="gelsd").solution
        assert float(residual.norm()) <= float(best.norm()) * (1 + 1e-3) + 1e-4


def test_outputs_are_kept_exactly_where_features_have_full_rank() -> None:
    """More neurons than samples: every stage keeps A's outputs of its layer, so all of A's."""
    from mcbench.problem.dataset import Data, Split
    from mcbench.problem.endpoint import Endpoint
    from mcbench.problem.problem import Problem

    draws = torch.Generator().manual_seed(0)
    inputs = torch.randint(256, (30, 1, 6, 6), dtype=torch.uint8, generator=draws)
    split = Split(inputs, torch.arange(30) % 3)
    architecture = host().get("architecture", "mlp[widths=(80,70)]")
    problem = Problem(
        Data(split, split, ("a", "b", "c")), architecture, host().get("recipe", "quick")
    )
    a, b = (Endpoint(dict(problem.build(s).state_dict()), s, str(s)) for s in (0, 1))
    expected = problem.forward(a.params, problem.splits["train"].inputs)
    path = host().get("method", "linear-wa[precision=float64]").connect(a, b, problem)
    for leg in path.legs[:2]:
        for u in (0.3, 0.8, 1.0):
            outputs = problem.forward(leg(u), problem.splits["train"].inputs)
            assert torch.allclose(outputs, expected, atol=1e-3)


def test_the_path_may_stop_where_the_published_code_stops(deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep(CONV)
    short = connect("linear-wa[end=short]", (problem, (a, b)))
    whole = connect("linear-wa", (problem, (a, b)))
    assert short.end == "short" and len(short.legs) == len(whole.legs) - 1
    assert equal(short(1.0), whole.legs[-2].stop)
    check_ends(short, a.params, b.params, problem)
    permuted = connect("ot-wa[end=permuted]", (problem, (a, b)))
    assert permuted.end == "permuted"
    check_ends(permuted, a.params, b.params, problem)


def test_sampled_positions_are_seeded_and_near_the_whole(deep: Callable[[str], Deep]) -> None:
    problem, (a, b) = deep(CONV)
    one, two, whole = (
        connect(f"linear-wa[positions={n}]", (problem, (a, b))).legs[0].stop for n in (8, 8, 0)
    )
    assert equal(one, two)
    assert distance(one, whole) < 0.5 * distance(a.params, whole)


def test_adjusted_paths_of_deep_networks_lose_less(deep: Callable[[str], Deep]) -> None:
    """In the mean over the path, on the training data."""
    problem, pair = deep("mlp[widths=(24,16)]")
    inputs, targets = problem.splits["train"].inputs, problem.splits["train"].targets

    def loss(method: str) -> float:
        path = connect(method, (problem, pair))
        points = [path(i / 20) for i in range(21)]
        return sum(float(problem.loss(p, inputs, targets)) for p in points) / 21

    assert loss("linear-wa") < loss("linear")
    assert loss("ot-wa") < loss("linear")
