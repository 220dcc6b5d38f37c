"""`Metric` reduces an evaluated path to numbers; `Evaluation` is what it is given."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

from mcbench.store.checkpoint import Workshop

if TYPE_CHECKING:
    from mcbench.evaluation.evaluate import Curve
    from mcbench.paths.path import Path
    from mcbench.problem.endpoint import Endpoint
    from mcbench.problem.problem import Problem, SplitName


class Evaluation:
    """A path with all that was measured on it.

    The curve is at hand; endpoints are loaded and the path is built when they are asked for.

    Arguments:
        problem: Data, network and loss.
        curve: Losses and accuracies along the path.
        load: Gives the two endpoints.
        connect: Gives the path between them.

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
        self.problem = problem
        self.curve = curve
        self._load, self._connect = load, connect
        self.workshop = Workshop()

    @cached_property
    def ends(self) -> tuple[Endpoint, Endpoint]:
        """The endpoints A and B."""
        return self._load()

    @cached_property
    def path(self) -> Path:
        """The path; building it may take as long as it did for the run."""
        return self._connect()


class Metric(Protocol):
    """Reduces an evaluated path to a number, or to several under names of their own.

    Optional attributes: ``reference``, the source of the definition; ``ends_only``, whether it
    depends on the endpoints alone, so that it is measured once for all methods of a pair;
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
