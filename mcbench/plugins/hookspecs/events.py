"""Hooks called at the events of trainings and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcbench.plugins.hookspecs.markers import hookspec

if TYPE_CHECKING:
    import mcbench


@hookspec
def mcbench_training_started(
    problem: dict[str, Any], seeds: tuple[int, ...], keys: tuple[str, ...]
) -> None:
    """Called before endpoints are trained, not for those that the store has.

    ``keys`` are the content keys that the endpoints of ``seeds`` will have, in the same order.
    ``problem`` is the identity of data set, architecture and recipe, as in a run. For each
    endpoint, ``mcbench_endpoint_trained`` or ``mcbench_training_failed`` is called later.

    Example::

        @mcbench.hookimpl
        def mcbench_training_started(problem, seeds):
            print(problem["recipe"]["name"], seeds)
    """


@hookspec
def mcbench_epoch_finished(
    seeds: tuple[int, ...], keys: tuple[str, ...], epoch: int, epochs: int, loss: float
) -> None:
    """Called after each epoch of training: ``epoch`` of ``epochs`` is done for ``seeds``.

    ``loss`` is the mean training loss over the epoch and the seeds, which train together;
    ``keys`` are the content keys of their endpoints.

    Example::

        @mcbench.hookimpl
        def mcbench_epoch_finished(epoch, loss):
            print(epoch, loss)
    """


@hookspec
def mcbench_method_progressed(title: str, step: int, steps: int, loss: float) -> None:
    """Called now and then in long computations: ``step`` of ``steps`` is done.

    ``title`` names what is trained or measured; ``loss`` is the mean since the last call, or the
    measured one.

    Example::

        @mcbench.hookimpl
        def mcbench_method_progressed(title, step, steps):
            print(title, step / steps)
    """


@hookspec
def mcbench_endpoint_trained(endpoint: mcbench.Endpoint) -> None:
    """Called when an endpoint has been trained and stored, not when it is loaded.

    ``endpoint`` has ``params``, ``seed``, ``key`` and ``record``.

    Example::

        @mcbench.hookimpl
        def mcbench_endpoint_trained(endpoint):
            print(endpoint.key, endpoint.seed)
    """


@hookspec
def mcbench_training_failed(seed: int, key: str, error: Exception) -> None:
    """Called when the training of an endpoint failed, as when it diverged; the others continue.

    The endpoint of ``seed`` would have the content key ``key``. ``error`` is the exception.

    Example::

        @mcbench.hookimpl
        def mcbench_training_failed(seed, error):
            print(seed, error)
    """


@hookspec
def mcbench_run_started(run: mcbench.Run) -> None:
    """Called before a run (problem x pair x method x protocol) is computed, not if it is loaded.

    ``run`` has ``problem``, ``pair`` (the two seeds), ``method``, ``identity`` (of the method:
    name, parameters, distribution, version), ``protocol``, ``ends`` (the endpoints' keys) and
    ``key``.

    Example::

        @mcbench.hookimpl
        def mcbench_run_started(run):
            print(run.method, run.pair)
    """


@hookspec
def mcbench_point_evaluated(run: mcbench.Run, t: float, values: dict[str, Any]) -> None:
    """Called after a point of a path was evaluated: the grid first, then the refinement.

    ``t`` is its time on the path of ``run``; ``values`` has ``loss`` and ``accuracy``, each by
    split. A resumed run does not repeat the calls of earlier points; the record has them all.

    Example::

        @mcbench.hookimpl
        def mcbench_point_evaluated(t, values):
            print(t, values["accuracy"]["test"])
    """


@hookspec
def mcbench_run_finished(run: mcbench.Run, record: mcbench.Record, units: dict[str, str]) -> None:
    """Called when the ``record`` of a ``run`` is complete and stored.

    After it was computed, or (without ``mcbench_run_started``) after missing metrics were added.
    ``record`` has the attributes ``run``, ``problem``, ``pair``, ``method``, ``curve``,
    ``metrics``, ``provenance``, ``cost``, and ``notes`` if the method made any; ``units`` are the
    metrics' units, by name.

    Example::

        @mcbench.hookimpl
        def mcbench_run_finished(run, record):
            print(run.key, record.metrics)
    """


@hookspec
def mcbench_run_failed(run: mcbench.Run, error: Exception) -> None:
    """Called when ``run`` failed; the other runs continue. ``error`` is the exception.

    Example::

        @mcbench.hookimpl
        def mcbench_run_failed(run, error):
            print(run.method, error)
    """
