"""Parameters of networks, and paths between them."""
