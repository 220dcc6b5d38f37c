"""`Composition`, a connection method made of parts: matching x interpolation x adjustment.

The known methods are compositions by name: ``ot-wa`` is optimal-transport matching, linear
interpolation and weight adjustment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mcbench.errors import StructureError
from mcbench.params import combine
from mcbench.path import End, Leg, Path, line
from mcbench.plugins import host
from mcbench.spec import parameter

if TYPE_CHECKING:
    from mcbench.endpoint import Endpoint
    from mcbench.method import Need
    from mcbench.params import Params
    from mcbench.problem import Problem


@dataclass(frozen=True)
class Composition:
    r"""A path through the hidden neurons of a two-layer network.

    With neurons :math:`\theta_i` = (incoming weights, bias, outgoing weights):

    1. The matching gives p; neuron i moves from :math:`\theta_i^A` to :math:`\theta_{p(i)}^B` as
       the interpolation says. Where there is an adjustment, it mends each point of this leg.
    2. With an adjustment, the outgoing weights and the output bias then go straight to B's.
    3. If p is not the identity, the permutation is undone neuron by neuron (`mcbench.wayback`),
       unless ``end`` is ``permuted``.

    Arguments:
        name: The method's name.
        summary: One line.
        reference: Paper, section or equation.

    Raises:
        StructureError: When connecting networks that are not two-layer networks of one shape.
    """

    name: str
    summary: str = ""
    reference: str = ""
    matching: str = parameter(
        "identity", "which neuron of B goes with which of A", part="matching"
    )
    interpolation: str = parameter("linear", "how a neuron moves", part="interpolation")
    adjustment: str = parameter("none", "what mends the points between", part="adjustment")
    end: End = parameter("b", "b: the whole way; permuted: stop at B with its neurons permuted")

    needs: ClassVar[frozenset[Need]] = frozenset({"data", "affine-chain"})

    def connect(self, a: Endpoint, b: Endpoint, problem: Problem) -> Path:
        """The path; see the class."""
        from mcbench.structure.neurons import Hidden
        from mcbench.wayback import is_identity, way_back

        layers = problem.chain.layers
        if len(layers) != 2:
            raise StructureError(
                f"{self.name} connects networks of two affine layers; this one has {len(layers)}"
            )
        below, above = layers
        hidden = Hidden(below, above, a.params[below.weight].shape[1])
        matching = host().get("matching", self.matching)
        interpolation = host().get("interpolation", self.interpolation)
        adjust = host().get("adjustment", self.adjustment).prepare(a, problem) or (lambda p: p)

        here, there = hidden.pack(a.params), hidden.pack(b.params)
        order = matching.match(here, there, hidden.incoming)
        there = there[order]
        matched = hidden.permute(b.params, order)

        def between(u: float) -> Params:
            moved = hidden.unpack(interpolation.interpolate(here, there, u))
            return adjust(combine(a.params, matched, 1 - u, u) | moved)

        arrived = adjust(matched)
        legs = [Leg(a.params, arrived, between, title="move the neurons")]
        if arrived is not matched:
            legs.append(line(arrived, matched, "undo the adjustment"))
        if self.end == "b":
            legs += way_back(b.params, order, hidden, problem)
        return Path(legs, "b" if self.end == "b" or is_identity(order) else "permuted")
