"""Hooks that provide metrics, ensembles and leaderboards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mcbench.plugins.hookspecs.markers import hookspec


@hookspec
def mcbench_metrics() -> Iterable[Any]:  # type: ignore[empty-body]
    """Metrics: ``name``, ``summary``, ``unit``, ``better``, ``splits``, ``measure``.

    ``better`` is ``"higher"``, ``"lower"`` or ``""``. ``measure(evaluation, split)`` is called
    with ``"train"`` and ``"test"`` if ``splits``, else once, with ``None``; it returns a number,
    or a dictionary of numbers by names of their own. ``evaluation.curve`` has ``t``, ``grid``,
    ``position``, ``loss``, ``accuracy``, ``with_start``, ``ensembles``, ``straight``, ``end`` and
    ``square``. Metrics that need more use ``evaluation.problem``, ``evaluation.ends`` and
    ``evaluation.path``; those that compute for long, ``evaluation.workshop``. With
    ``ends_only = True`` it is measured once a pair for all methods; with ``usual = False`` only
    if it is named, as the costly ones are.

    Example::

        class Best:
            name = "best-accuracy"
            summary = "the highest accuracy along the path"
            unit = "%"
            better = "higher"
            splits = True

            def measure(self, evaluation, split):
                return max(evaluation.curve.accuracy[split])


        @mcbench.hookimpl
        def mcbench_metrics():
            yield Best()
    """


@hookspec
def mcbench_ensembles() -> Iterable[Any]:  # type: ignore[empty-body]
    """Ensembles: ``name``, ``summary`` and ``members(endpoints, problem)``, or snapshots.

    It returns one member, as parameters, for each endpoint, in their order; ``endpoints`` loads
    an endpoint at its first use. Softmax outputs of the members are averaged. What a member
    shares with the first must be the same tensors, not copies: ``mcbench ensemble`` counts them,
    and bottom layers that all members share, once. An ensemble whose members come from trainings
    of its own, one or more from each, has ``start(recipe)``, ``epochs(recipe)`` and
    ``collect(start, problem)`` instead: see `mcbench.Snapshots`.

    Example::

        class Twice:
            name = "twice"
            summary = "the first network, again and again"

            def members(self, endpoints, problem):
                first = endpoints[0].params
                return (first for _ in endpoints)


        @mcbench.hookimpl
        def mcbench_ensembles():
            yield Twice()
    """


@hookspec
def mcbench_leaderboards() -> Iterable[Any]:  # type: ignore[empty-body]
    """Leaderboards: `mcbench.Board` objects, most simply read from their TOML declarations.

    The files in ``entries/`` beside a declaration are shown as published records.

    Example::

        @mcbench.hookimpl
        def mcbench_leaderboards():
            yield mcbench.Board.read(pathlib.Path(__file__).parent / "myboard" / "board.toml")
    """


@hookspec
def mcbench_ensemble_boards() -> Iterable[Any]:  # type: ignore[empty-body]
    """Leaderboards of ensembles by budget: `mcbench.EnsembleBoard` objects.

    ``mcbench ensemble --budgets`` fills them; ``mcbench leaderboard show`` shows them.

    Example::

        @mcbench.hookimpl
        def mcbench_ensemble_boards():
            row = mcbench.EnsembleRow("Ind", "independent")
            yield mcbench.EnsembleBoard(
                "mine", "my ensembles", "nowhere", "digits", "mlp2", "quick", (1, 2), 4, (row,)
            )
    """
