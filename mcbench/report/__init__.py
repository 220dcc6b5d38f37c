"""From results to tables: one table per file."""
