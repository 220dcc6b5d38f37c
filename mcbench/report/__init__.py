"""Tables of results, one per file."""
