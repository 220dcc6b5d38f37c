"""The papers' networks: their sizes, their parts, and that every part of mcbench takes them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mcbench.builtin.modules import Padding
from mcbench.errors import StructureError, UsageError
from mcbench.evaluation.ends import check_ends
from mcbench.evaluation.stacked import outputs, stack
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan
from mcbench.paths.params import equal
from mcbench.plugins.host import host
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.store.store import Store

SMALL = [
    "resnet8[width=2]",
    "resnet8[width=2,shortcut=padding]",
    "preresnet164[width=1]",
    "wrn28x10[factor=1]",
    "densenet40-12[growth=1]",
    "densenet100-12-bc[growth=1]",
    "cnn[width=2,depth=3,hidden=5]",
    "3conv3fc[factor=0.005,channels=(2,3,4)]",
]
"""Narrow ones of every kind."""


def built(text: str, shape: tuple[int, ...] = (3, 32, 32), classes: int = 10) -> nn.Module:
    with torch.device("meta"):
        module: nn.Module = host().get("architecture", text).build(shape, classes)
    return module


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("mlp3", 3072 * 6144 + 6144 * 2000 + 2000 * 10),
        ("conv2fc1", 75 * 32 + 32 + 800 * 64 + 64 + 3136 * 10 + 10),
        ("vgg16", 15_245_130),
        ("vgg19", 20_554_826),
        ("cnn[width=12]", 76 * 12 + 24 + (16 * 16 * 12 + 1) * 256 + 512 + 257 * 10),
        ("cnn[width=48,depth=2]", 76 * 48 + 1201 * 48 + 192 + 3073 * 256 + 512 + 257 * 10),
        ("3conv3fc", 76 * 32 + 801 * 64 + 1601 * 128 + 1153 * 1000 + 1001 * 1000 + 1001 * 10),
        ("3conv3fc[factor=0.3]", 76 * 32 + 801 * 64 + 1601 * 128 + 1153 * 300 + 301 * 300 + 3010),
        ("resnet20[shortcut=padding]", 269_722),
        ("resnet20", 269_722 + 16 * 32 + 32 * 64 + 2 * (32 + 64)),
    ],
)
def test_they_have_their_number_of_parameters(text: str, parameters: int) -> None:
    assert sum(p.numel() for p in built(text).parameters()) == parameters


@pytest.mark.parametrize(
    "text", ["mlp3[widths=(8)]", "mlp3[widths=(8,7,6)]", "mlp7[widths=(8,7)]"]
)
def test_networks_that_are_named_by_their_depth_have_it(text: str) -> None:
    with pytest.raises(UsageError, match="hidden layers, not"):
        built(text)


@pytest.mark.parametrize(
    ("text", "millions", "digits"),
    [  # As the papers print them.
        ("resnet20[shortcut=padding]", 0.27, 2),
        ("resnet32[shortcut=padding]", 0.46, 2),
        ("resnet44[shortcut=padding]", 0.66, 2),
        ("resnet56[shortcut=padding]", 0.85, 2),
        ("preresnet164", 1.7, 1),
        ("wrn28x10", 36.5, 1),
        ("densenet100-12-bc", 0.8, 1),
    ],
)
def test_they_are_as_large_as_the_papers_say(text: str, millions: float, digits: int) -> None:
    assert round(sum(p.numel() for p in built(text).parameters()) / 1e6, digits) == millions


def test_resnet20_has_the_dimensions_that_draxler_et_al_count() -> None:
    """Parameters and running statistics, counters left out: their notebook Evaluate.ipynb."""
    state = built("resnet20").state_dict()
    assert sum(x.numel() for x in state.values() if x.is_floating_point()) == 274_042


def test_depth_is_the_number_of_layers_with_weights() -> None:
    """Projections in shortcuts are not counted, nor are normalisations."""

    def layers(text: str) -> int:
        kinds = (nn.Conv2d, nn.Linear)
        modules = built(text).named_modules()
        return sum(isinstance(m, kinds) and "shortcut" not in name for name, m in modules)

    for depth in (8, 20, 32, 44, 56, 158):
        assert layers(f"resnet{depth}") == depth
    assert layers("preresnet164") == 164
    # One convolution, 24 in blocks, a linear layer: the name counts two projections more.
    assert layers("wrn28x10") == 26
    assert layers("densenet40-12") == 40
    assert layers("densenet100-12-bc") == 100


def test_padding_takes_pixels_and_adds_zeros() -> None:
    x = torch.arange(2 * 3 * 5 * 4.0).view(2, 3, 5, 4)
    y = Padding(2, 2)(x)
    assert y.shape == (2, 5, 3, 2)
    assert torch.equal(y[:, :3], x[:, :, ::2, ::2]) and not y[:, 3:].any()


def untrained(text: str, store: Store) -> tuple[Problem, Endpoint, Endpoint]:
    """A network on digits with two draws of its initial weights."""
    plan = Plan(dataset="digits", architecture=text, recipe="quick[lr=0.01,batch_size=449]")
    problem = Experiment(plan, store).problem
    a, b = (Endpoint(dict(problem.build(s).state_dict()), s, str(s)) for s in (0, 1))
    return problem, a, b


@pytest.mark.parametrize("text", SMALL)
def test_curves_and_stacks_take_them(text: str, store: Store) -> None:
    """A trained bend, statistics at the points between, exact ends, several in one pass."""
    problem, a, b = untrained(text, store)
    path = host().get("method", "polychain[epochs=1]").connect(a, b, problem)
    check_ends(path, a.params, b.params, problem)
    middle = path(0.5)
    inputs, targets = problem.splits["test"].inputs[:50], problem.splits["test"].targets[:50]
    assert bool(problem.criterion(problem.forward(middle, inputs), targets).isfinite())
    assert not equal(middle, a.params)
    for name, x in middle.items():
        if name.endswith("running_var"):
            line = (a.params[name] + b.params[name]) / 2
            assert not torch.allclose(x, line) and bool((x >= 0).all())
    each = [problem.forward(p, inputs[:3]) for p in (a.params, middle)]
    both = outputs(problem, stack([a.params, middle]), inputs[:3])
    for one, several in zip(each, both, strict=True):
        assert torch.allclose(one, several, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("text", [SMALL[0], SMALL[4], *SMALL[-2:]])
def test_layerwise_methods_take_chains_and_refuse_others(text: str, store: Store) -> None:
    problem, a, b = untrained(text, store)
    method = host().get("method", "ot-bfly")
    if text.startswith(("cnn", "3conv3fc")):
        assert equal(method.connect(a, b, problem)(1.0), b.params)
        return
    with pytest.raises(StructureError, match=r"in module '.*' breaks the chain: it joins") as said:
        method.connect(a, b, problem)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(
    ("text", "shape", "said"),
    [
        ("resnet20", (2,), "takes images (channels, height, width), not inputs of shape (2,)"),
        ("vgg16", (64,), "takes images"),
        ("3conv3fc", (3, 8), "takes images"),
        ("densenet40-12", (1, 3, 8), "at least 4 x 4 pixels, not 3 x 8"),
        ("cnn[depth=4]", (1, 8, 8), "at least 16 x 16 pixels, not 8 x 8"),
        ("conv2fc1", (1, 6, 8), "at least 7 x 7 pixels"),
        ("3conv3fc[channels=(1,0,2)]", (1, 8, 8), "channels must be positive"),
    ],
)
def test_what_they_cannot_take_is_said_in_a_line(
    text: str, shape: tuple[int, ...], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        host().get("architecture", text).build(shape, 10)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("text", SMALL)
def test_they_take_small_and_oblong_images(text: str) -> None:
    for shape in ((1, 8, 8), (2, 9, 17)):
        module = host().get("architecture", text).build(shape, 3).eval()
        assert module(torch.zeros(2, *shape)).shape == (2, 3)
