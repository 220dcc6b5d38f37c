"""Pages of the documentation that are generated from the running code."""
