"""Plans, their runs, and the records of these."""
