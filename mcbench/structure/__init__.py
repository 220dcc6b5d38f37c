"""What a network is made of, derived from its graph."""

from mcbench.structure.affine import Affine
from mcbench.structure.chain import Chain, derive_chain
from mcbench.structure.neurons import Hidden
from mcbench.structure.span import Span

__all__ = ["Affine", "Chain", "Hidden", "Span", "derive_chain"]
