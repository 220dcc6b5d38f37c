"""Connection methods, and the parts that they are composed of."""
