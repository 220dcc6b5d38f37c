"""The chain of affine layers, derived from the network's graph; neurons as vectors."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mcbench.endpoint import Endpoint
from mcbench.errors import StructureError
from mcbench.problem import Problem
from mcbench.structure import derive_chain
from mcbench.structure.neurons import Hidden


class Functional(nn.Module):
    """A chain written with functions, its layers named out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.first = nn.Linear(5, 3, bias=False), nn.Linear(12, 5)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(x.view(x.size(0), -1)))
        return self.last(self.drop(x))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(12, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.flatten(1)
        return x + self.linear(x)


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(12, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(torch.relu(self.linear(x.flatten(1))))


def batch() -> torch.Tensor:
    return torch.randn(4, 1, 3, 4, generator=torch.Generator().manual_seed(0))


def test_the_chain_gives_the_networks_outputs_and_features() -> None:
    module = Functional().eval()
    chain = derive_chain(module, batch()[:2])
    assert [(x.weight, x.bias) for x in chain.layers] == [
        ("first.weight", "first.bias"),
        ("last.weight", None),
    ]
    params = dict(module.state_dict())
    assert torch.equal(chain.features(params, batch(), 2), module(batch()))
    assert torch.equal(chain.features(params, batch(), 0), batch().flatten(1))
    assert torch.equal(chain.features(params, batch(), 1), module.first(batch().flatten(1)).relu())


def test_deriving_leaves_the_training_mode_alone() -> None:
    module = Functional().train()
    derive_chain(module, batch()[:2])
    assert module.training


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (Residual(), "add"),
        (Shared(), "one weight in two layers"),
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Tanh()), "tanh"),
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Softmax(1)), "softmax"),
    ],
)
def test_what_stands_in_the_way_is_named(module: nn.Module, said: str) -> None:
    with pytest.raises(StructureError, match=said):
        derive_chain(module, batch()[:2])


def test_a_graph_that_depends_on_the_data_is_no_chain() -> None:
    class Branching(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(StructureError, match="cannot be exported"):
        derive_chain(Branching(), batch()[:2])


def hidden_of(problem: Problem, endpoint: Endpoint) -> Hidden:
    below, above = problem.chain.layers
    return Hidden(below, above, endpoint.params[below.weight].shape[1])


def test_packing_and_unpacking_neurons_loses_nothing(
    problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    a, _ = pair
    hidden = hidden_of(problem, a)
    neurons = hidden.pack(a.params)
    assert neurons.shape == (16, 64 + 1 + 10)
    for name, tensor in hidden.unpack(neurons).items():
        assert torch.equal(tensor, a.params[name])


def test_permuting_neurons_leaves_the_outputs_unchanged(
    problem: Problem, pair: tuple[Endpoint, Endpoint]
) -> None:
    _, b = pair
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    permuted = hidden_of(problem, b).permute(b.params, order)
    inputs, _ = next(problem.batches("test"))
    assert not torch.equal(permuted["1.weight"], b.params["1.weight"])
    assert torch.allclose(
        problem.forward(permuted, inputs), problem.forward(b.params, inputs), atol=1e-4
    )
