"""From JAX functions to programs of other runtimes."""
