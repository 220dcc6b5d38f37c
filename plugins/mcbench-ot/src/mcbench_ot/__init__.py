"""Optimal transport between the neurons of two networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import mcbench

if TYPE_CHECKING:
    from torch import Tensor

REFERENCE = "Anokhin & Yarotsky, ICML 2020 (connection using optimal transportation)"


@dataclass(frozen=True)
class OptimalTransport:
    r"""Bijection p of neurons that minimises :math:`\sum_i |\theta_i^A - \theta_{p(i)}^B|^2`.

    Between uniform samples of equal size, optimal transport is an assignment; it is solved
    exactly, in float64.
    """

    name = "ot"
    summary = "optimal transport: the bijection of neurons with the smallest summed cost"
    reference = REFERENCE
    cost: Literal["neuron", "incoming"] = mcbench.parameter(
        "neuron", "neuron: all of a neuron's weights; incoming: its incoming weights alone"
    )

    def match(self, a: Tensor, b: Tensor, incoming: int) -> Tensor:
        """The permutation p, shape (n,)."""
        import torch
        from scipy.optimize import linear_sum_assignment

        if self.cost == "incoming":
            a, b = a[:, :incoming], b[:, :incoming]
        # |a - b|^2 = |a|^2 + |b|^2 - 2ab, and the first two do not depend on the bijection.
        gain = a.double() @ b.double().T
        _, order = linear_sum_assignment(gain.cpu().numpy(), maximize=True)
        return torch.from_numpy(order).to(a.device)


@mcbench.hookimpl
def mcbench_matchings() -> Iterator[OptimalTransport]:
    """Optimal transport as a part of composed methods."""
    yield OptimalTransport()


@mcbench.hookimpl
def mcbench_methods() -> Iterator[mcbench.Composition]:
    """Optimal transport as a method."""
    summary = "match neurons by optimal transport, move straight, permute back"
    use = "A low path without a pass over the data: one assignment for each hidden layer."
    yield mcbench.Composition("ot", summary, REFERENCE, use, matching="ot", baseline=True)
