"""Logs trainings and runs to MLflow.

It does nothing unless the environment variable ``MCBENCH_MLFLOW`` says where to log. The store
stays the place of results.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import mcbench

if TYPE_CHECKING:
    from mcbench_mlflow.tracking import Tracker

SWITCH = "MCBENCH_MLFLOW"
"""A tracking URI; ``on`` for MLflow's own settings; unset, empty or ``off`` for nothing."""


@cache
def tracker(where: str) -> Tracker | None:
    """Tracker that logs to ``where``; ``None`` if that is empty or ``off``."""
    if where.lower() in ("", "off"):
        return None
    from mcbench_mlflow.tracking import Tracker

    return Tracker("" if where.lower() == "on" else where)


def tell(event: str, *arguments: Any) -> None:
    """Pass an event to the tracker, if there is one.

    After the first failure, which mcbench reports, nothing is tried any more: no point of a path
    waits for a server that is gone.
    """
    log = tracker(os.environ.get(SWITCH, "").strip())
    if log is None or log.lost:
        return
    try:
        getattr(log, event)(*arguments)
    except Exception:
        log.lost = True
        raise


@mcbench.hookimpl
def mcbench_training_started(
    problem: dict[str, Any], seeds: tuple[int, ...], keys: tuple[str, ...]
) -> None:
    """Open an MLflow run for each endpoint."""
    tell("training_started", problem, seeds, keys)


@mcbench.hookimpl
def mcbench_epoch_finished(keys: tuple[str, ...], epoch: int, loss: float) -> None:
    """Log the training loss; the step is the epoch."""
    tell("epoch_finished", keys, epoch, loss)


@mcbench.hookimpl
def mcbench_endpoint_trained(endpoint: mcbench.Endpoint) -> None:
    """Log versions, hardware and seconds; the status is FINISHED."""
    tell("endpoint_trained", endpoint)


@mcbench.hookimpl
def mcbench_training_failed(key: str, error: Exception) -> None:
    """Set the status to FAILED, with the reason."""
    tell("failed", key, error)


@mcbench.hookimpl
def mcbench_run_started(run: mcbench.Run) -> None:
    """Open an MLflow run with its parameters."""
    tell("run_started", run)


@mcbench.hookimpl
def mcbench_point_evaluated(run: mcbench.Run, t: float, values: dict[str, Any]) -> None:
    """Log loss and accuracy at t."""
    tell("point_evaluated", run, t, values)


@mcbench.hookimpl
def mcbench_run_finished(run: mcbench.Run, record: mcbench.Record, units: dict[str, str]) -> None:
    """Log metrics, cost, versions and hardware; the status is FINISHED."""
    tell("run_finished", run, record, units)


@mcbench.hookimpl
def mcbench_run_failed(run: mcbench.Run, error: Exception) -> None:
    """Set the status to FAILED, with the reason."""
    tell("run_failed", run, error)
