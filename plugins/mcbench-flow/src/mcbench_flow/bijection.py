"""`RealNVPBijection`, the map fitted by the loss along its paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import mcbench
from mcbench_flow import FittedMap

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from mcbench import Endpoint, Need, Params, Problem

USUAL = 256
"""Width of the coupling layers' networks up to which the learning rate is taken as it is."""

DRAWS = 20
"""Number of draws on which the losses before and after a fit are compared."""


@dataclass(frozen=True)
class RealNVPBijection(FittedMap):
    r"""Arcs in the coordinates of a bijection that is fitted by the loss along such paths.

    A neuron is the vector of its incoming weights, bias and outgoing weights. The path is
    :math:`\psi(t) = \nu^{-1}[\cos(\pi t/2)\,\nu(\theta^A) + \sin(\pi t/2)\,\nu(\theta^B)]`
    with :math:`\nu` fitted to minimise
    :math:`\mathbb{E}_{t \sim U(0,1);\,A,B} L(\psi(t))` over pairs of a pool, L being the loss
    that networks are trained with. A step draws one pair, ``times`` points of its path and a batch
    of training samples; its gradient goes through :math:`\nu`, its inverse and the network.

    :math:`\nu` is affine coupling layers on alternating halves of the coordinates. The
    published one has 2, with networks of width 2000 on MNIST and 3000 on CIFAR-10, in one case
    with batch normalisation between them; how it was trained is not known. The default here is
    narrower, for a CPU. At the start :math:`\nu` only standardises, and paths are arcs.

    Adam moves every weight by about the learning rate, so the more hidden units a network has, the
    further its outputs move in a step: networks wider than 256 take 256/width of the rate (the
    power of Yang et al., NeurIPS 2021). A fit that does not lower the loss is noted on its paths.

    Raises:
        StructureError: When connecting or fitting networks that have not two affine layers.
        RunError: When the loss is not finite.
    """

    name = "realnvp-bijection"
    summary = "arcs in the coordinates of a bijection, fitted by the loss along paths of a pool"
    route: ClassVar[str] = "arcs in coordinates of a bijection, one for all pairs"
    use: ClassVar[str] = (
        "For many pairs of two-layer networks: one map serves all pairs. It is fitted by the loss "
        "on its paths between a pool of further networks, which have to be trained."
    )
    needs: ClassVar[frozenset[Need]] = frozenset({"data", "affine-chain", "pool"})
    trial: ClassVar[dict[str, object]] = {"pool": 2, "hidden": 8, "steps": 10}
    facts: ClassVar[tuple[str, ...]] = ("before", "after")
    pool: int = mcbench.parameter(16, "networks that the bijection is fitted on", ge=2)
    layers: int = mcbench.parameter(2, "coupling layers, on alternating halves", ge=2)
    hidden: int = mcbench.parameter(256, "width of their networks", ge=1)
    steps: int = mcbench.parameter(1000, "steps of Adam", ge=1)
    lr: float = mcbench.parameter(
        3e-3, "learning rate at the start, of a width up to 256; it falls to 0", gt=0
    )
    batch: int = mcbench.parameter(128, "training samples per step", ge=1)
    times: int = mcbench.parameter(1, "points of the path per step", ge=1)

    def build(self, features: int) -> Any:
        """The bijection, not fitted."""
        import zuko

        return zuko.flows.NICE(features, transforms=self.layers, hidden_features=(self.hidden,))

    def notes(self, facts: Params, problem: Problem) -> Iterator[str]:
        """Whether the fit failed to lower the loss."""
        before, after = (float(facts[name]) for name in self.facts)
        if after >= before:
            yield (
                f"the fit did not lower the loss on the pool's paths, {before:.3g} before and "
                f"{after:.3g} after: take another rate, {self.name}[lr=...], here {self.lr:g}"
            )

    def fit(self, pool: list[Endpoint], problem: Problem) -> Params:
        """Fit the bijection to the pairs of a pool."""
        import torch

        from mcbench_flow.connection import initial, path_loss, pooled
        from mcbench_flow.fitting import Objective, fit

        train = problem.splits["train"]
        neurons = pooled(pool, problem).flatten(0, 1)
        nu = initial(self.build, neurons, problem, self.name)

        def loss(draws: torch.Generator) -> Tensor:
            """Mean loss at some points between two networks."""
            i, j = torch.randperm(len(pool), generator=draws)[:2].tolist()
            times = torch.rand(self.times, generator=draws).tolist()
            rows = torch.randint(len(train), (self.batch,), generator=draws).to(problem.device)
            batch = train.normalized(train.inputs[rows]), train.targets[rows]
            problem.samples_seen += self.batch * self.times
            return path_loss(nu, pool[i].params, pool[j].params, times, problem, batch)

        def mean() -> Tensor:
            """Mean loss over draws that no step has."""
            draws = (problem.generator("compared", self.name, k) for k in range(DRAWS))
            with torch.no_grad():
                return torch.stack([loss(each) for each in draws]).mean()

        before = mean()
        lr = self.lr * min(1.0, USUAL / self.hidden)
        tensors, _ = fit(nu, Objective(self.name, loss, self.steps, lr), problem)
        nu.load_state_dict(tensors)
        return tensors | dict(zip(self.facts, (before, mean()), strict=True))
