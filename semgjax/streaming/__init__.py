"""Decoding a signal while it is recorded."""
