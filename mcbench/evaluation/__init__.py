"""Loss and accuracy along a path, and its metrics."""
