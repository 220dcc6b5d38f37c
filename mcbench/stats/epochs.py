"""The epoch in which the training loss falls below that of a saddle."""

from __future__ import annotations

from collections.abc import Sequence


def epochs_below(losses: Sequence[Sequence[float]], saddle: float) -> float | None:
    """The first epoch, from 1, with a mean training loss below a saddle's; mean over endpoints.

    Arguments:
        losses: The losses of each endpoint, by epoch.
        saddle: The saddle's loss.

    Returns:
        The mean, to which an endpoint that never falls below the saddle contributes its last
        epoch; ``None`` if the losses of an endpoint were not stored.
    """
    if not all(losses):
        return None
    return sum(
        next((i for i, x in enumerate(epochs, 1) if x < saddle), len(epochs)) for epochs in losses
    ) / len(losses)
