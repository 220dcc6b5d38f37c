"""`IAFFlow`, the map fitted by maximum likelihood."""

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

HELD_OUT = 8
"""One neuron in so many is held out; the flow that makes those likeliest is kept."""

ENOUGH = 30
"""Neurons per coordinate from which on a flow finds the correlations by itself."""


@dataclass(frozen=True)
class IAFFlow(FittedMap):
    r"""Arcs in the coordinates in which an autoregressive flow makes neurons standard normal.

    A neuron :math:`\theta` is the vector of its incoming weights, bias and outgoing weights. The
    path is :math:`\nu^{-1}[\cos(\pi t/2)\,\nu(\theta^A) + \sin(\pi t/2)\,\nu(\theta^B)]`, with
    :math:`\nu` fitted to the neurons of a pool by
    :math:`\max \mathbb{E} \log \rho(\nu(\theta)) |\det \partial\nu/\partial\theta|`,
    :math:`\rho = N(0, I)`.

    An inverse autoregressive transform turns its input into its output in one pass,
    :math:`z_i = s_i(\theta_{<i})\,\theta_i + m_i(\theta_{<i})`, and back in d. In variational
    inference its input is the noise. Here it is the neuron, for :math:`\nu` is what has to be
    fast: the likelihood of data needs :math:`\nu` and its determinant alone. (As a model of the
    density this is called a masked autoregressive flow.) :math:`\nu^{-1}` is needed once per point
    of a path, and solved by fixed-point iterations on all neurons at once.

    A flow of this size overfits to the neurons of a small pool. So an eighth of the neurons is
    held out, the flow under which those are likeliest is kept, and a fit that no longer improves
    on it ends early. With fewer than 30 neurons per coordinate it overfits before it has learned
    how coordinates are correlated: there it starts from a normal distribution, whitening by the
    mean and the (shrunk) covariance of the neurons that are not held out. If no flow makes the
    held-out neurons likelier than this start, the pool is too small: the path is an arc about the
    mean, and a note says so.

    The networks have to be wide, too: a network of n neurons drawn at random from the pool's, as
    in the middle of the path, is only accurate for a large n. Its accuracy is noted on each path.

    Raises:
        StructureError: When connecting or fitting networks that have not two affine layers.
        RunError: When the likelihood is not finite, or the pool has fewer than 8 neurons.
    """

    name = "iaf-flow"
    summary = "arcs in the coordinates of an autoregressive flow, fitted by likelihood on a pool"
    route: ClassVar[str] = "arcs in coordinates of a flow, one for all pairs"
    use: ClassVar[str] = (
        "For many pairs of wide two-layer networks: one map serves all pairs. It is fitted by "
        "likelihood, without training data, to a pool of further networks, which have to be "
        "trained."
    )
    needs: ClassVar[frozenset[Need]] = frozenset({"affine-chain", "pool"})
    trial: ClassVar[dict[str, object]] = {"pool": 2, "steps": 10}
    facts: ClassVar[tuple[str, ...]] = ("step", "width", "drawn")
    pool: int = mcbench.parameter(16, "networks that the flow is fitted on", ge=1)
    layers: int = mcbench.parameter(2, "autoregressive transforms, in alternating order", ge=1)
    hidden: int = mcbench.parameter(0, "width of their networks; 0: a neuron's dimension", ge=0)
    steps: int = mcbench.parameter(3000, "steps of Adam, at most", ge=1)
    lr: float = mcbench.parameter(3e-4, "learning rate at the start; it falls to 0", gt=0)
    batch: int = mcbench.parameter(256, "neurons per step", ge=1)

    def build(self, features: int) -> Any:
        """The flow, not fitted."""
        import zuko

        width = self.hidden or features
        return zuko.flows.MAF(features, transforms=self.layers, hidden_features=(width,))

    def notes(self, facts: Params, problem: Problem) -> Iterator[str]:
        """Whether the pool was too small, and the accuracy of networks drawn from it."""
        if int(facts["step"]) == 0:
            yield (
                "an arc: the pool has too few neurons, held-out ones got no likelier than under a "
                f"normal distribution; take more, {self.name}[pool=...], here {self.pool}"
            )
        yield (
            f"{int(facts['width'])} neurons drawn at random from the pool's make a network of "
            f"{float(facts['drawn']):.1f} % training accuracy"
        )

    def fit(self, pool: list[Endpoint], problem: Problem) -> Params:
        """Fit the flow to the neurons of a pool; an eighth of them is held out."""
        import torch

        from mcbench_flow.connection import initial, pooled
        from mcbench_flow.drawn import drawn_accuracy
        from mcbench_flow.fitting import Objective, fit

        neurons = pooled(pool, problem).flatten(0, 1)
        count = len(neurons) // HELD_OUT
        if not count:
            raise mcbench.RunError(
                f"the pool has {len(neurons)} neurons, and '{self.name}' needs {HELD_OUT} to hold "
                f"one out: take more networks, -m '{self.name}[pool=...]', here {self.pool}"
            )
        order = torch.randperm(len(neurons), generator=problem.generator("held out", self.name))
        shuffled = neurons[order.to(neurons.device)]
        held_out, fitted = shuffled[:count], shuffled[count:]
        whiten = len(neurons) < ENOUGH * neurons.shape[1]
        nu = initial(self.build, fitted if whiten else neurons, problem, self.name, whiten)

        def loss(draws: torch.Generator) -> Tensor:
            """Negative log-likelihood of some neurons, in nats per neuron."""
            rows = torch.randint(len(fitted), (self.batch,), generator=draws)
            return -nu.log_density(fitted[rows.to(fitted.device)]).mean()

        def check() -> float:
            """Negative log-likelihood of the held-out neurons, in nats per neuron."""
            with torch.no_grad():
                parts = [-nu.log_density(part).sum() for part in held_out.split(self.batch)]
            return float(sum(parts)) / count

        tensors, step = fit(nu, Objective(self.name, loss, self.steps, self.lr, check), problem)
        drawn = drawn_accuracy(pool, problem, self.name)
        facts = (step, len(neurons) // len(pool), drawn)
        tensors |= {name: torch.tensor(x) for name, x in zip(self.facts, facts, strict=True)}
        return {name: x.to(problem.device) for name, x in tensors.items()}
