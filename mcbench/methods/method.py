"""What a method is, and what the parts of a composed method are.

These are protocols: a plugin's class need not inherit from them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from mcbench.paths.params import Params
    from mcbench.paths.path import Path
    from mcbench.problem.endpoint import Endpoint
    from mcbench.problem.problem import Problem

Need = Literal["data", "affine-chain", "permutation-groups", "pool"]
"""What a method may need beyond two endpoints.

``data``: the training data; ``affine-chain``: a network that is a chain of affine layers;
``permutation-groups``: the symmetries of the network; ``pool``: further endpoints to be fitted on.
"""

SUPPORTED: frozenset[Need] = frozenset({"data", "affine-chain", "pool"})
"""The needs that this version serves."""


class Method(Protocol):
    """Connects two endpoints by a path.

    Optional attributes: ``summary`` (one line), ``needs`` (a set of `Need`), ``reference`` (the
    paper, section or equation), ``baseline`` (whether others are compared with it first: after a
    run it is proposed, if it takes the network), and what `Traits` has. A method that needs a pool
    has ``pool``, the number of endpoints in it, and ``fit(pool, problem)``, which returns
    `Params`; they are kept, and `connect` finds them in ``problem.fitted``; it may have
    ``check(problem)``, which raises `StructureError` before a pool is trained in vain. A method
    that trains for long keeps its state in ``problem.workshop``.
    """

    name: str

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """A path with ``path(0)`` equal to ``a.params``, ending as it says."""
        ...


class Matching(Protocol):
    """Pairs the hidden neurons of two networks."""

    name: str

    def match(self, a: Tensor, b: Tensor, incoming: int) -> Tensor:
        """A permutation p such that neuron i of A goes with neuron p[i] of B.

        Arguments:
            a, b: Neurons as vectors, shape (n, d): incoming weights, bias, outgoing weights.
            incoming: The number of leading coordinates that are incoming weights.

        Returns:
            Indices, shape (n,), int64.
        """
        ...


class Interpolation(Protocol):
    """Moves matched neurons from A to B."""

    name: str

    def interpolate(self, a: Tensor, b: Tensor, t: float) -> Tensor:
        """The neurons at 0 < t < 1, shape (n, d), from those of A and B."""
        ...


@dataclass(frozen=True)
class Stage:
    """What a leg of a layer-wise path has to keep: the outputs of one affine layer.

    Along the leg the neurons below the layer change; all layers further below stay as they are
    at its start.

    Arguments:
        layer: The index of the layer, at least 1.
        start: The point at which the leg starts.
        a: The network whose outputs are kept where the leg ends.
    """

    layer: int
    start: Params
    a: Params


Adjust = Callable[["Params", float], "Params"]
"""From a point of a leg and its time u in [0, 1] to the mended point."""

SeveralAdjusted = Callable[[Adjust, Callable[[float], "Params"], Sequence[float]], "list[Params]"]
"""From an `Adjust`, the points before they are mended by time, and times to mended points."""


class Adjustment(Protocol):
    """Mends the points of a leg, given what the leg has to keep.

    Optional: ``along``, whether every point is mended (the default) or only the one at which the
    leg ends; and ``several(adjust, move, times)``, for an adjustment that mends several points
    together: the mended points of the leg at some times 0 < u < 1, of which there may be only
    one. ``adjust`` is what `prepare` gave, ``move(u)`` the point at u before it is mended.
    """

    name: str

    def prepare(self, stage: Stage, problem: Problem) -> Adjust | None:
        """A function from a point of the leg and its time u in [0, 1] to the mended point.

        It must leave the leg's start as it is, and be continuous. ``None`` stands for no
        adjustment.
        """
        ...


class CompleteAdjustment(Adjustment, Protocol):
    """An adjustment with the defaults of what it does not declare, as the host gives it."""

    along: bool
    several: SeveralAdjusted | None


@dataclass(frozen=True)
class Parts:
    """The parts of a composed method."""

    matching: Matching
    interpolation: Interpolation
    adjustment: CompleteAdjustment


@dataclass(frozen=True)
class Traits:
    """What kind of method it is; ``None`` or empty where it does not say.

    Arguments:
        explicit: Whether its points are a closed formula of A and B.
        learnable: Whether something is trained, for a path or on a pool.
        route: The way from A to B in a few words.
        use: When to use it, in a sentence or two.
    """

    explicit: bool | None = None
    learnable: bool | None = None
    route: str = ""
    use: str = ""


def traits(method: Any) -> Traits:
    """The traits a method declares as attributes of these names."""
    return Traits(method.explicit, method.learnable, method.route, method.use)


def needs(method: Any) -> frozenset[Need]:
    """The needs a method declares."""
    return frozenset(method.needs)


def summary(component: Any) -> str:
    """The declared summary, else the first line of the docstring."""
    return component.summary or (type(component).__doc__ or "").strip().partition("\n")[0]
