"""A live signal on disk."""
