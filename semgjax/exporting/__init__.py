"""A decoder that can be read without its run."""
