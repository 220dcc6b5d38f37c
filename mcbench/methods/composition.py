"""`Composition`, a connection method made of parts: matching x interpolation x adjustment.

Named methods are compositions: ``ot-wa`` is optimal-transport matching, linear interpolation and
weight adjustment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mcbench.methods.method import Need, Parts
from mcbench.paths.path import End, Path
from mcbench.plugins.host import host
from mcbench.plugins.parameters import parameter, parse
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem

_KINDS = ("matching", "interpolation", "adjustment")


@dataclass(frozen=True)
class Composition:
    r"""A path through the hidden neurons of a network that is a chain of affine layers.

    Without an adjustment all layers move at once (`mcbench.methods.all_layers`). With one the
    network changes layer by layer from the bottom (`mcbench.methods.layerwise`), so that the
    outputs of the layer above can be preserved; the last leg takes the last layer to B. A
    permutation of neurons by the matching is then undone neuron by neuron
    (`mcbench.methods.unpermute`), unless ``end`` is ``permuted``.

    Arguments:
        name: The method's name.
        summary: One line.
        reference: Paper, section or equation.
        use: When to use it.
        baseline: Whether others are compared with it first.

    Raises:
        StructureError: In `connect`, if the networks are no chain of affine layers.
    """

    name: str
    summary: str = ""
    reference: str = ""
    use: str = ""
    matching: str = parameter(
        "identity", "which neuron of B is matched with which of A", part="matching"
    )
    interpolation: str = parameter("linear", "how a neuron moves", part="interpolation")
    adjustment: str = parameter("none", "how points between are adjusted", part="adjustment")
    end: End = parameter(
        "b",
        "b: the whole way; permuted: stop at B with its neurons permuted; "
        "short: stop before the last layer is B's",
    )

    baseline: bool = False

    needs: ClassVar[frozenset[Need]] = frozenset({"data", "affine-chain"})

    learnable: ClassVar[bool] = False

    statistics: ClassVar[str] = "keep"

    @property
    def explicit(self) -> bool:
        """Whether neither a matching nor an adjustment is solved for."""
        return (self.matching, self.adjustment) == ("identity", "none")

    @property
    def route(self) -> str:
        """The way in a few words."""
        matching, interpolation, adjustment = (parse(getattr(self, kind))[0] for kind in _KINDS)
        words = [] if matching == "identity" else [f"{matching} matching"]
        words.append(interpolation)
        if adjustment != "none":
            words.append(f"layer by layer with {adjustment}")
        if matching != "identity" and self.end == "b":
            words.append("neurons permuted back")
        return ", ".join(words)

    @property
    def expected_failures(self) -> dict[str, str]:
        """The ``expected_path_failures`` of its parts, for `mcbench.testing`."""
        failures: dict[str, str] = {}
        for kind in _KINDS:
            failures |= host().get(kind, getattr(self, kind)).expected_path_failures
        return failures

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """The path; see the class."""
        from mcbench.methods.all_layers import all_layers
        from mcbench.methods.layerwise import layerwise
        from mcbench.methods.unpermute import is_identity, way_back

        parts = Parts(*(host().get(kind, getattr(self, kind)) for kind in _KINDS))
        if parts.adjustment.name == "none":
            legs, orders = all_layers(a.params, b.params, problem, parts)
        else:
            legs, orders = layerwise(a.params, b.params, problem, parts)
            if self.end == "short":
                return Path(legs[:-1], "short")
        if self.end == "b":
            legs += way_back(b.params, orders, problem)
            return Path(legs, "b")
        return Path(legs, "b" if all(map(is_identity, orders)) else "permuted")
