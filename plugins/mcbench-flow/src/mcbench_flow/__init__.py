"""Flow and bijection connections: arcs in the coordinates of a fitted normalising map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import mcbench

if TYPE_CHECKING:
    from mcbench_flow.bijection import RealNVPBijection
    from mcbench_flow.flow import IAFFlow

REFERENCE = "Anokhin & Yarotsky, ICML 2020 (connections using a normalising map)"


@mcbench.hookimpl
def mcbench_methods() -> Iterator[RealNVPBijection | IAFFlow]:
    """A flow fitted by likelihood, and a bijection fitted by the loss along its paths."""
    from mcbench_flow.bijection import RealNVPBijection
    from mcbench_flow.flow import IAFFlow

    yield IAFFlow()
    yield RealNVPBijection()
