"""Parameters of a network, and paths through them."""
