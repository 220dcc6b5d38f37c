"""The structure of a network, derived from its graph: affine layers, neurons, operations."""
