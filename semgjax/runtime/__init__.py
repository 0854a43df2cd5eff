"""Exports run by numpy and the runtime of their format: without flax and without what trains."""
