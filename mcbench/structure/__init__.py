"""What a network is made of, derived from its graph."""

from mcbench.structure.chain import Affine, Chain, derive_chain

__all__ = ["Affine", "Chain", "derive_chain"]
