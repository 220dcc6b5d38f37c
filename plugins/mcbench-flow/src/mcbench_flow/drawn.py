"""Accuracy of networks whose neurons are drawn at random from those of a pool."""

from __future__ import annotations

import torch

from mcbench import Endpoint, Problem
from mcbench_flow.connection import pooled
from mcbench_flow.neurons import hidden_of

NETWORKS = 10
"""Number of networks that are drawn."""


def drawn_accuracy(pool: list[Endpoint], problem: Problem, purpose: str) -> float:
    r"""Mean training accuracy in percent of networks of n neurons drawn from all of a pool.

    This is what the middle of a path has whose neurons are distributed as those of the networks,
    independently of one another: the output :math:`\sum_i c_i \phi(l_i x + b_i)` of such a network
    has a standard error of order :math:`1/\sqrt n` of that of infinitely many neurons. The output
    bias is the pool's mean.
    """
    neurons = pooled(pool, problem)
    rows = neurons.flatten(0, 1)
    hidden = hidden_of(pool[0].params, problem)
    means = {n: torch.stack([end.params[n] for end in pool]).mean(0) for n in pool[0].params}
    draws = problem.generator("drawn networks", purpose)
    networks = []
    for _ in range(NETWORKS):
        chosen = torch.randint(len(rows), (neurons.shape[1],), generator=draws).to(rows.device)
        networks.append(means | hidden.unpack(rows[chosen]))
    right = total = 0
    with torch.no_grad():
        for inputs, targets in problem.batches("train"):
            for network in networks:
                right += int((problem.forward(network, inputs).argmax(1) == targets).sum())
            total += NETWORKS * len(targets)
    return 100 * right / total
