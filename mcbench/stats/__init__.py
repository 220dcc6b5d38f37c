"""Statistics of results: intervals, and ranks from paired comparisons."""
