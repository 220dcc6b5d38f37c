"""The chain of affine layers, derived from the network's graph; neurons as vectors."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mcbench.errors import StructureError
from mcbench.paths.params import Params
from mcbench.plugins.host import host
from mcbench.structure.chain import Chain
from mcbench.structure.derivation import derive_chain
from mcbench.structure.neurons import Hidden


class Functional(nn.Module):
    """A chain written with functions, its layers named out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.first = nn.Linear(5, 3, bias=False), nn.Linear(12, 5)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu_(self.first(x.view(x.size(0), -1)))
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


def batch(channels: int = 1, height: int = 3, width: int = 4) -> torch.Tensor:
    return torch.randn(4, channels, height, width, generator=torch.Generator().manual_seed(0))


def strided() -> nn.Module:
    """Every geometry at once, with normalisation and pooling of several kinds."""
    return nn.Sequential(
        nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 6, 3, padding="same", bias=False),
        nn.LeakyReLU(0.1),
        nn.AvgPool2d(2),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(24, 5),
        nn.BatchNorm1d(5, affine=False),
        nn.Tanh(),
        nn.Linear(5, 3),
    )


def networks() -> list[tuple[str, nn.Module, torch.Tensor]]:
    small = batch(1, 8, 8)
    built = [
        (text, host().get("architecture", text).build((1, 8, 8), 3), small)
        for text in (
            "mlp[widths=(7,6,5)]", "mlp3[widths=(6,5)]", "conv2fc1[channels=(3,4)]",
            "vgg16[channels=2,head=6]", "vgg19[channels=2,head=6,norm=true]",
            "cnn[width=3,depth=2,hidden=5]", "3conv3fc[factor=0.006,channels=(2,3,4)]",
        )
    ]  # fmt: skip
    return [*built, ("strided", strided(), batch(2, 9, 8)), ("functional", Functional(), batch())]


def random_state(module: nn.Module) -> Params:
    """Parameters and statistics that are all different."""
    draws = torch.Generator().manual_seed(1)
    state = {}
    for name, x in module.state_dict().items():
        if not x.is_floating_point():
            state[name] = x
        elif "var" in name:
            state[name] = torch.rand(x.shape, generator=draws) + 0.5
        else:
            state[name] = torch.randn(x.shape, generator=draws) * (x[0].numel() + 1) ** -0.5
    return state


NETWORKS = networks()
each = pytest.mark.parametrize(
    ("module", "inputs"), [n[1:] for n in NETWORKS], ids=[n[0] for n in NETWORKS]
)


def chained(module: nn.Module, inputs: torch.Tensor) -> tuple[Chain, Params]:
    state = random_state(module)
    module.load_state_dict(state)
    return derive_chain(module, inputs[:2]), state


@each
def test_the_chain_gives_the_networks_outputs(module: nn.Module, inputs: torch.Tensor) -> None:
    chain, state = chained(module, inputs)
    count = len(chain.layers)
    assert torch.allclose(chain.features(state, inputs, count), module.eval()(inputs), atol=1e-5)
    middle = chain.features(state, inputs, count - 1)
    assert torch.equal(
        chain.run(state, middle, count - 1, count), chain.features(state, inputs, count)
    )


@each
def test_every_layer_is_its_matrix_on_the_patches_it_sees(
    module: nn.Module, inputs: torch.Tensor
) -> None:
    chain, state = chained(module, inputs)
    for k, layer in enumerate(chain.layers):
        x = chain.features(state, inputs, k)
        product = layer.patches(x) @ layer.matrix(state).T
        if layer.bias is not None:
            product = product + state[layer.bias]
        assert torch.allclose(product, layer.rows(layer.product(state, x)), atol=1e-4)
        assert len(product) == len(x) * layer.places(x)


@each
def test_sampled_positions_are_a_part_of_all(module: nn.Module, inputs: torch.Tensor) -> None:
    chain, state = chained(module, inputs)
    for k, layer in enumerate(chain.layers):
        x = chain.features(state, inputs, k)
        places = layer.places(x)
        if layer.geometry is None:
            assert places == 1
            continue
        chosen = torch.randint(places, (len(x), 3), generator=torch.Generator().manual_seed(2))
        every = layer.patches(x).view(len(x), places, -1)
        expected = torch.stack([every[i, chosen[i]] for i in range(len(x))]).flatten(0, 1)
        assert torch.equal(layer.patches(x, chosen), expected)
        y = layer.product(state, x)
        rows = layer.patches(x, chosen) @ layer.matrix(state).T
        if layer.bias is not None:
            rows = rows + state[layer.bias]
        assert torch.allclose(layer.rows(y, chosen), rows, atol=1e-4)


@each
def test_permuting_neurons_leaves_the_outputs_unchanged(
    module: nn.Module, inputs: torch.Tensor
) -> None:
    chain, state = chained(module, inputs)
    expected = chain.features(state, inputs, len(chain.layers))
    for k in range(len(chain.layers) - 1):
        hidden = Hidden.of(chain, state, k)
        order = torch.randperm(hidden.count, generator=torch.Generator().manual_seed(k))
        permuted = hidden.permute(state, order)
        outputs = chain.features(permuted, inputs, len(chain.layers))
        assert torch.allclose(outputs, expected, atol=1e-4)
        inverse = hidden.permute(permuted, order.argsort())
        assert all(torch.equal(x, state[n]) for n, x in inverse.items())


@each
def test_packing_and_unpacking_neurons_loses_nothing(
    module: nn.Module, inputs: torch.Tensor
) -> None:
    chain, state = chained(module, inputs)
    for k in range(len(chain.layers) - 1):
        hidden = Hidden.of(chain, state, k)
        neurons = hidden.pack(state)
        assert neurons.shape[0] == hidden.count
        for name, tensor in hidden.unpack(neurons).items():
            assert torch.equal(tensor, state[name])
        order = torch.randperm(hidden.count, generator=torch.Generator().manual_seed(k))
        assert torch.equal(hidden.pack(hidden.permute(state, order)), neurons[order])


def test_deriving_leaves_the_training_mode_alone() -> None:
    module = Functional().train()
    derive_chain(module, batch()[:2])
    assert module.training


def test_functions_do_not_overwrite_the_activations_they_are_given() -> None:
    chain, state = chained(Functional(), batch())
    x = chain.layers[0].apply(state, chain.through(0, batch()))
    before = x.clone()
    chain.through(1, x)
    assert torch.equal(x, before)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (Residual(), "add"),
        (Shared(), "one weight in two layers"),
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Softmax(1)), "softmax in module '2'"),
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.LayerNorm(4)), "layer_norm"),
        (nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten(2), nn.Linear(12, 4)), "no flattening"),
        (nn.Sequential(nn.Conv2d(1, 2, 2), nn.Conv2d(2, 2, 2, groups=2)), "grouped"),
        (nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False)), "batch_norm"),
        (nn.Sequential(nn.Conv2d(1, 2, 1), nn.Flatten(), nn.BatchNorm1d(24)), "batch_norm"),
        (nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.BatchNorm2d(2)), "batch_norm"),
        (nn.Sequential(nn.Conv2d(1, 2, 2, padding="same")), "unequally"),
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
