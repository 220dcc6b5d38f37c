"""Outputs of several points of a path, whose shared layers are computed once.

Layers that are the same at all points are computed once. Where the weights of the first layer that
differs are combinations of a few, as along a line or an arc, so are its outputs
(`mcbench.structure.span.Span`): only those few are multiplied with the inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice

from torch import Tensor, nn

from mcbench.paths.params import Params
from mcbench.paths.path import Path
from mcbench.problem.problem import Problem
from mcbench.structure.chain import Chain

BUDGET = 2**28
"""Most bytes of points that are computed at once."""

WORTH = 128
"""Fewest inputs of a linear layer for which points are computed at once.

Deriving the network's chain takes seconds, which smaller layers do not save.
"""

Outputs = Callable[[Tensor], Iterator[Tensor]]
"""Function from a batch of inputs to the outputs of every point, one after another."""


def chain_of(problem: Problem) -> Chain | None:
    """The network as a chain, if sharing saves more time than deriving the chain takes.

    Above convolutions much is shared only on paths that change layer by layer, whose methods have
    derived the chain already.
    """
    layers = [m for m in problem.module.modules() if list(m.parameters(recurse=False))]
    if max((m.in_features for m in layers if isinstance(m, nn.Linear)), default=0) < WORTH:
        return None
    derived = "chain" in vars(problem)
    return problem.chain_or_none if derived or isinstance(layers[0], nn.Linear) else None


def groups(path: Path, times: Sequence[float], problem: Problem) -> Iterator[list[float]]:
    """The values of t in groups to compute at once: on one leg, as many as fit into memory.

    The groups depend on nothing else, so that a resumed run gives the same numbers.
    """
    size = 1
    if chain_of(problem) is not None:
        each = sum(x.numel() * x.element_size() for x in problem.module.state_dict().values())
        size = max(1, BUDGET // each)
    for _, on_leg in groupby(times, lambda t: path.locate(t)[0]):
        while group := list(islice(on_leg, size)):
            yield group


def parts(problem: Problem, points: Sequence[Params]) -> Iterator[slice]:
    """The points in parts that go through the data at once.

    A part is all points, if they share their first layers up to a linear one. Sharing convolutions
    only saves little: such points, and those of a network that is no chain, are measured and kept
    one by one.
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
