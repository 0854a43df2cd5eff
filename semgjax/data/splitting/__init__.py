"""Which sessions train, validate and test."""
