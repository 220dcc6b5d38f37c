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
    """One member network for each endpoint; the members' softmax outputs are averaged.

    Optional attributes: ``summary`` (one line), ``reference`` (the paper, section or equation).
    """

    name: str

    def members(self, endpoints: Sequence[Endpoint], problem: Problem) -> Iterator[Params]:
        """One member for each endpoint, in their order.

        What a member shares with the first one must be the same tensors, not copies: it is stored
        once, and shared layers at the bottom are computed once.

        Raises:
            StructureError: If the ensemble does not take such networks.
        """
        ...


class Snapshots(Protocol):
    """Members collected along one training; their softmax outputs are averaged.

    Members of trainings with other seeds are pooled, so that ensembles are compared for a budget
    of epochs: ``mcbench ensemble --budgets``. Optional attributes: those of `Ensemble`.
    """

    name: str

    def start(self, recipe: Recipe) -> Recipe | None:
        """The recipe of the network to start from; ``None``: an untrained one.

        Arguments:
            recipe: The recipe of the endpoints to compare with; with another ``stop`` it gives a
                partly trained network.

        Raises:
            UsageError: If the recipe has too few epochs.
        """
        ...

    def epochs(self, recipe: Recipe) -> tuple[float, ...]:
        """Epochs spent until each member is collected, from initial weights on.

        In the order of the members; the last number is the cost of the whole training.
        """
        ...

    def collect(self, start: Endpoint, problem: Problem) -> Iterable[Params]:
        """The members of one training, in their order.

        State is kept in ``problem.workshop``; random numbers come from ``problem.generator`` with
        ``start.seed`` in the purpose.

        Arguments:
            start: The network to start from, trained or with the initial weights of its seed.
            problem: The problem with the recipe that ``start`` and ``epochs`` are given.
        """
        ...


# Ensembles are Any: the host gives them the optional attributes that their protocols lack.
def collects(ensemble: Any) -> bool:
    """Whether an ensemble collects its members along trainings (`Snapshots`)."""
    return ensemble.collect is not None


def by_training(
    ensemble: Any, endpoints: Sequence[Endpoint], problem: Problem
) -> Iterator[Iterable[Params]]:
    """The members from each endpoint."""
    if collects(ensemble):
        return (ensemble.collect(endpoint, problem) for endpoint in endpoints)
    return ([member] for member in ensemble.members(endpoints, problem))
