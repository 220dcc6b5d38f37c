"""Results on disk, with their provenance and cost."""
