"""Built-in metrics: of the whole curve, of places on it, of its saddle."""
