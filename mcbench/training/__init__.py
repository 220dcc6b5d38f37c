"""Training of endpoints."""
