"""The epoch in which training falls below a loss."""

from __future__ import annotations

from collections.abc import Sequence


def epochs_below(losses: Sequence[Sequence[float]], saddle: float) -> float | None:
    """The first epoch whose mean training loss is below a saddle's, the mean over endpoints.

    Arguments:
        losses: Of each endpoint, by epoch.
        saddle: The saddle's loss.

    Returns:
        From 1; an endpoint that never fell below it counts with its last epoch. ``None`` if the
        losses of one were not kept.
    """
    if not all(losses):
        return None
    first = [next((i for i, x in enumerate(of, 1) if x < saddle), len(of)) for of in losses]
    return sum(first) / len(first)
