"""`Composition`, a connection method made of parts: matching x interpolation x adjustment.

Named methods are compositions: ``ot-wa`` is optimal-transport matching, linear interpolation and
weight adjustment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from mcbench.errors import UsageError
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
    outputs of the layer above can be preserved. A permutation of neurons by the matching is then
    undone neuron by neuron (`mcbench.methods.unpermute`), unless ``end`` is ``permuted``.

    The weights of the last layer become B's in one of three ways (``last``). As outgoing weights
    of the last hidden layer's ``neurons``, with these: so they do without an adjustment; with one
    they are not adjusted then, and there is no leg for them. By ``rows``: the outputs are neurons,
    whose incoming weights and biases move by the interpolation. Or ``straight``. With an
    adjustment, rows and straight lines have a leg of their own, the last one; ``straight`` is what
    is done then.

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
    last: Literal["auto", "neurons", "rows", "straight"] = parameter(
        "auto",
        "how the last layer becomes B's; neurons: with the last hidden layer's neurons; rows: by "
        "the interpolation of its rows; straight; auto: neurons without an adjustment, straight "
        "with one",
        later=True,
    )
    biases: Literal["neurons", "alone"] = parameter(
        "neurons",
        "neurons: a bias is a coordinate of its neuron; alone: a layer's biases move as a vector "
        "of their own",
        later=True,
    )

    baseline: bool = False

    needs: ClassVar[frozenset[Need]] = frozenset({"data", "affine-chain"})

    learnable: ClassVar[bool] = False

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

        matching, interpolation, adjustment = (
            host().get(kind, getattr(self, kind)) for kind in _KINDS
        )
        at_once = adjustment.name == "none"
        last = self.last if self.last != "auto" else "neurons" if at_once else "straight"
        parts = Parts(matching, interpolation, adjustment, last, self.biases == "alone")
        if not at_once and (self.end, last) == ("short", "neurons"):
            raise UsageError(
                f"{self.name}: end=short leaves out the last layer's leg, and with last=neurons "
                "there is none: give one of the two"
            )
        if at_once:
            legs, orders = all_layers(a.params, b.params, problem, parts)
        else:
            legs, orders = layerwise(a.params, b.params, problem, parts)
            if self.end == "short":
                return Path(legs[:-1], "short")
        if self.end == "b":
            legs += way_back(b.params, orders, problem)
            return Path(legs, "b")
        return Path(legs, "b" if all(map(is_identity, orders)) else "permuted")
