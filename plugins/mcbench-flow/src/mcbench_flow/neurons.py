"""The hidden neurons of a two-layer network as vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mcbench

if TYPE_CHECKING:
    from mcbench import Hidden, Params, Problem


def hidden_of(params: Params, problem: Problem) -> Hidden:
    """Packing of the only hidden layer's neurons as rows, shape (n, d), and back.

    Raises:
        StructureError: If the network is no chain of two affine layers, or has running statistics:
            a map of neurons need not keep a variance positive, and no gradient goes through them.
    """
    from mcbench import Hidden

    if any(x.is_floating_point() for x in problem.module.buffers()):
        raise mcbench.StructureError(
            "a normalising map of neurons is for networks without running statistics: take an "
            "architecture without batch norm"
        )
    count = len(problem.chain.layers)
    if count != 2:
        raise mcbench.StructureError(
            f"a normalising map of neurons is for two affine layers, as of mlp2; this network has "
            f"{count}"
        )
    return Hidden.of(problem.chain, params, 0)
