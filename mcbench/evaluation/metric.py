"""`Metric`, which reduces an evaluated path to numbers, and `Evaluation`, its input."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from mcbench.problem.shared_property import shared_property
from mcbench.store.checkpoint import Workshop

if TYPE_CHECKING:
    from mcbench.evaluation.curve import Curve
    from mcbench.paths.path import Path
    from mcbench.problem.endpoint import Endpoint
    from mcbench.problem.problem import Problem, SplitName


class Evaluation:
    """A path with its curve; endpoints and path are loaded or built on first access.

    Arguments:
        problem: Data, network and loss.
        curve: Losses and accuracies along the path.
        load: Loads the two endpoints.
        connect: Gives the path that was evaluated, or builds the path of a stored record again.

    Attributes:
        workshop: Checkpoints and progress of the metric that is being measured.
    """

    def __init__(
        self,
        problem: Problem,
        curve: Curve,
        load: Callable[[], tuple[Endpoint, Endpoint]],
        connect: Callable[[], Path],
    ) -> None:
        self.problem, self.curve = problem, curve
        self._load, self._connect = load, connect
        self.workshop = Workshop()
        self._whole: Evaluation | None = None

    def bind(self, workshop: Workshop) -> Evaluation:
        """A view for one metric; views share endpoints and path."""
        view = copy.copy(self)
        view._whole, view.workshop = self._whole or self, workshop
        return view

    @shared_property
    def ends(self) -> tuple[Endpoint, Endpoint]:
        """The endpoints A and B."""
        return self._load()

    @shared_property
    def path(self) -> Path:
        """The path; building that of a stored record may take as long as the run did."""
        return self._connect()


class Metric(Protocol):
    """Reduces an evaluated path to a number, or to several by name.

    Optional attributes: ``reference``, the source of the definition; ``ends_only``, whether it
    depends on the endpoints only, so that it is measured once for all methods of a pair;
    ``of_network``, whether a single network has a value, that of the path which stays at it;
    ``usual``, ``False`` for a costly metric that is measured only where it is named. A metric
    that computes for long keeps its state in ``evaluation.workshop``.
    """

    name: str
    summary: str
    unit: str
    better: Literal["higher", "lower", ""]
    splits: bool
    """Whether it is measured on train and test (else once, with ``split`` None)."""

    def measure(self, evaluation: Evaluation, split: SplitName | None) -> float | dict[str, float]:
        """The value, in ``unit``."""
        ...


def usual() -> list[str]:
    """The names of the metrics that are measured where none is named."""
    from mcbench.plugins.host import host

    names = host().names("metric")
    return [name for name in names if host().find("metric", name).component.usual]
