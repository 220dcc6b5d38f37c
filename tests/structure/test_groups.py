"""Symmetry groups: found in networks of all kinds, and no permutation changes the outputs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from mcbench.errors import StructureError
from mcbench.structure.groups import Symmetry, derive_groups
from mcbench.structure.probe import Probe

IMAGE, ROWS = torch.randn(2, 3, 16, 16), torch.randn(2, 5, 8)


class Attention(nn.Module):
    """A residual block of attention with q, k and v from one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.qkv = nn.Linear(8, 16), nn.Linear(16, 48)
        self.out, self.leave = nn.Linear(16, 16), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        q, k, v = (
            part.view(*part.shape[:2], 4, 4).transpose(1, 2) for part in self.qkv(x).chunk(3, -1)
        )
        y = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        return self.leave((x + self.out(y)).mean(1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.out = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.lstm(x)[0][:, -1])


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enter, self.inner = nn.Embedding(11, 8), nn.Linear(8, 8)
        self.out = nn.Linear(8, 11, bias=False)
        self.out.weight = self.enter.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.relu(self.inner(self.enter(x))))


class Residual(nn.Module):
    """A residual block with group norms of four groups."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)
        self.norms = nn.ModuleList([nn.GroupNorm(4, 16), nn.GroupNorm(4, 16)])
        self.out = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.norms[0](self.one(x)))
        return self.out((x + self.norms[1](self.two(x))).mean((2, 3)))


class Joined(nn.Module):
    """A U-Net in small: a concatenation of two ways, one through a transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.down = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, 2, 1)
        self.up, self.inner = nn.ConvTranspose2d(16, 8, 2, 2), nn.Conv2d(16, 8, 3, padding=1)
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.enter(x))
        y = self.up(functional.relu(self.down(x)))
        return self.out(functional.relu(self.inner(torch.cat([x, y], 1))))


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enter, self.out = nn.Linear(8, 32), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.enter(x).chunk(2, -1)
        return self.out(functional.silu(gate) * value)


class Sorted(nn.Module):
    """An operation that is not understood: the order of the neurons is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.out = nn.Linear(8, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.enter(x).cumsum(-1))


class Branching(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


MLP = nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(6, 4))
CNN = nn.Sequential(
    nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(8 * 49, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 4),
)  # fmt: skip
DEPTHWISE = nn.Sequential(
    nn.Conv2d(3, 8, 1), nn.Conv2d(8, 16, 3, groups=8), nn.InstanceNorm2d(16, affine=True),
    nn.Conv2d(16, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2),
)  # fmt: skip
GROUPED = nn.Sequential(
    nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Conv2d(8, 12, 3, groups=4), nn.ReLU(), nn.Conv2d(12, 2, 1)
)
ROWWISE = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Flatten(), nn.Linear(80, 3))

CASES = {  # The network, an input, and the sizes of its groups, those of blocks negative.
    "MLP": (MLP, ROWS, [6]),
    "CNN": (CNN, IMAGE, [6, 8]),
    "rows": (ROWWISE, ROWS, [16]),
    "attention": (Attention(), ROWS, [-4, 4, 4, 4, 4, 4, 4, 4, 4, 16]),
    "LSTM": (Recurrent(), ROWS, [6, 6, 6, 6]),
    "tied embedding": (Tied(), torch.randint(0, 11, (2, 5)), [8]),
    "group norm": (Residual(), IMAGE, [-4, 4, 4, 4, 4]),
    "concatenation": (Joined(), IMAGE, [8, 8, 8, 16]),
    "gated": (Gated(), ROWS, [16]),
    "depthwise": (DEPTHWISE, IMAGE, [4, 8]),
    "grouped": (GROUPED, IMAGE, [-4, 2, 2, 2, 2, 3, 3, 3, 3]),
}


def sizes(symmetry: Symmetry) -> list[int]:
    counts = ((g.count, g.blocks.shape[1]) for g in symmetry.groups)
    return sorted(n if width == 1 else -n for n, width in counts)


@pytest.mark.parametrize("name", CASES)
def test_groups_are_found_and_permutations_change_no_output(name: str) -> None:
    module, example, expected = CASES[name]
    before = {n: x.clone() for n, x in module.state_dict().items()}
    symmetry = derive_groups(module, example)
    assert sizes(symmetry) == expected and not symmetry.rejected and not symmetry.fixed
    assert all(torch.equal(x, before[n]) for n, x in module.state_dict().items())
    probe, draws = Probe(module, (example,)), torch.Generator().manual_seed(3)
    orders = symmetry.random(draws)
    permuted = symmetry.permute(probe.params, orders)
    assert probe.difference(permuted) < 1e-12
    assert any(not torch.equal(x, probe.params[n]) for n, x in permuted.items())
    back = symmetry.permute(permuted, {n: order.argsort() for n, order in orders.items()})
    assert all(torch.equal(x, probe.params[n]) for n, x in back.items())
    for name in orders:  # Each moves something of its own.
        alone = symmetry.permute(probe.params, {name: torch.arange(len(orders[name])).flip(0)})
        assert probe.unchanged(alone)
        assert any(not torch.equal(x, probe.params[n]) for n, x in alone.items())


def test_a_permuted_network_is_the_same_in_plain_pytorch() -> None:
    symmetry = derive_groups(CNN, IMAGE)
    state = dict(CNN.eval().state_dict())
    orders = symmetry.random(torch.Generator().manual_seed(0))
    moved = symmetry.permute(state, orders)
    expected = CNN(IMAGE)
    assert torch.allclose(functional_call(CNN, moved, (IMAGE,)), expected, atol=1e-5)
    row = orders["0.weight:0"]
    assert torch.equal(moved["0.weight"], state["0.weight"][row])
    assert torch.equal(moved["1.running_var"], state["1.running_var"][row])


def test_an_operation_that_is_not_understood_fixes_its_neurons() -> None:
    symmetry = derive_groups(Sorted(), ROWS)
    assert symmetry.groups == () and symmetry.fixed == {"cumsum": 1}


def test_a_branch_on_data_is_refused_in_one_line() -> None:
    with pytest.raises(StructureError, match="cannot be exported") as error:
        derive_groups(Branching(), ROWS)
    assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "groups", "neurons"),
    [
        ("resnet18", 12, 2880), ("resnet50", 37, 11456), ("densenet121", 120, 10240),
        ("mobilenet_v2", 25, 9128), ("shufflenet_v2_x0_5", 80, 2938), ("convnext_tiny", 22, 27936),
        ("efficientnet_b0", 40, 11404), ("swin_t", 304, 28074),
    ],
)  # fmt: skip
def test_networks_of_torchvision(name: str, groups: int, neurons: int) -> None:
    models = pytest.importorskip("torchvision.models")
    module = getattr(models, name)(num_classes=10)
    symmetry = derive_groups(module, torch.randn(2, 3, 64, 64))
    assert (len(symmetry.groups), sum(g.count for g in symmetry.groups)) == (groups, neurons)
    assert not symmetry.rejected and not symmetry.fixed
