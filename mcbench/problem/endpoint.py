"""`Endpoint`, a trained network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mcbench.paths.params import Params


@dataclass(frozen=True)
class Endpoint:
    """A trained network: architecture + data set + recipe + seed.

    Arguments:
        params: Its parameters and buffers.
        seed: The seed of its initial weights and of the order of its training data.
        key: The content key that it is stored under.
        record: Its origin: the problem, the losses of all epochs, versions, hardware, cost.
    """

    params: Params
    seed: int
    key: str
    record: dict[str, Any] = field(default_factory=dict)  # As JSON has it.
