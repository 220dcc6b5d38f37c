"""Nudged elastic bands: pivots between two networks that sink, across the band, to low loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import mcbench
from mcbench_neb.cycles import Cycle, read

if TYPE_CHECKING:
    from mcbench import Endpoint, Path, Problem, Recipe

REFERENCE = "Draxler, Veschgini, Salmhofer, Hamprecht, ICML 2018, sec. 3"


@dataclass(frozen=True)
class Band:
    """A nudged elastic band: the parameters that NEB and AutoNEB share."""

    lr: float | None = mcbench.parameter(
        None, "learning rate; none: the recipe's, which must be of sgd", gt=0
    )
    momentum: float | None = mcbench.parameter(
        None, "momentum of sgd; none: 0.9, and 0 with springs=force", ge=0, lt=1
    )
    batch_size: int | None = mcbench.parameter(
        None, "samples per pivot and step; none: the recipe's", gt=0
    )
    weight_decay: float | None = mcbench.parameter(
        None, "added to the gradient, per weight; none: the recipe's", ge=0
    )
    tangent: Literal["improved", "central", "henkelman"] = mcbench.parameter(
        "improved",
        "improved: towards the neighbour of higher loss; central: from one neighbour to the "
        "other; henkelman: improved, a mean of both sides at extrema",
    )
    springs: Literal["redistribute", "force"] = mcbench.parameter(
        "redistribute",
        "redistribute: pivots go to their places along the band before every gradient; "
        "force: springs pull them there",
    )
    k: float = mcbench.parameter(
        1.0, "stiffness of springs=force, loss per squared length; lr k below 1/2", ge=0
    )
    tolerance: float = mcbench.parameter(
        1e-3,
        "stop when no pivot has a larger force, across or along the band, loss per length; "
        "0: never",
        ge=0,
    )
    noise: float = mcbench.parameter(
        0.01, "how far the first pivots start from the line, as a share of |B - A|", ge=0
    )

    name: ClassVar[str]
    needs: ClassVar[frozenset[Literal["data"]]] = frozenset({"data"})
    explicit: ClassVar[bool] = False
    learnable: ClassVar[bool] = True
    statistics: ClassVar[str] = "reset"
    reference: ClassVar[str] = REFERENCE

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """The path through the pivots, trained now or loaded from the problem's workshop."""
        from mcbench_neb.training import connect

        return connect(self, a, b, problem)

    @property
    def plan(self) -> tuple[Cycle, ...]:
        """The cycles, one after another."""
        raise NotImplementedError

    @property
    def first(self) -> int:
        """The number of pivots of the first cycle."""
        raise NotImplementedError

    def recipe(self, problem: Problem) -> Recipe:
        """Recipe by which pivots are moved: the problem's, with what differs."""
        recipe = problem.recipe
        momentum = 0.0 if self.springs == "force" else 0.9
        return replace(
            recipe,
            optimizer="sgd",
            lr=self.lr or recipe.rate_of_sgd(self.name, "moves pivots"),
            momentum=momentum if self.momentum is None else self.momentum,
            batch_size=self.batch_size or recipe.batch_size,
            weight_decay=recipe.weight_decay if self.weight_decay is None else self.weight_decay,
            schedule="constant",
            stop=0,
        )


@dataclass(frozen=True)
class NEB(Band):
    r"""A nudged elastic band: pivots between A and B that sink, across the band, to low loss.

    Pivots :math:`w_1, \dots, w_n` start at equal distances on the straight line from
    :math:`w_0 = A` to :math:`w_{n+1} = B`, with a little noise: from a saddle of the loss on the
    line, where nothing pushes them aside, they would never leave. Each is moved by SGD with
    momentum along :math:`F_i = F_i^\perp + F_i^\parallel`,

    :math:`F_i^\perp = -(\nabla L(w_i) - (\nabla L(w_i) \cdot \tau_i)\, \tau_i)`,
    :math:`F_i^\parallel = k\,(|w_{i+1} - w_i| - |w_i - w_{i-1}|)\, \tau_i`,

    with the unit tangent :math:`\tau_i` and one minibatch for each pivot and step. L has the
    weight decay in it. The tangent leads to the neighbour of higher loss (``improved``: the
    paper's), from one neighbour to the other (``central``), or is at extrema the mean of both
    sides weighted by the differences in loss (``henkelman``: Henkelman & Jonsson, J. Chem. Phys.
    113, 2000). Stiff springs, :math:`k \to \infty`, do no more than keep pivots at equal
    distances: by default there is no :math:`F^\parallel`, and pivots are put at equal distances
    along the band before every gradient (``springs=redistribute``), as the paper does. With
    springs there is no momentum unless it is given: what it has gathered across the band pushes
    along it where the band turns, and the band folds.

    Pivots stop when the largest :math:`|F_i^\perp|` and the largest :math:`|F_i^\parallel|` are
    at most ``tolerance`` (in loss per unit of length), which is measured on the whole training
    data, without augmentation and dropout, every 10 passes over them; else after ``steps``. The
    run says which of the two it was, and how large the forces were.

    The path goes from pivot to pivot on straight lines. Batch norms normalise by the minibatch,
    and running statistics are estimated anew at every point but A and B. Any network will do.

    Raises:
        RunError: If a loss is not finite, or the learning rate would be that of Adam.
    """

    pivots: int = mcbench.parameter(11, "n, pivots between the ends", ge=1)
    steps: int = mcbench.parameter(1000, "steps of each pivot at most", ge=1)
    schedule: Literal["constant", "garipov", "cosine"] = mcbench.parameter(
        "garipov", "learning rate over the steps, as of recipes over epochs"
    )

    name = "neb"
    summary: ClassVar[str] = "nudged elastic band: pivots sink across their band"
    trial: ClassVar[dict[str, object]] = {"pivots": 3, "steps": 12}
    use: ClassVar[str] = (
        "For any network, where the lowest maximum is sought: every step takes as many passes of "
        "the network as there are pivots."
    )

    @property
    def route(self) -> str:
        """The shape of the path in a few words."""
        return f"{self.pivots + 1} lines over {self.pivots} trained pivots"

    @property
    def plan(self) -> tuple[Cycle, ...]:
        """A single cycle."""
        return (Cycle(self.steps, 1.0, self.schedule),)

    @property
    def first(self) -> int:
        """The number of pivots."""
        return self.pivots


@dataclass(frozen=True)
class AutoNEB(Band):
    r"""A nudged elastic band in cycles, which gets further pivots where its loss rises.

    The first cycle has ``pivots`` at equal distances. Before each further one the loss on the
    training data is measured at 9 points on each line of the band, :math:`w(u) = (1-u)\,w_i +
    u\,w_{i+1}`. Where it departs from linear interpolation,
    :math:`L(w(u)) - (1-u)\,L(w_i) - u\,L(w_{i+1}) > \theta\,(\max L - \min L)` with the extremes
    over the band, a pivot is inserted, at the largest such residue of the line; at most
    ``insert`` in all, on the lines of the largest residues. It keeps its place: pivots are
    redistributed to the distances that insertions give.

    A cycle moves pivots as ``neb`` does, at its own constant learning rate. ``cycles`` has
    ``STEPS``, ``STEPS@FACTOR`` or ``TIMES*STEPS@FACTOR`` each: the factor is that of ``lr``.
    The paper's protocol, on ResNets, is ``autoneb[lr=0.1,cycles=(4*1000,2*2000,4*1000@0.1,
    4*1000@0.01),batch_size=512,weight_decay=1e-4,tolerance=0,noise=0]``: 16,000 steps; the
    default has 2,000.

    The band of the cycle with the lowest maximum, over pivots and points between them, is the
    path; the run says which cycle that was. For all else see ``neb``.

    Raises:
        RunError: If a loss is not finite, or the learning rate would be that of Adam.
    """

    pivots: int = mcbench.parameter(3, "pivots of the first cycle", ge=1)
    cycles: tuple[str, ...] = mcbench.parameter(
        ("4*250", "2*250@0.1", "2*250@0.01"), "TIMES*STEPS@FACTOR each, the factor that of lr"
    )
    insert: int = mcbench.parameter(2, "pivots that are inserted before a cycle at most", ge=0)
    theta: float = mcbench.parameter(
        0.2, "a residue that calls for a pivot, as a share of the band's range of losses", ge=0
    )

    name = "autoneb"
    explores: ClassVar[bool] = True
    summary: ClassVar[str] = "nudged elastic band in cycles, with pivots inserted where needed"
    trial: ClassVar[dict[str, object]] = {"pivots": 2, "cycles": ("2*6", "6@0.1")}
    use: ClassVar[str] = (
        "For any network, where the lowest maximum is sought and the number of pivots that takes "
        "is not known; what 'mcbench explore' uses."
    )

    def __post_init__(self) -> None:
        read(self.cycles)

    @property
    def route(self) -> str:
        """The shape of the path in a few words."""
        most = self.pivots + self.insert * (len(self.plan) - 1)
        return f"lines over {self.pivots} to {most} trained pivots"

    @property
    def plan(self) -> tuple[Cycle, ...]:
        """The cycles as they are carried out."""
        return read(self.cycles)

    @property
    def first(self) -> int:
        """The number of pivots of the first cycle."""
        return self.pivots


@mcbench.hookimpl
def mcbench_methods() -> Iterator[Band]:
    """NEB and AutoNEB."""
    yield NEB()
    yield AutoNEB()
