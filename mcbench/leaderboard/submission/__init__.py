"""Making, checking and verifying entries."""
