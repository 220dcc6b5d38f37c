"""Networks as rows: every number once, and back."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import mcbench
from mcbench.paths.params import equal


class Tied(nn.Module):
    """Buffers of two types between the parameters, and a weight that two layers share."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3, bias=False)
        self.second.weight = self.first.weight
        self.scale = nn.Parameter(torch.tensor(2.0))


@pytest.fixture
def module() -> Tied:
    torch.manual_seed(0)
    return Tied()


def params_of(module: nn.Module) -> mcbench.Params:
    return {name: x.detach().clone() for name, x in module.state_dict().items()}


def test_parameters_come_first_and_each_number_once(module: Tied) -> None:
    layout = mcbench.Layout(module)
    named = [name for name, _ in module.named_parameters()]
    assert list(layout.names)[: layout.parameters] == named
    assert layout.names["first.weight"] == ["first.weight", "second.weight"]
    assert layout.trained == sum(p.numel() for p in module.parameters()) == 6 + 9 + 3 + 1
    assert layout.size == layout.trained + 6  # The counter of batches is no floating-point number.
    row = layout.flatten(params_of(module))
    expected = [*(p.flatten() for p in module.parameters()), torch.zeros(3), torch.ones(3)]
    assert row.equal(torch.cat(expected))


def test_a_row_is_the_network_that_it_was(module: Tied) -> None:
    layout, params = mcbench.Layout(module), params_of(module)
    row = layout.flatten(params)
    again = layout.unflatten(row, {name: torch.zeros_like(x) for name, x in params.items()})
    assert equal(again, params)
    row.zero_()
    assert equal(again, params)
    double = {n: x.double() if x.is_floating_point() else x for n, x in params.items()}
    again = layout.unflatten(layout.flatten(double), double)
    assert equal(again, double)


def test_pieces_are_views_of_whatever_many_rows(module: Tied) -> None:
    layout, params = mcbench.Layout(module), params_of(module)
    rows = torch.stack([layout.flatten(params), torch.zeros(layout.size)])
    pieces = layout.pieces(rows)
    assert list(pieces) == list(layout.names)
    for name, piece in pieces.items():
        assert piece.shape == (2, *params[name].shape) and piece[0].equal(params[name])
    pieces["scale"][1] = 7
    assert rows[1].sum() == 7
    alone = layout.pieces(rows[:, : layout.trained].expand(5, 2, -1))
    assert list(alone) == list(layout.names)[: layout.parameters]
    assert alone["first.weight"].shape == (5, 2, 3, 3)
    with pytest.raises(RuntimeError):
        layout.pieces(rows[:, :-1])


@pytest.mark.parametrize("first", [0, 1])
def test_packed_networks_are_unpacked(module: Tied, first: int) -> None:
    networks = [{n: x + i for n, x in params_of(module).items()} for i in range(3)]
    packed = mcbench.pack(networks, first)
    assert torch.equal(packed[f"{first + 2}.scale"], networks[2]["scale"])
    others = {"network.scale": packed[f"{first}.scale"]}
    for network, expected in zip(
        mcbench.unpack(packed | others, networks[0], first), networks, strict=True
    ):
        assert equal(network, expected)
    assert mcbench.unpack({}, networks[0]) == []
