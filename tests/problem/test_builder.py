"""The builder of networks, and what it finds out by trying them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mcbench.errors import UsageError
from mcbench.plugins.host import host
from mcbench.problem.behaviour import try_out
from mcbench.problem.builder import Builder
from mcbench.problem.dataset import Data

SMALL = (
    "mlp[widths=(7,6)]", "mlp2", "mlp3[widths=(6,5)]", "conv2fc1[channels=(3,4)]", "resnet8",
    "vgg16[channels=2,head=6]", "vgg19[channels=2,head=6,norm=true]", "eggbox", "ring", "valley",
    "cnn[width=3,depth=2,hidden=5]", "3conv3fc[factor=0.006,channels=(2,3,4)]",
)  # fmt: skip


@pytest.fixture(scope="module")
def data() -> Data:
    return host().get("dataset", "digits").read(Path())


def builder(data: Data, make: object) -> Builder:
    return Builder(SimpleNamespace(name="theirs", build=lambda shape, classes: make()), data)


@pytest.mark.parametrize("text", SMALL)
def test_what_is_known_of_built_in_networks_is_what_they_do(text: str, data: Data) -> None:
    architecture = host().get("architecture", text)
    if architecture.loss == "output":
        data = host().get("dataset", "landscape").read(Path())
    built = Builder(architecture, data)
    assert built.builtin
    tried = try_out(built._initial(0), built._initial, built.samples(4), len(data.classes))
    assert built.behaviour == tried


def test_inputs_that_a_network_overwrites_stay(data: Data) -> None:
    class Overwriting(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.sub_(0.5).flatten(1))

    module = builder(data, lambda: Overwriting(64, 10))(0)
    inputs = torch.rand(3, 1, 8, 8)
    before = inputs.clone()
    one, two = module(inputs), module(inputs)
    assert torch.equal(inputs, before) and torch.equal(one, two)


def test_hidden_buffers_that_tell_networks_apart_are_stored(data: Data) -> None:
    class Hidden(nn.Sequential):
        def __init__(self) -> None:
            super().__init__(nn.Flatten(), nn.Linear(64, 10))
            self.register_buffer("drawn", torch.rand(2), persistent=False)
            self.register_buffer("fixed", torch.ones(2), persistent=False)

    state = builder(data, Hidden)(0).state_dict()
    assert "drawn" in state and "fixed" not in state


def test_a_single_sample_is_left_out_only_where_it_is_refused(data: Data) -> None:
    def normed() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 10))

    plain = builder(data, lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))
    order = torch.arange(13)
    assert [len(b) for b in plain.minibatches(order, 4)] == [4, 4, 4, 1]
    assert [len(b) for b in builder(data, normed).minibatches(order, 4)] == [4, 4, 4]
    assert [len(b) for b in builder(data, normed).minibatches(order, 5)] == [5, 5, 3]


def test_a_network_that_cannot_be_built_is_named(data: Data) -> None:
    def fail() -> nn.Module:
        raise KeyError("width")

    with pytest.raises(UsageError, match=r"'theirs': no network for inputs .*KeyError: 'width'"):
        builder(data, fail)(0)


def test_stacking_is_tried(data: Data) -> None:
    class Rows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.last = nn.LSTM(8, 4, batch_first=True), nn.Linear(4, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.rnn(x[:, 0])[0][:, -1])

    linear = builder(data, lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))
    assert linear.stacks_in_training and linear.stacks_in_evaluation
    assert not builder(data, Rows).stacks_in_training
