"""Recipes of the papers: their learning rates, and what modes change."""

from __future__ import annotations

from dataclasses import fields
from math import ceil

import pytest
import torch

from mcbench.plugins.host import host
from mcbench.problem.loading import load
from mcbench.problem.problem import Problem
from mcbench.problem.recipe import Recipe
from mcbench.store.store import Store

MODES = {
    "a": {"batch_size": 4000},
    "b": {"optimizer": "adam", "lr": 5e-4},
    "c": {"schedule": "linear"},
    "d": {"weight_decay": 5e-6},
    "e": {"init_variance": 3.0},
    "f": {"augment": ()},
}


def recipe(text: str) -> Recipe:
    found: Recipe = host().get("recipe", text)
    return found


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_changes_one_thing(mode: str) -> None:
    g, other = recipe("gotmare2018-g"), recipe(f"gotmare2018-{mode}")
    names = [f.name for f in fields(g) if f.name not in ("name", "summary", "reference")]
    changed = {n: getattr(other, n) for n in names if getattr(other, n) != getattr(g, n)}
    assert changed == MODES[mode]


def test_learning_rates_are_those_of_gotmare() -> None:
    g, c = recipe("gotmare2018-g"), recipe("gotmare2018-c")
    assert [g.rate(e) for e in (0, 59, 60, 120, 160, 199)] == pytest.approx(
        [0.05, 0.05, 0.01, 0.002, 0.0004, 0.0004]
    )
    assert c.rate(0) == pytest.approx(0.05) and c.rate(100) == pytest.approx(0.025)
    sgdr, sgd = recipe("gotmare2018-sgdr"), recipe("gotmare2018-sgd")
    for iterate in (30, 70, 150):  # An iterate is the end of a cycle.
        assert sgdr.rate(iterate - 1, 499, 500) < 1e-5
    assert [sgdr.rate(e) for e in (0, 10, 30, 70)] == pytest.approx([0.05] * 4)
    assert recipe("gotmare2018-sgdr[stop=30]").last == 30 and sgdr.last == 150
    assert [sgd.rate(e) for e in (59, 60, 149, 150)] == pytest.approx([0.05, 0.01, 0.01, 0.002])
    for iterate in (55, 65, 145, 155, 165):
        assert recipe(f"gotmare2018-sgd[stop={iterate}]").rate(10) == sgd.rate(10)


@pytest.mark.parametrize(
    ("name", "steps", "milestones"),
    [
        ("draxler2018-resnet", 64_000, (32_000, 48_000)),
        ("draxler2018-cnn", 64_000, (32_000, 48_000)),
        ("draxler2018-densenet", 250_000, (125_000, 187_500)),
    ],
)
def test_steps_are_rounded_up_to_epochs(
    name: str, steps: int, milestones: tuple[int, int]
) -> None:
    known = recipe(name)
    of_epoch = ceil(50_000 / known.batch_size)
    assert known.epochs == ceil(steps / of_epoch)
    assert known.milestones == tuple(ceil(m / of_epoch) for m in milestones)
    assert known.normalize == "none" and known.augment == ("flip", "crop")


def test_mode_e_has_three_times_the_variance(store: Store) -> None:
    data = load(host().get("dataset", "digits"), None, store)[0]
    vgg = host().get("architecture", "vgg16[channels=16,head=8]")
    g, e = (
        Problem(data, vgg, Recipe("here", init_variance=v)).build(0)
        for v in (1.0, recipe("gotmare2018-e").init_variance)
    )
    for small, large in zip(g.modules(), e.modules(), strict=True):
        if isinstance(small, torch.nn.Conv2d) and isinstance(large, torch.nn.Conv2d):
            assert torch.allclose(large.weight, small.weight * 3**0.5)
            assert small.bias is not None and large.bias is not None
            assert not small.bias.any() and not large.bias.any()
    kernel = next(m.weight for m in e.modules() if isinstance(m, torch.nn.Conv2d) and
                  m.in_channels == m.out_channels == 128)  # fmt: skip
    assert kernel.var().item() == pytest.approx(3 * 2 / (9 * 128), rel=0.02)
