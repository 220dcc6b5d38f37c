"""`Ensemble` and `Snapshots`, two ways to make one predictor of several networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mcbench.paths.params import Params
    from mcbench.problem.endpoint import Endpoint
    from mcbench.problem.problem import Problem
    from mcbench.problem.recipe import Recipe


class Ensemble(Protocol):
    """Makes members of endpoints that belong together; their softmax outputs are averaged.

    Optional attributes: ``summary`` (one line), ``reference`` (the paper, section or equation).
    """

    name: str

    def members(self, endpoints: Sequence[Endpoint], problem: Problem) -> Iterator[Params]:
        """One member for each endpoint, in their order.

        What a member has in common with the first one must be the same tensors, not copies: it is
        stored once, and layers at the bottom that are all in common are computed once.

        Raises:
            StructureError: If the network is not of the kind it takes.
        """
        ...


class Snapshots(Protocol):
    """Collects members along a training, each training by itself; their outputs are averaged.

    Members of several trainings, of other seeds, are pooled. So it can be said what an ensemble is
    worth for a budget of epochs: ``mcbench ensemble --budgets``. Optional attributes as of
    `Ensemble`.
    """

    name: str

    def start(self, recipe: Recipe) -> Recipe | None:
        """How the network is trained that the training goes on from; ``None``: not at all.

        Arguments:
            recipe: That of the endpoints it is compared with. With another ``stop`` it gives a
                partly trained network.

        Raises:
            UsageError: If the recipe does not have the epochs that are needed.
        """
        ...

    def epochs(self, recipe: Recipe) -> tuple[float, ...]:
        """How many epochs were spent when each member is there, from initial weights on.

        In the order of the members; the last number is the cost of the whole training.
        """
        ...

    def collect(self, start: Endpoint, problem: Problem) -> Iterable[Params]:
        """The members of one training, in their order.

        It keeps its state in ``problem.workshop``, and draws by ``problem.generator`` with
        ``start.seed`` in the purpose.

        Arguments:
            start: The network to start from; with the initial weights of its seed if it is not
                trained.
            problem: With the recipe that ``start`` and ``epochs`` are given.
        """
        ...


def collects(ensemble: Any) -> bool:
    """Whether an ensemble is `Snapshots`."""
    return ensemble.collect is not None


def by_training(
    ensemble: Any, endpoints: Sequence[Endpoint], problem: Problem
) -> Iterator[Iterable[Params]]:
    """The members that each endpoint brings."""
    if collects(ensemble):
        return (ensemble.collect(endpoint, problem) for endpoint in endpoints)
    return ([member] for member in ensemble.members(endpoints, problem))
