"""The name of what a backward pass does not compute again (see `remat` in semgjax.model.encoder)."""

import jax
from jax.ad_checkpoint import checkpoint_name

KEPT = "kept"


def keep(x: jax.Array) -> jax.Array:
    """Mark an array as kept under rematerialisation."""
    return checkpoint_name(x, KEPT)
