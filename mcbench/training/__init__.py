"""Training of endpoints, and the loop of every long training."""
