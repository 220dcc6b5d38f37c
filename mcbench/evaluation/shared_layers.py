"""Several points of a path on the same data: what they have in common is computed once.

Layers that are the same at all points go through the data once. Where the weights of the first
layer that differs are combinations of a few, as along a line or an arc, so are its outputs
(`mcbench.structure.Span`), and only those few are products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from typing import TYPE_CHECKING

from torch import Tensor, nn

from mcbench.paths.params import Params

if TYPE_CHECKING:
    from mcbench.paths.path import Path
    from mcbench.problem.problem import Problem
    from mcbench.structure import Chain

BUDGET = 2**28
"""Bytes that points which are computed together may take."""

WORTH = 128
"""Points are computed together in networks with a linear layer of at least so many inputs.

To derive the network's chain takes seconds, which is saved only then.
"""

Outputs = Callable[[Tensor], Iterator[Tensor]]
"""Of every point, one after another, for a batch of inputs."""


def chain_of(problem: Problem) -> Chain | None:
    """The network as a chain, if sharing saves more than it takes to derive it.

    Above convolutions much is shared only on paths that move layer by layer, and their methods
    have derived the chain already.
    """
    layers = [m for m in problem.module.modules() if list(m.parameters(recurse=False))]
    if max((m.in_features for m in layers if isinstance(m, nn.Linear)), default=0) < WORTH:
        return None
    known = "chain" in vars(problem)
    return problem.chain_or_none if known or isinstance(layers[0], nn.Linear) else None


def groups(path: Path, times: Sequence[float], problem: Problem) -> Iterator[list[float]]:
    """The times in groups whose points are computed together: of one leg, as many as fit.

    They depend on nothing else, so that a run which is gone on with computes as one which was
    not interrupted.
    """
    together = 1
    if chain_of(problem) is not None:
        each = sum(x.numel() * x.element_size() for x in problem.module.state_dict().values())
        together = max(1, BUDGET // each)
    for _, on_leg in groupby(times, lambda t: path.locate(t)[0]):
        while group := list(islice(on_leg, together)):
            yield group


def parts(problem: Problem, points: Sequence[Params]) -> Iterator[slice]:
    """The points in parts that go through the data together.

    That is all of them, where a linear layer or more is shared. A convolution that is shared alone
    saves little of what stands above it: such points, and those of a network that is no chain,
    are better measured and kept one by one.
    """
    chain = chain_of(problem) if len(points) > 1 else None
    if chain is not None:
        k = chain.common(points)
        if k == len(chain.layers) or chain.layers[k].geometry is None:
            yield slice(len(points))
            return
    yield from (slice(i, i + 1) for i in range(len(points)))


def outputs(problem: Problem, points: Sequence[Params]) -> Outputs:
    """A function that gives the networks' outputs (logits) for a batch of inputs."""
    chain = chain_of(problem) if len(points) > 1 else None
    if chain is None:
        return lambda inputs: (problem.forward(point, inputs) for point in points)
    count = len(chain.layers)
    k = min(chain.common(points), count - 1)
    across = chain.across(points, k)

    def forward(inputs: Tensor) -> Iterator[Tensor]:
        x = chain.run(points[0], chain.through(0, inputs), 0, k)
        for point, y in zip(points, across(x), strict=True):
            yield chain.run(point, y, k + 1, count)

    return forward
