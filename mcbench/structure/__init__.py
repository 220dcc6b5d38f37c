"""The structure of a network, derived from its graph: affine layers, neurons, operations."""

from mcbench.structure.affine import Affine
from mcbench.structure.chain import Chain, derive_chain
from mcbench.structure.neurons import Hidden
from mcbench.structure.span import Span

__all__ = ["Affine", "Chain", "Hidden", "Span", "derive_chain"]
