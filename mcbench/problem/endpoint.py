"""`Endpoint`, a trained network: architecture + data set + recipe + seed, stored by content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcbench.paths.params import Params


@dataclass(frozen=True)
class Endpoint:
    """A trained network.

    Arguments:
        params: Its parameters and buffers.
        seed: The seed of its initial weights and of its data's order.
        key: The content key it is stored under.
        record: How it was made: the problem, final losses, versions, hardware, cost.
    """

    params: Params
    seed: int
    key: str
    record: dict[str, Any] = field(default_factory=dict)
