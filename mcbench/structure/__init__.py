"""What a network is made of, derived from its graph."""

from mcbench.structure.affine import Affine
from mcbench.structure.chain import Chain, derive_chain
from mcbench.structure.neurons import Hidden

__all__ = ["Affine", "Chain", "Hidden", "derive_chain"]
