"""Plans, their runs and what comes of them."""
