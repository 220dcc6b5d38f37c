"""Protocols of connection methods and of the parts of composed ones.

A plugin's class need not inherit from them.
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
"""A need of a method beyond two endpoints.

``data``: the training data; ``affine-chain``: a network that is a chain of affine layers;
``permutation-groups``: the symmetries of the network; ``pool``: further endpoints to be fitted on.
"""

SUPPORTED: frozenset[Need] = frozenset({"data", "affine-chain", "pool"})
"""The needs that this version supports."""


class Method(Protocol):
    """Connects two endpoints by a path.

    Optional attributes: ``summary`` (one line), ``needs`` (a set of `Need`), ``reference`` (the
    paper, section or equation), ``baseline`` (whether others are compared with it first: it is
    suggested after a run, if it takes the network), ``explores`` (whether ``mcbench explore``
    takes it where no method is named), and those of `Traits`. A method that needs a pool has
    ``pool``, the number of its endpoints, and ``fit(pool, problem)``, which returns `Params`:
    they are stored, and `connect` has them as ``problem.fitted``. It may have ``check(problem)``,
    which raises `StructureError` before a pool is trained in vain. A method that trains for long
    stores its state with ``problem.workshop``.
    """

    name: str

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """A path from ``a.params`` to the end that its ``end`` declares."""


class Matching(Protocol):
    """Pairs the hidden neurons of two networks."""

    name: str

    def match(self, a: Tensor, b: Tensor, incoming: int) -> Tensor:
        """A permutation p that matches neuron i of A with neuron p[i] of B.

        Arguments:
            a, b: Neurons as vectors, shape (n, d): incoming weights, bias, outgoing weights.
            incoming: The number of leading coordinates that are incoming weights.

        Returns:
            Indices, shape (n,), int64.
        """


class Interpolation(Protocol):
    """Moves matched neurons from A to B."""

    name: str

    def interpolate(self, a: Tensor, b: Tensor, t: float) -> Tensor:
        """The neurons at 0 < t < 1, shape (n, d), from those of A and B."""


@dataclass(frozen=True)
class Stage:
    """A leg of a layer-wise path, along which the outputs of one affine layer are preserved.

    The neurons below the layer change; all layers further below stay.

    Arguments:
        layer: The index of the layer, at least 1.
        start: The first point of the leg.
        a: The network whose outputs are preserved at the leg's end.
    """

    layer: int
    start: Params
    a: Params


Adjust = Callable[["Params", float], "Params"]
"""A function from a point of a leg and its time u in [0, 1] to the adjusted point."""

AdjustSeveral = Callable[[Adjust, Callable[[float], "Params"], Sequence[float]], "list[Params]"]
"""The ``several`` of an `Adjustment`."""


class Adjustment(Protocol):
    """Adjusts the points of a leg so that a layer's outputs are preserved.

    Optional: ``along``, whether every point is adjusted (the default) or only the leg's end; and
    ``several(adjust, move, times)``, for an adjustment that computes several points in one pass:
    the adjusted points of the leg at one or more times 0 < u < 1. ``adjust`` is the function that
    `prepare` returned, ``move(u)`` the point at u before it is adjusted.
    """

    name: str

    def prepare(self, stage: Stage, problem: Problem) -> Adjust | None:
        """The function that adjusts the points of a leg; ``None`` for no adjustment.

        It must keep the leg's start, and be continuous.
        """


class CompleteAdjustment(Adjustment, Protocol):
    """An adjustment with all optional attributes, as the host provides it."""

    along: bool
    several: AdjustSeveral | None


@dataclass(frozen=True)
class Parts:
    """The parts of a composed method.

    ``last`` says how the last layer becomes B's, ``alone`` whether biases are no coordinates of
    their neurons: see `mcbench.methods.composition.Composition`.
    """

    matching: Matching
    interpolation: Interpolation
    adjustment: CompleteAdjustment
    last: Literal["neurons", "rows", "straight"]
    alone: bool


@dataclass(frozen=True)
class Traits:
    """A method's description of itself; ``None`` or empty if not declared.

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
    """The traits of a method, which are attributes of the same names."""
    return Traits(method.explicit, method.learnable, method.route, method.use)


def needs(method: Any) -> frozenset[Need]:
    """The needs a method declares."""
    return frozenset(method.needs)


def summary(component: Any) -> str:
    """The declared summary, else the first line of the docstring."""
    return component.summary or (type(component).__doc__ or "").strip().partition("\n")[0]
