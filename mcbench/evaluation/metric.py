"""`Metric` reduces an evaluated path to numbers; `Evaluation` is what it is given."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from mcbench.problem.shared_property import shared_property
from mcbench.store.checkpoint import Workshop

if TYPE_CHECKING:
    from mcbench.evaluation.evaluate import Curve
    from mcbench.paths.path import Path
    from mcbench.problem.endpoint import Endpoint
    from mcbench.problem.problem import Problem, SplitName


class Evaluation:
    """A path with all that was measured on it.

    The curve is at hand; endpoints and path are loaded or built when they are first asked for.

    Arguments:
        problem: Data, network and loss.
        curve: Losses and accuracies along the path.
        load: Gives the two endpoints.
        connect: Gives the path between them: that which was evaluated, or for a stored record one
            that is built anew.

    Attributes:
        workshop: Where the metric that is at work keeps its state and says how far it is.
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
        """The same evaluation for one metric; endpoints and path are loaded once for all."""
        view = copy.copy(self)
        view._whole, view.workshop = self._whole or self, workshop
        return view

    @shared_property
    def ends(self) -> tuple[Endpoint, Endpoint]:
        """The endpoints A and B."""
        return self._load()

    @shared_property
    def path(self) -> Path:
        """The path; for a stored record, building it may take as long as it did for the run."""
        return self._connect()


class Metric(Protocol):
    """Reduces an evaluated path to a number, or to several under names of their own.

    Optional attributes: ``reference``, the source of the definition; ``ends_only``, whether it
    depends on the endpoints alone, so that it is measured once for all methods of a pair;
    ``of_network``, whether a network alone has a value, that of the path which stays at it;
    ``usual``, ``False`` for a metric so costly that it is measured only where it is named. One
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

    known = {name: host().find("metric", name).component for name in host().names("metric")}
    return [name for name, metric in known.items() if metric.usual]
