"""Loss and accuracy along a path, and the metrics of it."""
